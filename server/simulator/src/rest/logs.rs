//! A pod's log. No container runs, so the lines are made up from the pod: the same at every reading, and growing while it runs.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde_json::Value;
use time::OffsetDateTime;

use super::{Api, Call};
use crate::{
    error::{ApiError, Result},
    stamp,
    store::Key,
    value,
    workload_text::Program,
};

pub fn logs(api: &Arc<Api>, key: &Key, call: &Call) -> Result<Response> {
    let kind = key.resource.kind();
    let pod = api.store.write().get(key).ok_or_else(|| ApiError::not_found(kind, &key.name))?;
    let container = container(&pod, call.query.get("container"))?;
    let text = |body: Body| (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain")], body).into_response();
    let Some(run) = Run::of(&pod, &container) else {
        let reason = value::items(&pod, "/status/containerStatuses")
            .iter()
            .find(|status| value::text(status, "/name") == container)
            .map_or("ContainerCreating", |status| value::text(status, "/state/waiting/reason"));
        if value::text(&pod, "/spec/nodeName").is_empty() {
            return Ok(text(Body::empty()));
        }
        let message = format!("container {container:?} in pod {:?} is waiting to start: {reason}", key.name);
        return Err(ApiError::bad_request(message));
    };
    if call.query.flag("previous") && call.query.get("previous").is_some() {
        return Err(ApiError::bad_request(format!("previous terminated container {container:?} in pod {:?} not found", key.name)));
    }
    let stamps = call.query.flag("timestamps") && call.query.get("timestamps").is_some();
    let mut lines = run.lines(0, run.until(OffsetDateTime::now_utc()));
    if let Some(seconds) = call.query.number("sinceSeconds") {
        let before = time::Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
        // Before the beginning of time is all of it.
        if let Some(from) = OffsetDateTime::now_utc().checked_sub(before) {
            lines.retain(|(at, _)| *at >= from);
        }
    }
    if let Some(tail) = call.query.number("tailLines") {
        let skip = lines.len().saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX));
        lines.drain(..skip);
    }
    let mut output: String = lines.iter().map(|(at, line)| shown(*at, line, stamps)).collect();
    if let Some(limit) = call.query.number("limitBytes") {
        let mut end = output.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
        while !output.is_char_boundary(end) {
            end -= 1;
        }
        output.truncate(end);
    }
    if !(call.query.flag("follow") && call.query.get("follow").is_some()) {
        return Ok(text(Body::from(output)));
    }
    let follow = Follow {
        api: Arc::clone(api),
        key: key.clone(),
        container,
        next: run.until(OffsetDateTime::now_utc()),
        stamps,
        uid: value::uid(&pod).to_owned(),
    };
    let stream = futures::stream::unfold((Some(output), follow), |(first, mut follow)| async move {
        let chunk = match first {
            Some(output) => output,
            None => follow.next().await?,
        };
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(chunk)), (None, follow)))
    });
    Ok(text(Body::from_stream(stream)))
}

fn container(pod: &Value, asked: Option<&str>) -> Result<String> {
    let all: Vec<&str> =
        value::items(pod, "/spec/containers").iter().chain(value::items(pod, "/spec/initContainers")).map(|one| value::text(one, "/name")).collect();
    let plain = value::items(pod, "/spec/containers").len();
    match asked.filter(|name| !name.is_empty()) {
        Some(name) if all.contains(&name) => Ok(name.to_owned()),
        Some(name) => Err(ApiError::bad_request(format!("container {name} is not valid for pod {}", value::name(pod)))),
        None if plain == 1 => Ok(all.first().copied().unwrap_or_default().to_owned()),
        None => {
            Err(ApiError::bad_request(format!("a container name must be specified for pod {}, choose one of: [{}]", value::name(pod), all.join(" "))))
        }
    }
}

fn shown(at: OffsetDateTime, line: &str, stamps: bool) -> String {
    if stamps { format!("{} {line}\n", stamp::plus(at, 0)) } else { format!("{line}\n") }
}

/// A container that has started.
struct Run {
    program: Program,
    started: OffsetDateTime,
    finished: Option<OffsetDateTime>,
}

impl Run {
    fn of(pod: &Value, container: &str) -> Option<Self> {
        let statuses = value::items(pod, "/status/containerStatuses").iter().chain(value::items(pod, "/status/initContainerStatuses"));
        let status = statuses.into_iter().find(|status| value::text(status, "/name") == container)?;
        let at = |pointer: &str| stamp::parse(value::text(status, pointer));
        let started = at("/state/running/startedAt").or_else(|| at("/state/terminated/startedAt"))?;
        let code = value::int(status, "/state/terminated/exitCode");
        Some(Self { program: Program::of(pod, container, code), started, finished: at("/state/terminated/finishedAt") })
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

/// The rest of a followed log.
struct Follow {
    api: Arc<Api>,
    key: Key,
    uid: String,
    container: String,
    next: usize,
    stamps: bool,
}

impl Follow {
    /// The next lines; `None` when the container has ended or the pod is gone.
    async fn next(&mut self) -> Option<String> {
        loop {
            let pod = self.api.store.write().get(&self.key).filter(|pod| value::uid(pod) == self.uid)?;
            let run = Run::of(&pod, &self.container)?;
            let now = run.until(OffsetDateTime::now_utc());
            if now > self.next {
                let lines = run.lines(self.next, now);
                self.next = now;
                return Some(lines.iter().map(|(at, line)| shown(*at, line, self.stamps)).collect());
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
