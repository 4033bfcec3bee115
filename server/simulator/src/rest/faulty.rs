//! Answers of an API server in trouble, byte for byte as a real one writes them (kubernetes/apiserver: `server/filters`, `util/notfoundhandler`,
//! `endpoints/handlers/responsewriters`).

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tokio::sync::watch;

use super::{
    access::Deed,
    failure,
    path::{self, Target},
    query::Query,
};
use crate::{
    error::ApiError,
    faults::{Fault, Met},
    registry::Kind,
};

/// Marks an answer that is never sent: the connection is closed instead.
#[derive(Debug, Clone, Copy)]
pub struct Cut;

/// What a watch needs to know of faults.
pub struct Start {
    /// What it begins with.
    pub fault: Option<Fault>,
    /// Switches that are turned from then on.
    pub turned: watch::Receiver<u64>,
}

/// What a request asks for, as far as faults look at it.
pub struct Asked {
    verb: &'static str,
    kind: Option<&'static Kind>,
    name: String,
    continues: bool,
}

impl Asked {
    pub fn of(method: &Method, path: &str, query: &Query) -> Self {
        let target = path::parse(path);
        let name = target.as_ref().and_then(|target| target.name.clone()).unwrap_or_default();
        let verb = match (method.as_str(), name.is_empty()) {
            ("GET", _) if query.flag("watch") => "watch",
            ("GET", true) if target.is_some() => "list",
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("PATCH", _) => "patch",
            ("DELETE", false) => "delete",
            ("DELETE", true) => "deletecollection",
            _ => "get",
        };
        Self { verb, kind: target.map(|target| target.kind), name, continues: query.get("continue").is_some_and(|token| !token.is_empty()) }
    }

    /// The same, as roles look at it.
    pub fn deed(&self, target: &Target) -> Deed {
        let part = target.what.part();
        let resource = if part.is_empty() { target.kind.plural.to_owned() } else { format!("{}/{part}", target.kind.plural) };
        let (namespace, name) = (target.namespace.clone(), self.name.clone());
        Deed { verb: self.verb.to_owned(), group: target.kind.group.to_owned(), resource, namespace, name, path: String::new() }
    }

    pub fn met(&self) -> Met<'_> {
        Met { verb: self.verb, resource: self.kind.map_or("", |kind| kind.plural), continues: self.continues }
    }
}

/// What a fault answers without anything being done; `None` where the request goes its way first.
pub fn refusal(fault: &Fault, asked: &Asked) -> Option<Response> {
    match fault {
        Fault::TooManyRequests { retry_after_seconds } => Some(too_many(*retry_after_seconds)),
        Fault::Conflict => asked.kind.map(|kind| failure(&ApiError::stale(kind, &asked.name))),
        Fault::InternalError => Some(failure(&ApiError::new(500, "", "etcdserver: leader changed"))),
        Fault::Unavailable => Some(failure(&unavailable())),
        Fault::WebhookDown(name) => Some(failure(&webhook_down(name))),
        Fault::WebhookDenies(message) => {
            Some(failure(&ApiError::new(403, "Forbidden", format!("admission webhook \"policy.example.com\" denied the request: {message}"))))
        }
        Fault::Unauthorized => Some(failure(&ApiError::unauthorized())),
        Fault::Expired if asked.verb == "list" => Some(failure(&ApiError::page_expired())),
        _ => None,
    }
}

/// What a fault makes of an answer to something that was done.
pub fn spoilt(fault: &Fault, asked: &Asked, answer: Response) -> Response {
    match fault {
        Fault::Timeout => timed_out(),
        // A watch is cut by itself, in the middle of a line.
        Fault::Dropped if asked.verb != "watch" => cut(),
        _ => answer,
    }
}

fn cut() -> Response {
    let mut answer = StatusCode::OK.into_response();
    answer.extensions_mut().insert(Cut);
    answer
}

const NO_SNIFF: (HeaderName, HeaderValue) = (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
const NO_CACHE: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
const TEXT: (HeaderName, HeaderValue) = (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));

/// The server refuses before it looks at the request, so it is no `Status`.
fn too_many(retry_after_seconds: u32) -> Response {
    let headers = [TEXT, NO_SNIFF, NO_CACHE, (header::RETRY_AFTER, retry_after_seconds.into())];
    (StatusCode::TOO_MANY_REQUESTS, headers, Body::from("Too many requests, please try again later.\n")).into_response()
}

fn webhook_down(name: &str) -> ApiError {
    let why = format!(
        "failed calling webhook \"{name}\": failed to call webhook: Post \"https://hooks.webhooks.svc:443/validate?timeout=10s\": dial tcp 10.96.0.9:443: connect: connection refused"
    );
    let details = json!({"causes": [{"message": why}]});
    ApiError { details: Some(details), ..ApiError::new(500, "InternalError", format!("Internal error occurred: {why}")) }
}

fn unavailable() -> ApiError {
    let why = "the request has been made before all known HTTP paths have been installed, please try again";
    ApiError { details: Some(json!({"retryAfterSeconds": 5})), ..ApiError::new(503, "ServiceUnavailable", why) }
}

/// The filter writes the bare `Status`, without kind and version, and names no media type.
fn timed_out() -> Response {
    let body = r#"{"metadata":{},"status":"Failure","message":"Timeout: request did not complete within the allotted timeout","reason":"Timeout","details":{},"code":504}"#;
    (StatusCode::GATEWAY_TIMEOUT, [TEXT, NO_CACHE], Body::from(format!("{body}\n"))).into_response()
}
