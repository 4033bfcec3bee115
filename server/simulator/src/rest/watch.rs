//! Watches: the changes after a version, as one JSON document a line.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};

use super::{Api, Call, Form, faulty::Start};
use crate::{
    error::{ApiError, Result},
    faults::{Fault, Met},
    registry::Kind,
    selector::{FieldSelector, LabelSelector},
    store::{Change, Object},
    table, value,
};

/// How often an idle watcher hears the current version, when it allows that.
const BOOKMARK_EVERY: Duration = Duration::from_secs(30);
/// The longest watch of a client that names no limit.
const LONGEST: u64 = 1800;
/// No clock counts further than the largest number that may be asked for.
const A_YEAR: u64 = 365 * 86_400;
/// All that a client hears of the last event when the connection breaks.
const HALF_A_LINE: &[u8] = br#"{"type":"MODIFIED","object":{"kind":"#;
const ON_ITS_WAY: Duration = Duration::from_millis(20);

/// Where lines go; an error breaks the connection.
type Lines = mpsc::Sender<io::Result<Bytes>>;

struct Watch {
    api: Arc<Api>,
    kind: &'static Kind,
    namespace: String,
    name: Option<String>,
    labels: LabelSelector,
    fields: FieldSelector,
    form: Form,
    include: table::Include,
    bookmarks: bool,
}

pub fn stream(api: &Arc<Api>, kind: &'static Kind, namespace: &str, name: Option<&str>, call: &Call, start: Start) -> Result<Response> {
    let (labels, fields) = call.query.selectors(kind)?;
    let watch = Watch {
        api: Arc::clone(api),
        kind,
        namespace: namespace.to_owned(),
        name: name.map(str::to_owned),
        labels,
        fields,
        form: Form::wanted(&call.headers),
        include: table::Include::wanted(call.query.get("includeObject")),
        bookmarks: call.query.flag("allowWatchBookmarks"),
    };
    let asked = match call.query.get("resourceVersion") {
        None | Some("" | "0") => None,
        Some(text) => {
            Some(text.parse::<u64>().map_err(|_| ApiError::bad_request(format!("Invalid value: {text:?}: resourceVersion must be a number")))?)
        }
    };
    let wants_initial = call.query.flag("sendInitialEvents") && call.query.get("sendInitialEvents").is_some();
    let asked_seconds = call.query.number("timeoutSeconds").filter(|seconds| *seconds > 0).unwrap_or(LONGEST);
    let ends = Instant::now() + Duration::from_secs(asked_seconds.min(A_YEAR));
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(64);
    tokio::spawn(async move {
        let stopping = watch.api.stopping.clone();
        tokio::select! {
            () = stopping.cancelled() => {}
            () = tokio::time::sleep_until(ends) => {}
            () = sender.closed() => {}
            fault = watch.fault(start) => watch.end_by(&fault, asked, &sender).await,
            // The client went away when this ends early: nothing to tell anyone.
            _ = watch.run(asked, wants_initial, &sender) => {}
        }
    });
    let body = Body::from_stream(futures::stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) }));
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body).into_response())
}

impl Watch {
    /// Waits for a fault that ends a watch: the one it began with, or one that is switched on while it runs.
    async fn fault(&self, start: Start) -> Fault {
        let Start { fault, mut turned } = start;
        let mut found = fault.filter(Fault::ends_watches);
        loop {
            if let Some(fault) = found {
                return fault;
            }
            if turned.changed().await.is_err() {
                return std::future::pending().await;
            }
            let met = Met { verb: "watch", resource: self.kind.plural, continues: false };
            found = self.api.faults.strike_running(&met);
        }
    }

