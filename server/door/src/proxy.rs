//! Passes a request on to the lab and its answer back, piece by piece in both ways: each side is read only as fast as the other takes it.

use std::error::Error;

use axum::{body::Body, extract::Request, response::Response};
use domain::visits::real_use;
use http::{HeaderValue, StatusCode, Version, header, request::Parts};
use http_body::Body as _;
use hyper::body::Incoming;
use services::ports::{ClusterError, PodTarget};
use tokio_util::sync::CancellationToken;
use tower::BoxError;

use crate::{
    Asked, Inner,
    app_secret::AppSecret,
    body::{self, Passing, Way},
    counts::PASSED,
    guard,
    headers::{self, Client},
    limits::Place,
    own_tokens,
    page::Reader,
    ports::SharedPass,
    upstream,
    words::Matter,
};

/// The way to a lab for one request.
pub struct Line {
    pub pass: SharedPass,
    pub pod: PodTarget,
    pub port: u16,
    /// The lab's own secret for the application in this pod.
    pub secret: Option<AppSecret>,
    /// Cancelled when the pod is gone.
    pub gone: CancellationToken,
    pub place: Place,
}

/// Why there is no answer of the lab.
#[derive(Debug)]
pub enum Broken {
    PassEnded,
    PodGone,
    Failed(BoxError),
}

pub async fn forward(door: &Inner, asked: &Asked, parts: Parts, body: Body, line: Line) -> Response {
    let is_at_top = guard::is_at_top(parts.uri.path());
    let request = for_lab(door, asked, parts, body, &line, None);
    let answer = line.until_over(door.upstream.send(request, &line.pod, line.port)).await;
    match answer {
        // Nothing was to be upgraded: what follows could not be told from the next answer.
        Ok(answer) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => door.no_answer(asked, &line.pass, Matter::NoAnswer),
        Ok(answer) => {
            door.counts.outcome(PASSED);
            let mut answer = for_browser(answer, line);
            if is_at_top {
                // A browser that keeps the script of a page does not take it for a service worker, which it must ask for.
                answer.headers_mut().append(header::VARY, HeaderValue::from_static("service-worker"));
            }
            answer
        }
        Err(broken) => broken_off(door, asked, &line, &broken).await,
    }
}

/// The request as the lab gets it.
pub fn for_lab(door: &Inner, asked: &Asked, mut parts: Parts, body: Body, line: &Line, upgrade: Option<&HeaderValue>) -> Request {
    let client = Client { address: asked.address, https: door.sites.is_https(), host: &asked.site.host };
    headers::for_lab(&mut parts.headers, client, upgrade);
    own_tokens::strip_query(&mut parts.uri);
    if let Some(secret) = &line.secret {
        secret.show(&mut parts.headers);
    }
    line.pass.count(headers::size(&parts.headers), 0);
    note_use(asked, &parts, line, upgrade.is_some());
    let body = Passing::wrap(body, Way::ToLab, &line.pass, &line.gone, None);
    // Otherwise the client would take a GET with a body of unknown length for one without a body.
    if !body.is_end_stream() && body.size_hint().exact().is_none() {
        parts.headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
    Request::from_parts(parts, body)
}

/// Notes what the request itself is of use; a socket is used by its messages.
fn note_use(asked: &Asked, parts: &Parts, line: &Line, is_socket: bool) {
    let opens_page = matches!(asked.reader, Reader::Person(_));
    if !is_socket && let Some(kind) = real_use::of_request(parts.method.as_str(), parts.uri.path(), opens_page) {
        line.pass.used(kind);
    }
}

/// The answer as the browser gets it.
pub fn for_browser(answer: http::Response<Incoming>, line: Line) -> Response {
    let (mut head, body) = answer.into_parts();
    line.pass.count(0, headers::size(&head.headers));
    headers::for_browser(&mut head.headers);
    head.version = Version::HTTP_11;
    let Line { pass, gone, place, .. } = line;
    Response::from_parts(head, Passing::wrap(Body::new(body), Way::ToBrowser, &pass, &gone, Some(place)))
}

/// The answer where the lab gave none.
pub async fn broken_off(door: &Inner, asked: &Asked, line: &Line, broken: &Broken) -> Response {
    match broken {
        Broken::PassEnded => door.about(asked.reader, Matter::NoPass),
        Broken::PodGone => door.not_ready(asked.reader, &line.pass).await,
        Broken::Failed(error) if body::is_of_client(&**error) => door.about(asked.reader, Matter::Malformed),
        Broken::Failed(error) => {
            tracing::debug!(%error, lab.id = %line.pass.lab(), "a lab does not answer");
            door.no_answer(asked, &line.pass, reason(&**error))
        }
    }
}

/// Part of the API server's message about a node that it cannot reach.
const NODE_AWAY: &str = "error dialing backend";

/// Whether the application answers badly, cannot be reached, or stands behind a cluster or a node that does not answer.
fn reason(error: &(dyn Error + 'static)) -> Matter {
    match upstream::no_connection(error) {
        None => Matter::NoAnswer,
        Some(ClusterError::Away(_) | ClusterError::Blocked(_)) => Matter::Unreachable,
        Some(ClusterError::Busy(message)) if message.contains(NODE_AWAY) => Matter::Unreachable,
        Some(_) => Matter::NoConnection,
    }
}

impl Line {
    /// The outcome of `doing`, unless the pass or the pod ends first.
    pub async fn until_over<T>(&self, doing: impl Future<Output = Result<T, BoxError>>) -> Result<T, Broken> {
        tokio::select! {
            biased;
            () = self.pass.ended().cancelled() => Err(Broken::PassEnded),
            () = self.gone.cancelled() => Err(Broken::PodGone),
            done = doing => done.map_err(Broken::Failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the client's own words")]
    struct Outer(#[source] ClusterError);

    #[test]
    fn a_cluster_or_node_that_is_away_is_told_from_an_application_that_is() {
        assert_eq!(reason(&Outer(ClusterError::Away("no route".into()))), Matter::Unreachable);
        assert_eq!(reason(&Outer(ClusterError::Busy("error dialing backend: dial tcp 10.0.0.5:10250".into()))), Matter::Unreachable);
        assert_eq!(reason(&ClusterError::Busy("connection refused".into())), Matter::NoConnection);
        assert_eq!(reason(&std::io::Error::other("reset")), Matter::NoAnswer);
    }
}
