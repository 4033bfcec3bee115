//! Events: writing them with counts, forgetting old ones, and the `events.k8s.io` form.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Context, Work};
use crate::{
    registry::Resource,
    stamp,
    store::{Key, Txn},
    value,
};

/// How long an Event is kept.
const KEPT: Duration = Duration::from_hours(1);

/// What an Event says.
pub struct Said<'a> {
    pub kind: &'a str,
    pub reason: &'a str,
    pub message: String,
    pub component: &'a str,
    /// The node it happened on; `""` for none.
    pub host: &'a str,
}

impl<'a> Said<'a> {
    pub fn normal(component: &'a str, reason: &'a str, message: impl Into<String>) -> Self {
        Self { kind: "Normal", reason, message: message.into(), component, host: "" }
    }

    pub fn warning(component: &'a str, reason: &'a str, message: impl Into<String>) -> Self {
        Self { kind: "Warning", ..Self::normal(component, reason, message) }
    }

    pub fn on(self, host: &'a str) -> Self {
        Self { host, ..self }
    }
}

/// Records an Event about an object; the same again only counts up.
pub fn record(txn: &mut Txn<'_>, about: &Value, said: &Said<'_>) {
    let namespace = match value::namespace(about) {
        "" => "default",
        namespace => namespace,
    };
    if let Some(home) = txn.get(&Key::new(Resource::Namespaces, "", namespace))
        && value::is_terminating(&home)
    {
        return;
    }
    let uid = value::uid(about);
    let now = stamp::now();
    let prefix = format!("{}.", value::name(about));
    let same = txn
        .iter_from(Resource::Events, namespace, &prefix)
        .take_while(|event| value::name(event).starts_with(&prefix))
        .find(|event| {
            value::text(event, "/involvedObject/uid") == uid
                && value::text(event, "/reason") == said.reason
                && value::text(event, "/message") == said.message
                && value::text(event, "/source/component") == said.component
        })
        .cloned();
    if let Some(same) = same {
        let mut event = (*same).clone();
        let count = value::int(&event, "/count").unwrap_or(1).saturating_add(1);
        value::set(&mut event, &["count"], count);
        value::set(&mut event, &["lastTimestamp"], now);
        txn.put(Resource::Events, event);
        return;
    }
    let mut source = json!({"component": said.component});
    if !said.host.is_empty() {
        source["host"] = said.host.into();
    }
    // Named by the instant, as client libraries do, so that the Events of an object sort by time.
    let mut instant = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
    while txn.get(&Key::new(Resource::Events, namespace, format!("{prefix}{instant:x}"))).is_some() {
        instant += 1;
    }
    let event = json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": format!("{prefix}{instant:x}"), "namespace": namespace, "uid": crate::chance::uid(), "creationTimestamp": now},
        "involvedObject": {"kind": about["kind"], "apiVersion": about["apiVersion"], "name": value::name(about), "namespace": about["metadata"]["namespace"], "uid": uid, "resourceVersion": about["metadata"]["resourceVersion"]},
        "reason": said.reason, "message": said.message, "type": said.kind, "source": source,
        "firstTimestamp": now, "lastTimestamp": now, "count": 1, "eventTime": null,
        "reportingComponent": said.component, "reportingInstance": said.host,
    });
    txn.put(Resource::Events, event);
}

/// Drops old Events, and looks again in a minute.
pub fn expire(context: &mut Context) {
    let mut txn = context.store.write();
    let old: Vec<Key> = txn
        .iter(Resource::Events, "")
        .filter(|event| {
            let last = [
                value::text(event, "/lastTimestamp"),
                value::text(event, "/series/lastObservedTime"),
                value::text(event, "/metadata/creationTimestamp"),
            ];
            last.into_iter().find(|text| !text.is_empty()).is_some_and(|text| stamp::since(text) > KEPT)
        })
        .map(|event| Key::of(Resource::Events, event))
        .collect();
    for key in old {
        txn.remove(&key);
    }
    drop(txn);
    context.queue.push_later(Work::ExpireEvents, Duration::from_mins(1));
}

const RENAMED: [(&str, &str); 6] = [
    ("note", "message"),
    ("regarding", "involvedObject"),
    ("reportingController", "reportingComponent"),
    ("deprecatedCount", "count"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
];

/// The stored form of an `events.k8s.io/v1` Event.
pub fn to_core(event: &Value) -> Value {
    let mut core = to_core_patch(event);
    value::set(&mut core, &["apiVersion"], "v1");
    if core.get("source").is_none() {
        let component = core.get("reportingComponent").cloned().unwrap_or_default();
        value::set(&mut core, &["source"], json!({"component": component}));
    }
    core
}

/// The same renaming for a part of an Event.
pub fn to_core_patch(event: &Value) -> Value {
    let mut core = event.clone();
    for (new, old) in RENAMED {
        if let Some(moved) = value::take(&mut core, &[new]) {
            value::set(&mut core, &[old], moved);
        }
    }
    if let Some(moved) = value::take(&mut core, &["deprecatedSource"]) {
        value::set(&mut core, &["source"], moved);
    }
    value::take(&mut core, &["apiVersion"]);
    core
}

/// The `events.k8s.io/v1` form of a stored Event.
pub fn to_new(event: &Value) -> Value {
    let mut new = event.clone();
    for (name, old) in RENAMED {
        if let Some(moved) = value::take(&mut new, &[old]) {
            value::set(&mut new, &[name], moved);
        }
    }
    if let Some(moved) = value::take(&mut new, &["source"]) {
        value::set(&mut new, &["deprecatedSource"], moved);
    }
    value::set(&mut new, &["apiVersion"], "events.k8s.io/v1");
    new
}
