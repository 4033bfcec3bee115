//! `GET /labs/{id}/logs`: what a lab's containers wrote, as text that is sent while it is read. The API answers the same under its own path.
//! With `follow` it goes on with what is written from now on: such an answer is one of the open streams of its reader ([`crate::streams`]).
//! It ends with the reader's session, token or rights ([`crate::reading`]).

use std::collections::BTreeMap;

use axum::{
    Extension,
    body::Body,
    extract::{Path, Query, State},
    response::{IntoResponse as _, Response},
};
use domain::{Error, Problem, ids::LabId};
use futures::{StreamExt as _, TryStreamExt as _};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use services::{
    Caller,
    labs::{Log, LogAsk, logs},
};
use tower_sessions::Session;

use crate::{error_page, reading::Reader, state::AppState};

/// Says to proxies, and to our own compression, that the answer goes out piece by piece.
pub const UNBUFFERED: &str = "x-accel-buffering";
/// When a log was kept whose pod is gone.
pub const KEPT: &str = "lectern-kept-at";
/// Most lines that can be asked for by their number.
pub const TAIL_MOST: u32 = 1_000_000;

pub async fn show(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    session: Session,
    Path(id): Path<String>,
    Query(given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let is_on = |name: &str| given.get(name).is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    let answer = async {
        let id = id.parse::<LabId>().map_err(|_| Error::NotFound)?;
        let ask = LogAsk {
            member: text(&given, "member"),
            container: text(&given, "container"),
            previous: is_on("previous"),
            tail: tail(given.get("tail").map_or("200", String::as_str))?,
            follow: is_on("follow"),
        };
        // Before the log: what ends while the cluster is asked is heard too.
        let reader = Reader::of_session(&state.services, &caller, &session).await?;
        let log = match logs(&state.services, &caller, id, &ask).await {
            Err(Error::NotFound) if ask.previous => return Ok(none_kept(&headers)),
            log => log?,
        };
        Ok::<_, Error>(answer(&state, log, reader, ask.follow, is_on("download")))
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&headers, &error))
}

/// The answer about an earlier run that there was not, or that left no log. It is 410, since 404 counts as a refusal and gets into the audit
/// record: the reader asked only for what the page offers.
fn none_kept(headers: &HeaderMap) -> Response {
    let mut response = error_page::answer(headers, &Error::NotFound);
    *response.status_mut() = StatusCode::GONE;
    response
}

fn text(given: &BTreeMap<String, String>, name: &str) -> Option<String> {
    given.get(name).filter(|text| !text.is_empty()).cloned()
}

/// `all`, or a number of lines.
pub fn tail(text: &str) -> Result<Option<u32>, Error> {
    match text {
        "all" => Ok(None),
        number => match number.parse() {
            Ok(lines) if lines <= TAIL_MOST => Ok(Some(lines)),
            _ => Err(Error::field("tail", Problem::OutOfRange { min: 0, max: TAIL_MOST.into() })),
        },
    }
}

/// The text, begun. A log that is followed ends when the reader may not read on; any other breaks off, so that a part is not taken for the whole.
pub fn answer(state: &AppState, log: Log, reader: Reader, is_followed: bool, is_file: bool) -> Response {
    let Log { lab_name, member, container, kept_at, pieces } = log;
    // The tries of a job differ in their pods.
    let name = if kept_at.is_some() { member } else { lab_name };
    let stopping = state.stopping.clone();
    let body = if is_followed {
        let open = state.streams.begin(&reader.name(), reader.user());
        let ended = async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = open.ended() => {}
                () = reader.leaves() => {}
            }
        };
        pieces.map_err(std::io::Error::other).take_until(ended).boxed()
    } else {
        reader.reads(pieces).take_until(async move { stopping.cancelled().await }).boxed()
    };
    let body = body.inspect_err(|error| tracing::debug!(%error, "a lab's log ended early"));
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(Ok(at)) = kept_at.map(|at| HeaderValue::from_str(&at.to_rfc3339())) {
        headers.insert(KEPT, at);
    }
    if is_followed {
        headers.insert(UNBUFFERED, HeaderValue::from_static("no"));
    }
    if is_file && let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", file_name(&name, &container))) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

/// `lab-7-main.log`; both are names of Kubernetes, which have no other characters.
fn file_name(lab: &str, container: &str) -> String {
    let name = format!("{lab}-{container}");
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')).collect();
    format!("{name}.log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_all_or_a_number() {
        assert_eq!((tail("all"), tail("0"), tail("1000")), (Ok(None), Ok(Some(0)), Ok(Some(1_000))));
        for bad in ["", "-1", "1000001", "many"] {
            assert!(matches!(tail(bad), Err(Error::Invalid(_))), "{bad}");
        }
    }

    #[test]
    fn the_name_of_the_file_fits_into_its_header() {
        assert_eq!(file_name("lab-7", "main"), "lab-7-main.log");
        assert_eq!(file_name("lab\"7", "a\r\nb/.."), "lab7-ab...log");
    }
}
