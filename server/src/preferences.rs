//! `POST /preferences`: language and theme go into cookies, also without an account and without a script.

use std::collections::BTreeMap;

use app::{
    language,
    preferences::{THEME_COOKIE, Theme, safe_back, set_cookie},
};
use axum::{
    Form,
    response::{AppendHeaders, IntoResponse as _, Redirect, Response},
};
use http::header;

pub async fn save(Form(form): Form<BTreeMap<String, String>>) -> Response {
    let chosen = |name: &str| form.get(name).map(String::as_str);
    // Only values that we know reach a header.
    let language = chosen(language::COOKIE).and_then(language::parse).map(|known| set_cookie(language::COOKIE, language::tag(known)));
    let theme = chosen(THEME_COOKIE).and_then(Theme::parse).map(|known| set_cookie(THEME_COOKIE, known.name()));
    let cookies: Vec<_> = language.into_iter().chain(theme).map(|cookie| (header::SET_COOKIE, cookie)).collect();
    (AppendHeaders(cookies), Redirect::to(safe_back(chosen("back").unwrap_or("/")))).into_response()
}
