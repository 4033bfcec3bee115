//! Answers that come late. After a change of password the session goes on under a new id, while its page may still ask something under the old
//! one. That answer must not take the new cookie away, so only pages and forms remove the cookie of a session that is over.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::header::SET_COOKIE;

use super::cookie_name;
use crate::state::AppState;

/// Comes before [`super::sessions`], which removes the cookie of every session that it does not find.
pub async fn keep_cookie(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mode = request.headers().get("sec-fetch-mode");
    let is_of_script = request.method().is_safe() && mode.is_some_and(|mode| mode != "navigate");
    let mut response = next.run(request).await;
    if is_of_script && response.headers().contains_key(SET_COOKIE) {
        let removal = format!("{}=;", cookie_name(&state.config));
        let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().cloned().collect();
        response.headers_mut().remove(SET_COOKIE);
        for cookie in cookies.into_iter().filter(|cookie| !cookie.as_bytes().starts_with(removal.as_bytes())) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}
