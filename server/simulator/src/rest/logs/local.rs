//! The log of a container that is a process of this machine: what it has written.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use serde_json::Value;
use time::OffsetDateTime;

use super::{Api, Call, no_log, status};
use crate::{
    error::{ApiError, Result},
    local::{
        Local,
        log::{Reader, Text, entries, tail},
    },
    store::{Key, Object},
    value,
};

/// How often a file is looked at again.
const BETWEEN: Duration = Duration::from_millis(250);

pub fn logs(api: &Arc<Api>, local: &Local, pod: &Object, container: &str, call: &Call, since: Option<OffsetDateTime>) -> Result<Response> {
    let is_previous = call.query.flag("previous");
    let missing = || ApiError::bad_request(no_log(pod, container, is_previous));
    let run = if is_previous { run(pod, container).checked_sub(1).filter(|run| *run >= 0).ok_or_else(missing)? } else { run(pod, container) };
    let mut reader = Reader::from_start(local.log(pod, container, run));
    let bytes = match reader.all() {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
        Err(error) => return Err(ApiError::new(500, "InternalError", format!("the log cannot be read: {error}"))),
    };
    let mut wanted = entries(&bytes);
    if let Some(since) = since {
        wanted.retain(|entry| entry.time().is_some_and(|at| at >= since));
    }
    let wanted = match call.query.number("tailLines") {
        Some(lines) => tail(&wanted, usize::try_from(lines).unwrap_or(usize::MAX)),
        None => wanted.as_slice(),
    };
    let mut text = Text::new(call.query.flag("timestamps"));
    let mut output = text.of(wanted);
    let mut room = call.query.number("limitBytes").map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    output.truncate(room);
    room -= output.len();
    let answer = |body: Body| (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain")], body).into_response();
    // An earlier run grows no more.
    if !call.query.flag("follow") || is_previous {
        return Ok(answer(Body::from(output)));
    }
    let first = stream::iter([Bytes::from(output)]);
    let rest = Follow::new(api, pod, container, run, reader, text, room).pieces();
    Ok(answer(Body::from_stream(first.chain(rest).map(Ok::<_, std::convert::Infallible>))))
}

/// The output from now on.
pub fn from_now(api: &Arc<Api>, local: &Local, pod: &Object, container: &str) -> BoxStream<'static, Bytes> {
    let run = run(pod, container);
    let reader = Reader::from_end(local.log(pod, container, run));
    Follow::new(api, pod, container, run, reader, Text::new(false), usize::MAX).pieces()
}

/// The number of the container's run.
fn run(pod: &Value, container: &str) -> i64 {
    status(pod, container).and_then(|status| value::int(status, "/restartCount")).unwrap_or_default()
}

/// A log that is followed to the end of the run.
struct Follow {
    api: Arc<Api>,
    key: Key,
    uid: String,
    container: String,
    run: i64,
    reader: Reader,
    text: Text,
    /// Bytes that are still wanted.
    room: usize,
}

impl Follow {
    fn new(api: &Arc<Api>, pod: &Object, container: &str, run: i64, reader: Reader, text: Text, room: usize) -> Self {
        let (key, uid) = (Key::of(crate::registry::Resource::Pods, pod), value::uid(pod).to_owned());
        Self { api: Arc::clone(api), key, uid, container: container.to_owned(), run, reader, text, room }
    }

    fn pieces(self) -> BoxStream<'static, Bytes> {
        stream::unfold(self, |mut follow| async move { Some((follow.next().await?, follow)) }).boxed()
    }

    /// The next output; `None` when the run has ended, the pod is gone or there were as many bytes as wanted.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.room == 0 {
                return None;
            }
            // Looked at before the file: all that a run writes is there when it has ended.
            let goes_on = self.goes_on();
            let bytes = self.reader.more().unwrap_or_default();
            if !bytes.is_empty() {
                let mut output = self.text.of(&entries(&bytes));
                output.truncate(self.room);
                self.room -= output.len();
                return Some(Bytes::from(output));
            }
            if !goes_on {
                return None;
            }
            tokio::select! {
                () = self.api.stopping.cancelled() => return None,
                () = tokio::time::sleep(BETWEEN) => {}
            }
        }
    }

    fn goes_on(&self) -> bool {
        let pod = self.api.store.write().get(&self.key).filter(|pod| value::uid(pod) == self.uid);
        let Some(pod) = pod else { return false };
        let is_over = status(&pod, &self.container).is_some_and(|status| status.pointer("/state/terminated").is_some());
        !is_over && run(&pod, &self.container) == self.run
    }
}
