//! `GET /labs/{id}/logs`: what a lab's containers wrote, as text that is sent while it is read. The API answers the same under its own path.
//! With `follow` it goes on with what is written from now on: such an answer is one of the open streams of its reader ([`crate::streams`]),
//! and ends with the reader's session or rights.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Extension,
    body::Body,
    extract::{Path, Query, State},
    response::{IntoResponse as _, Response},
};
use domain::{
    Error, Problem,
    ids::{LabId, UserId},
};
use futures::{StreamExt as _, future::BoxFuture};
use http::{HeaderMap, HeaderValue, header};
use services::{
    Caller,
    digest::hex_sha256,
    labs::{Log, LogAsk, logs},
};
use tower_sessions::Session;

use crate::{error_page, state::AppState};

/// Says to proxies, and to our own compression, that the answer goes out piece by piece.
pub const UNBUFFERED: &str = "x-accel-buffering";
/// Most lines that can be asked for by their number.
pub const TAIL_MOST: u32 = 1_000_000;
/// How often it is checked that the reader may still read.
const CHECK: Duration = Duration::from_secs(30);
/// A program that follows a log asks again after this time: nobody checks its token meanwhile.
const LONGEST_OF_PROGRAM: Duration = Duration::from_hours(1);

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
        let log = logs(&state.services, &caller, id, &ask).await?;
        let until = if ask.follow { Some(session_over(&state, &caller, &session).await?) } else { None };
        Ok::<_, Error>(answer(&state, log, until, is_on("download")))
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&headers, &error))
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

/// The text, begun. `until`: when a log that is followed ends although more may be written.
pub fn answer(state: &AppState, log: Log, until: Option<BoxFuture<'static, ()>>, is_file: bool) -> Response {
    let Log { lab_name, member: _, container, pieces } = log;
    let is_followed = until.is_some();
    let stopping = state.stopping.clone();
    let ended = async move {
        tokio::select! {
            () = stopping.cancelled() => {}
            () = until.unwrap_or_else(|| Box::pin(std::future::pending())) => {}
        }
    };
    let body = pieces.take_until(ended).map(|piece| {
        piece.map_err(|error| {
            tracing::debug!(%error, "a lab's log ended early");
            std::io::Error::other(error)
        })
    });
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if is_followed {
        headers.insert(UNBUFFERED, HeaderValue::from_static("no"));
    }
    if is_file && let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", file_name(&lab_name, &container))) {
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

/// Ends when the stream of this session must end: to make room for a newer one, with the session, or when the reader's rights change.
async fn session_over(state: &AppState, caller: &Caller, session: &Session) -> Result<BoxFuture<'static, ()>, Error> {
    let held = app::caller::session_user(session).await?.zip(session.id());
    let ((user, credentials_version), id) = held.ok_or(Error::Unauthenticated)?;
    let session = hex_sha256(id.to_string());
    let open = state.streams.begin(&session, user);
    let (services, actor) = (state.services.clone(), caller.actor.clone());
    let leaves = async move {
        loop {
            tokio::time::sleep(CHECK).await;
            match services::sessions::holder(&services, &session, user, credentials_version).await {
                Ok(Some(now)) if now == actor => {}
                // While the database does not answer it is not known.
                Err(_) => {}
                Ok(_) => return,
            }
        }
    };
    Ok(Box::pin(async move {
        tokio::select! {
            () = open.ended() => {}
            () = leaves => {}
        }
    }))
}

/// The same for a program with a token.
pub fn program_over(state: &AppState, user: UserId) -> BoxFuture<'static, ()> {
    let open = state.streams.begin(&format!("api {user}"), user);
    Box::pin(async move {
        let _ = tokio::time::timeout(LONGEST_OF_PROGRAM, open.ended()).await;
    })
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
