//! Errors as RFC 9457 problem documents with a stable `code`. Handlers return a [`Problem`]; [`render`] words it for the reader.

use std::fmt::Write as _;

use app::{
    error_text::{error_text, field_problem_text, headline, method_not_allowed_text, not_json_text, too_large_text, too_slow_text, wrong_host_text},
    language::{self, Language},
};
use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{
    Error,
    gpu::CardShare,
    quotas::{Item, Shortfall},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use services::Origin;

use super::dto::cards;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A refusal by the rules, or a failure.
    Refused(Error),
    MethodNotAllowed,
    /// A body that is too large to be read.
    TooLarge,
    /// A body that does not say that it is JSON.
    NotJson,
    /// The host name is not one of this server's.
    WrongHost,
    /// The body arrived too slowly.
    TooSlow,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// Only carries the problem: [`render`] writes the body once it knows the reader's language.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Problem {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Refused(error) => StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
        }
    }

    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(error) => error.code(),
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
            Self::WrongHost => "wrong_host",
            Self::TooSlow => "too_slow",
        }
    }

    /// What happened and what to do.
    pub fn detail(&self, language: Language) -> String {
        match self {
            Self::Refused(error) => error_text(language, error),
            Self::MethodNotAllowed => method_not_allowed_text(language).to_owned(),
            Self::TooLarge => too_large_text(language).to_owned(),
            Self::NotJson => not_json_text(language).to_owned(),
            Self::WrongHost => wrong_host_text(language).to_owned(),
            Self::TooSlow => too_slow_text(language).to_owned(),
        }
    }

    /// The HTTP layer's own refusals.
    const OF_HTTP: [Self; 5] = [Self::MethodNotAllowed, Self::TooLarge, Self::NotJson, Self::WrongHost, Self::TooSlow];

    /// The document. Members beside the standard ones are those of the error itself (`shortfalls`, `over`, `state`, …).
    pub fn document(&self, language: Language, request_id: Option<&str>) -> Value {
        let mut document = Map::new();
        document.insert("detail".into(), self.detail(language).into());
        if let Self::Refused(error) = self {
            members(&mut document, language, error);
        }
        let title = match self {
            Self::Refused(error) => headline(language, error),
            _ => self.status().canonical_reason().unwrap_or_default().to_owned(),
        };
        document.insert("type".into(), format!("urn:lectern:problem:{}", self.code()).into());
        document.insert("title".into(), title.into());
        document.insert("status".into(), self.status().as_u16().into());
        document.insert("code".into(), self.code().into());
        if let Some(id) = request_id {
            document.insert("request_id".into(), id.into());
        }
        Value::Object(document)
    }
}

/// Every `code` there is.
pub fn codes() -> Vec<&'static str> {
    let refusals = Error::one_of_each().into_iter().map(|error| error.code());
    refusals.chain(Problem::OF_HTTP.iter().map(Problem::code)).collect()
}

/// What the error carries, so that a program need not read sentences.
fn members(document: &mut Map<String, Value>, language: Language, error: &Error) {
    match error {
        Error::Invalid(problems) => {
            let errors: Vec<_> = problems.iter().map(|each| field(language, each)).collect();
            let mut detail = String::new();
            for (each, shown) in problems.iter().zip(&errors) {
                let text = shown["detail"].as_str().unwrap_or_default();
                let _ = write!(detail, "{}{}: {text}", if detail.is_empty() { "" } else { "; " }, each.field);
            }
            document.insert("detail".into(), detail.into());
            document.insert("errors".into(), errors.into());
        }
        Error::OverQuota(shortfalls) => {
            document.insert("shortfalls".into(), shortfalls.iter().map(shortfall).collect());
        }
        Error::Malformed { reason } => {
            document.insert("detail".into(), reason.as_str().into());
        }
        Error::OverBudget { left, asked, over } => {
            for (name, amount) in [("left", left), ("asked", asked), ("over", over)] {
                document.insert(name.into(), json!(amount));
            }
        }
        // The rest is flat: its own members are what there is to know.
        other => {
            if let Ok(Value::Object(tagged)) = serde_json::to_value(other) {
                for content in tagged.into_iter().map(|(_, content)| content) {
                    if let Value::Object(content) = content {
                        document.extend(content);
                    }
                }
            }
        }
    }
}

/// Cards in whole-card equivalents, as everywhere in the API.
fn shortfall(short: &Shortfall) -> Value {
    let Shortfall { item, limit, in_use, asked, over } = short;
    let amount = |amount: &i64| match item {
        Item::Cards => json!(cards(CardShare::from_parts(*amount))),
        _ => json!(amount),
    };
    json!({"item": item, "limit": amount(limit), "in_use": amount(in_use), "asked": amount(asked), "over": amount(over)})
}

fn field(language: Language, each: &domain::FieldError) -> Value {
    let mut shown = Map::new();
    shown.insert("field".into(), each.field.as_str().into());
    if let Ok(Value::Object(content)) = serde_json::to_value(&each.problem) {
        for (name, value) in content {
            shown.insert(if name == "problem" { "code".into() } else { name }, value);
        }
    }
    shown.insert("detail".into(), field_problem_text(language, &each.problem).into());
    Value::Object(shown)
}

pub const MEDIA_TYPE: &str = "application/problem+json";

/// Writes the problem documents of everything below.
pub async fn render(request: Request, next: Next) -> Response {
    let mut headers = HeaderMap::new();
    if let Some(language) = request.headers().get(header::ACCEPT_LANGUAGE) {
        headers.insert(header::ACCEPT_LANGUAGE, language.clone());
    }
    let request_id = request.extensions().get::<Origin>().and_then(|origin| origin.request_id.clone());
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => {
            // What the router knows (`Allow`) stays.
            let mut answer = answer(&problem, &headers, request_id.as_deref());
            for (name, value) in response.headers() {
                answer.headers_mut().entry(name).or_insert(value.clone());
            }
            answer
        }
        None => response,
    }
}

/// The problem as an answer; `headers` are the request's.
pub fn answer(problem: &Problem, headers: &HeaderMap, request_id: Option<&str>) -> Response {
    let language = language::negotiate(text(headers, header::ACCEPT_LANGUAGE));
    let body = problem.document(language, request_id).to_string();
    let mut response =
        (problem.status(), [(header::CONTENT_TYPE, MEDIA_TYPE), (header::CONTENT_LANGUAGE, language::tag(language))], body).into_response();
    if let Problem::Refused(error) = problem {
        if let Some(seconds) = error.retry_after_seconds() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if *error == Error::Unauthenticated {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"lectern\""));
        }
    }
    response
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
