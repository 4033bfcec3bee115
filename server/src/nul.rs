//! The character NUL: no text of Lectern's holds it, and PostgreSQL cannot store it. Addresses and forms that contain it are refused
//! before anything uses them, so that both databases give the same answers. How a form is read depends on its address alone, never on its
//! `Content-Type`, which the client chooses. [`crate::forms`] checks forms; two other readers check for NUL themselves: the API's JSON
//! ([`crate::rest::body`]), and uploaded files, which may be UTF-16 ([`crate::imports`]).

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::Error;

use crate::rest::problem::Problem;

/// Refuses an address that holds a NUL.
pub async fn refuse(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if [uri.path(), uri.query().unwrap_or_default()].iter().any(|part| holds_one(part.as_bytes())) {
        return refused();
    }
    next.run(request).await
}

pub fn refused() -> Response {
    Problem::Refused(Error::Malformed { reason: "a text holds the character NUL, which no text may hold".into() }).into_response()
}

/// Percent-encoded or by itself.
pub fn holds_one(bytes: &[u8]) -> bool {
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
