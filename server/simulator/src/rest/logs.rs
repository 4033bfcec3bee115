//! A pod's log. Where no container runs, the lines are made up from the pod: the same at every reading, and growing while it runs. The output
//! of processes of this machine is in `logs/local.rs`.

mod local;

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{StreamExt as _, stream::BoxStream};
use serde_json::Value;
use time::OffsetDateTime;

use super::{Api, Call};
use crate::{
    error::{ApiError, FieldError, Result},
    local::Local,
    pods::container_of,
    stamp,
    store::{Key, Object},
    value,
    workload_text::Program,
};

pub fn logs(api: &Arc<Api>, key: &Key, call: &Call) -> Result<Response> {
    let kind = key.resource.kind();
    let pod = api.store.write().get(key).ok_or_else(|| ApiError::not_found(kind, &key.name))?;
    let container = container_of(&pod, call.query.get("container"))?;
    let since = since(call)?;
    let text = |body: Body| (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain")], body).into_response();
    if value::text(&pod, "/spec/nodeName").is_empty() {
        return Ok(text(Body::empty()));
    }
    let is_previous = call.query.flag("previous");
    if let Some(local) = api.local.as_ref().filter(|_| Local::takes(&pod)) {
        return self::local::logs(api, local, &pod, &container, call, since);
    }
    let run = if is_previous { Run::previous(&pod, &container) } else { Run::of(&pod, &container) };
    let run = run.ok_or_else(|| ApiError::bad_request(no_log(&pod, &container, is_previous)))?;
    let stamps = call.query.flag("timestamps");
    let next = run.until(OffsetDateTime::now_utc());
    let mut lines = run.lines(0, next);
    if let Some(since) = since {
        lines.retain(|(at, _)| *at >= since);
    }
    if let Some(tail) = call.query.number("tailLines") {
        let skip = lines.len().saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX));
        lines.drain(..skip);
    }
    let mut output: String = lines.iter().map(|(at, line)| shown(*at, line, stamps)).collect();
    let mut room = call.query.number("limitBytes").map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    cut(&mut output, &mut room);
    // An earlier run grows no more.
    if !call.query.flag("follow") || is_previous {
        return Ok(text(Body::from(output)));
    }
    let follow = Follow { api: Arc::clone(api), key: key.clone(), container, next, stamps, room, uid: value::uid(&pod).to_owned() };
    let stream = futures::stream::unfold((Some(output), follow), |(first, mut follow)| async move {
        let chunk = match first {
            Some(output) => output,
            None => follow.next().await?,
        };
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(chunk)), (None, follow)))
    });
    Ok(text(Body::from_stream(stream)))
}

/// From when on lines are wanted.
fn since(call: &Call) -> Result<Option<OffsetDateTime>> {
    let refused = |field: &str, text: &str, why: &str| {
        let error = FieldError::invalid(field, &Value::from(text), why);
        let mut refusal = ApiError::invalid_options("PodLogOptions", &error);
        refusal.message = format!("PodLogOptions \"\" is invalid: {field}: {}", error.message);
        refusal
    };
    match (call.query.get("sinceSeconds"), call.query.get("sinceTime")) {
        (None, None) => Ok(None),
        (Some(seconds), Some(_)) => Err(refused("sinceSeconds", seconds, "at most one of `sinceTime` or `sinceSeconds` may be specified")),
        (Some(seconds), None) => match seconds.parse::<u32>() {
            Ok(number @ 1..) => Ok(Some(OffsetDateTime::now_utc() - Duration::from_secs(number.into()))),
            _ => Err(refused("sinceSeconds", seconds, "must be greater than 0")),
        },
        (None, Some(time)) => match stamp::parse(time) {
            Some(at) => Ok(Some(at)),
            None => Err(refused("sinceTime", time, "must be a time as in RFC 3339")),
        },
    }
}

/// Why a container has no log, in the kubelet's words.
fn no_log(pod: &Value, container: &str, is_previous: bool) -> String {
    let of = format!("container {container:?} in pod {:?}", value::name(pod));
    if is_previous {
        return format!("previous terminated {of} not found");
    }
    let waiting = status(pod, container).map_or("", |status| value::text(status, "/state/waiting/reason"));
    match waiting {
        "ErrImagePull" => format!("{of} is waiting to start: image can't be pulled"),
        "ImagePullBackOff" => format!("{of} is waiting to start: trying and failing to pull image"),
        "" => format!("{of} is waiting to start: ContainerCreating"),
        reason => format!("{of} is waiting to start: {reason}"),
    }
}

/// Takes off what is over the limit of bytes.
fn cut(output: &mut String, room: &mut usize) {
    let mut end = output.len().min(*room);
    while !output.is_char_boundary(end) {
        end -= 1;
    }
    if end < output.len() {
        // A character that is cut is left out, and so is all after it.
        *room = end;
    }
    output.truncate(end);
    *room -= end;
}

