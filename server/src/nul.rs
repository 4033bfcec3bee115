//! The character NUL: no text of Lectern's holds it, and PostgreSQL cannot store it. Addresses and bodies that contain it are refused
//! before they are read, so that both databases give the same answers. How a body is read depends on its address alone, never on its
//! `Content-Type`, which the client chooses. Two readers check for NUL themselves: the API's JSON ([`crate::rest::body`]), and uploaded
//! files, which may be UTF-16 ([`crate::imports`]).

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::Error;

use crate::rest::{self, problem::Problem};

pub async fn refuse(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if [uri.path(), uri.query().unwrap_or_default()].iter().any(|part| holds_one(part.as_bytes())) {
        return refused();
    }
    if request.method().is_safe() || has_reader_of_its_own(uri.path()) {
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

fn has_reader_of_its_own(path: &str) -> bool {
    path == app::routes::IMPORTS_UPLOAD || path.strip_prefix(rest::PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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
