//! The character NUL: no text of ours holds it, and PostgreSQL cannot keep it. Addresses and forms with one are refused before anything
//! reads them, so that both databases answer alike; JSON bodies are looked at where they are read ([`crate::rest::body`]).

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::Error;
use http::{HeaderMap, header};

use crate::rest::problem::Problem;

pub async fn refuse(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if [uri.path(), uri.query().unwrap_or_default()].iter().any(|part| holds_one(part.as_bytes())) {
        return refused();
    }
    if !is_form(request.headers()) {
        return next.run(request).await;
    }
    // A form is read as a whole anyway; the layer around this one bounds it.
    let (parts, body) = request.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) if holds_one(&bytes) => refused(),
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(_) => Problem::TooLarge.into_response(),
    }
}

fn refused() -> Response {
    Problem::Refused(Error::Malformed { reason: "a text holds the character NUL, which no text may hold".into() }).into_response()
}

fn is_form(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|media| media.as_bytes().starts_with(b"application/x-www-form-urlencoded"))
}

/// Percent-encoded or by itself.
fn holds_one(bytes: &[u8]) -> bool {
    bytes.contains(&0) || bytes.windows(3).any(|window| window == b"%00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_in_both_spellings() {
        assert!(holds_one(b"a%00b") && holds_one(b"\0"));
        assert!(!holds_one(b"a%0") && !holds_one(b"%2500") && !holds_one(b""));
    }
}