fn shown(at: OffsetDateTime, line: &str, stamps: bool) -> String {
    if stamps { format!("{} {line}\n", stamp::plus(at, 0)) } else { format!("{line}\n") }
}

fn status<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    let statuses = value::items(pod, "/status/containerStatuses").iter().chain(value::items(pod, "/status/initContainerStatuses"));
    statuses.into_iter().find(|status| value::text(status, "/name") == container)
}

/// A container that has started.
struct Run {
    program: Program,
    started: OffsetDateTime,
    finished: Option<OffsetDateTime>,
}

impl Run {
    /// The run now; of a container that waits to be restarted, the last one.
    fn of(pod: &Value, container: &str) -> Option<Self> {
        let state = status(pod, container)?.get("state")?;
        match state.get("running") {
            Some(running) => {
                let started = stamp::parse(value::text(running, "/startedAt"))?;
                Some(Self { program: Program::of(pod, container, None), started, finished: None })
            }
            None => state.get("terminated").and_then(|ended| Self::ended(pod, container, ended)).or_else(|| Self::previous(pod, container)),
        }
    }

    /// The run before this one.
    fn previous(pod: &Value, container: &str) -> Option<Self> {
        Self::ended(pod, container, status(pod, container)?.pointer("/lastState/terminated")?)
    }

    fn ended(pod: &Value, container: &str, ended: &Value) -> Option<Self> {
        let started = stamp::parse(value::text(ended, "/startedAt"))?;
        let program = Program::of(pod, container, value::int(ended, "/exitCode"));
        Some(Self { program, started, finished: stamp::parse(value::text(ended, "/finishedAt")) })
    }

    /// How many lines there are by then.
    fn until(&self, now: OffsetDateTime) -> usize {
        let end = self.finished.map_or(now, |finished| finished.min(now));
        let seconds = (end - self.started).whole_seconds();
        self.program.count(seconds.max(0), self.finished.is_some())
    }

    fn lines(&self, from: usize, to: usize) -> Vec<(OffsetDateTime, String)> {
        let end = self.finished.map_or(i64::MAX, |finished| (finished - self.started).whole_seconds());
        (from..to)
            .map(|at| {
                let (second, line) = self.program.line(at, self.started, to, self.finished.is_some());
                (self.started + time::Duration::seconds(second.min(end)), line)
            })
            .collect()
    }
}

/// The log of a container from now on; `None` if the container has not started.
pub fn from_now(api: &Arc<Api>, pod: &Object, container: &str) -> Option<BoxStream<'static, Bytes>> {
    if let Some(local) = api.local.as_ref().filter(|_| Local::takes(pod)) {
        return Some(self::local::from_now(api, local, pod, container));
    }
    let follow = Follow::from_now(api, pod, container)?;
    Some(futures::stream::unfold(follow, |mut follow| async move { Some((Bytes::from(follow.next().await?), follow)) }).boxed())
}

/// The rest of a followed log.
struct Follow {
    api: Arc<Api>,
    key: Key,
    uid: String,
    container: String,
    next: usize,
    stamps: bool,
    /// Bytes that are still wanted.
    room: usize,
}

impl Follow {
    /// Only lines that are still to come; `None` if the container has not started.
    fn from_now(api: &Arc<Api>, pod: &Object, container: &str) -> Option<Self> {
        let next = Run::of(pod, container)?.until(OffsetDateTime::now_utc());
        let key = Key::of(crate::registry::Resource::Pods, pod);
        let uid = value::uid(pod).to_owned();
        Some(Self { api: Arc::clone(api), key, uid, container: container.to_owned(), next, stamps: false, room: usize::MAX })
    }

    /// The next lines; `None` when the container has ended, the pod is gone or there were as many bytes as wanted.
    async fn next(&mut self) -> Option<String> {
        loop {
            if self.room == 0 {
                return None;
            }
            let pod = self.api.store.write().get(&self.key).filter(|pod| value::uid(pod) == self.uid)?;
            let run = Run::of(&pod, &self.container)?;
            let now = run.until(OffsetDateTime::now_utc());
            if now > self.next {
                let lines = run.lines(self.next, now);
                self.next = now;
                let mut output: String = lines.iter().map(|(at, line)| shown(*at, line, self.stamps)).collect();
                cut(&mut output, &mut self.room);
                return Some(output);
            }
            if run.finished.is_some() {
                return None;
            }
            tokio::select! {
                () = self.api.stopping.cancelled() => return None,
                () = tokio::time::sleep(Duration::from_millis(250)) => {}
            }
        }
    }
}
