//! A page for when the pages themselves cannot be made: the database is away, or a handler panicked. It needs nothing but the
//! request's headers. The `/api` half answers what the scripts of the pages read.

use app::{
    error::AppError,
    error_text::{back_home_text, error_text, refused_text},
    html_text::escaped,
    language,
    preferences::Preferences,
};
use axum::{
    body::Body,
    response::{Html, IntoResponse as _, Response},
};
use domain::Error;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    landing::Frame,
    rest::{
        self,
        problem::{self, Problem},
    },
};

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Whether whoever asks shows what comes back as a page.
pub fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// The headers that decide how an error is worded.
pub fn wording(headers: &HeaderMap) -> HeaderMap {
    let names = [header::ACCEPT, header::ACCEPT_LANGUAGE, header::COOKIE];
    names.iter().filter_map(|name| Some((name.clone(), headers.get(name)?.clone()))).collect()
}

/// The answer to a refused request, in the format for its path: a problem document for the API, a page, or the wire format for the pages'
/// scripts.
pub fn refusal(problem: &Problem, path: &str, headers: &HeaderMap, request_id: Option<&str>) -> Response {
    if path.starts_with(rest::PREFIX) {
        return problem::answer(problem, headers, request_id);
    }
    if let Problem::Refused(error) = problem {
        return answer(headers, error);
    }
    let mut response = if wants_page(headers) {
        page(headers, |language| problem.detail(language))
    } else {
        wire(&Error::Malformed { reason: problem.code().into() })
    };
    *response.status_mut() = problem.status();
    response
}

/// The error as a page in the reader's language, or as the scripts read it.
pub fn answer(headers: &HeaderMap, error: &Error) -> Response {
    let mut response = if wants_page(headers) { page(headers, |language| error_text(language, error)) } else { wire(error) };
    *response.status_mut() = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(seconds) = error.retry_after_seconds() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn wire(error: &Error) -> Response {
    let body = serde_json::to_string(&AppError(error.clone())).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
}

fn page(headers: &HeaderMap, sentence: impl FnOnce(language::Language) -> String) -> Response {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let Preferences { language, theme } = Preferences::from_headers(text(header::COOKIE), text(header::ACCEPT_LANGUAGE));
    let sentence = sentence(language);
    let inside = format!("<p>{}</p><p><a class=\"btn\" href=\"/\">{}</a></p>", escaped(&sentence), escaped(back_home_text(language)));
    let html = Frame { language, theme: theme.name(), nonce: None }.html(refused_text(language), &inside, "");
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response()
}
