//! Forms of the pages. A form is read as a whole, only after its origin, its path and its session were looked at, and only where a handler
//! takes one. Without a session it must be small: signing in, setting up and joining need little.
//!
//! A new route of the pages whose handler reads a form needs a line in `takes_form`; other handlers get an empty body.

use std::{error::Error as StdError, iter::successors, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{MatchedPath, Request},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::Error;
use futures::StreamExt as _;
use http::{HeaderMap, Method, header};
use http_body_util::LengthLimitError;
use services::Caller;

use crate::{nul, rest::problem::Problem};

/// Most bytes of a form without a session.
pub const WITHOUT_SESSION: usize = 32 * 1_024;

/// For so long the rest of a refused form is read and dropped.
const LINGER: Duration = Duration::from_secs(2);

/// Comes after [`crate::auth::layer::authenticate`], which puts the [`Caller`] into the request.
pub async fn read(request: Request, next: Next) -> Response {
    if request.method().is_safe() || request.uri().path() == app::routes::IMPORTS_UPLOAD {
        return next.run(request).await;
    }
    let is_form = request.method() == Method::POST && request.extensions().get::<MatchedPath>().is_some() && takes_form(request.uri().path());
    let (parts, body) = request.into_parts();
    if !is_form {
        return next.run(Request::from_parts(parts, Body::empty())).await;
    }
    // The router bounds every body.
    let most = if parts.extensions.get::<Caller>().is_some() { usize::MAX } else { WITHOUT_SESSION };
    if declared(&parts.headers).is_some_and(|bytes| bytes > most) {
        discard(body).await;
        return Problem::TooLarge.into_response();
    }
    match to_bytes(body, most).await {
        Ok(bytes) if nul::holds_one(&bytes) => nul::refused(),
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(error) if is_limit(&error) => Problem::TooLarge.into_response(),
        Err(_) => Problem::Refused(Error::Malformed { reason: "the form could not be read".into() }).into_response(),
    }
}

/// Whether one of the limits ended the body, here or in the router.
fn is_limit(error: &(dyn StdError + 'static)) -> bool {
    successors(Some(error), |&error| error.source()).any(<dyn StdError>::is::<LengthLimitError>)
}

fn takes_form(path: &str) -> bool {
    path.starts_with("/api/") || [app::preferences::PATH, app::routes::SIGN_OUT].contains(&path) || app::routes::is_lab_open(path)
}

fn declared(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads the rest of a refused form and keeps nothing of it. A connection that is closed while the client still sends may lose the answer.
pub async fn discard(body: Body) {
    let reading = async {
        let mut pieces = body.into_data_stream();
        while let Some(Ok(_)) = pieces.next().await {}
    };
    let _ = tokio::time::timeout(LINGER, reading).await;
}