    async fn end_by(&self, fault: &Fault, asked: Option<u64>, sender: &Lines) {
        let last = match fault {
            Fault::Expired => {
                let current = self.api.store.write().version();
                vec![Ok(line("ERROR", &ApiError::expired(asked.unwrap_or_default(), current).body()))]
            }
            _ => vec![Ok(Bytes::from_static(HALF_A_LINE)), Err(io::ErrorKind::ConnectionAborted.into())],
        };
        for part in last {
            if part.is_err() {
                // What is not on its way yet goes down with the connection.
                tokio::time::sleep(ON_ITS_WAY).await;
            }
            // The client may have gone away by itself.
            let _ = sender.send(part).await;
        }
    }

    async fn run(&self, asked: Option<u64>, wants_initial: bool, sender: &Lines) -> Option<()> {
        let mut latest = self.api.store.subscribe();
        let mut cursor = match asked {
            Some(version) if !wants_initial => version,
            _ => {
                let (objects, version) = {
                    let txn = self.api.store.write();
                    (txn.list(self.kind.resource, &self.namespace), txn.version())
                };
                for object in objects.iter().filter(|object| self.wants(object)) {
                    sender.send(Ok(self.line("ADDED", object))).await.ok()?;
                }
                if wants_initial && self.bookmarks {
                    sender.send(Ok(self.bookmark(version, true))).await.ok()?;
                }
                version
            }
        };
        let mut quiet_since = Instant::now();
        loop {
            match self.api.store.changes_after(cursor) {
                Ok((changes, version)) => {
                    for change in &changes {
                        if let Some(line) = self.event(change) {
                            sender.send(Ok(line)).await.ok()?;
                            quiet_since = Instant::now();
                        }
                    }
                    cursor = version;
                }
                Err(current) => {
                    let status = ApiError::expired(cursor, current).body();
                    sender.send(Ok(line("ERROR", &status))).await.ok()?;
                    return None;
                }
            }
            let idle = quiet_since + BOOKMARK_EVERY;
            tokio::select! {
                changed = latest.changed() => changed.ok()?,
                () = tokio::time::sleep_until(idle), if self.bookmarks => {
                    sender.send(Ok(self.bookmark(cursor, false))).await.ok()?;
                    quiet_since = Instant::now();
                }
            }
        }
    }

    fn wants(&self, object: &Value) -> bool {
        (self.namespace.is_empty() || value::namespace(object) == self.namespace)
            && self.name.as_ref().is_none_or(|name| value::name(object) == name)
            && self.labels.matches(object)
            && self.fields.matches(object)
    }

    /// What this watcher hears of a change: an object that enters or leaves its selection is added or deleted for it.
    fn event(&self, change: &Change) -> Option<Bytes> {
        if change.key.resource != self.kind.resource {
            return None;
        }
        let old = change.old.as_ref().filter(|object| self.wants(object));
        let new = change.new.as_ref().filter(|object| self.wants(object));
        match (old, new) {
            (None, Some(new)) => Some(self.line("ADDED", new)),
            (Some(_), Some(new)) => Some(self.line("MODIFIED", new)),
            (Some(old), None) => {
                let mut last = (**old).clone();
                value::set(&mut last, &["metadata", "resourceVersion"], change.version.to_string());
                Some(self.line("DELETED", &last.into()))
            }
            (None, None) => None,
        }
    }

    fn line(&self, kind: &str, object: &Object) -> Bytes {
        match self.form {
            Form::Plain => line(kind, &**object),
            Form::Table => line(kind, &table::single(self.kind, object, self.include)),
            Form::Metadata => line(kind, &table::metadata_of(object)),
        }
    }

    fn bookmark(&self, version: u64, is_end_of_initial: bool) -> Bytes {
        let mut object = json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": {"resourceVersion": version.to_string(), "creationTimestamp": null}});
        if is_end_of_initial {
            value::set(&mut object, &["metadata", "annotations"], json!({"k8s.io/initial-events-end": "true"}));
        }
        if self.form == Form::Table {
            object = table::table(self.kind, &[], self.include, &version.to_string());
        }
        line("BOOKMARK", &object)
    }
}

fn line(kind: &str, object: &impl std::fmt::Display) -> Bytes {
    Bytes::from(format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n"))
}
