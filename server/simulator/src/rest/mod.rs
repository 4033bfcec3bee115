//! The HTTP face: who may speak, what a path means, and which handler answers.

mod access;
mod console;
mod discovery;
mod faulty;
mod list;
mod logs;
mod metrics;
mod page;
mod path;
mod protobuf;
mod query;
mod reviews;
mod scale;
mod streams;
mod watch;
mod write;

pub use self::{discovery::VERSION, faulty::Cut};

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use self::{
    faulty::Start,
    path::{Target, What},
    query::Query,
};
use crate::{
    error::{ApiError, Result},
    faults::{Fault, Switchboard},
    local::Local,
    store::{Key, Object, Store},
    table,
};

/// What the handlers share.
#[derive(Debug)]
pub struct Api {
    pub store: Arc<Store>,
    pub token: String,
    pub faults: Arc<Switchboard>,
    /// Where containers are processes of this machine.
    pub local: Option<Arc<Local>>,
    /// Ends watches, followed logs and streams.
    pub stopping: CancellationToken,
}

/// The largest body that is read, as in a real API server.
const LARGEST_BODY: usize = 3 << 20;

/// A request, taken apart.
struct Call {
    query: Query,
    headers: HeaderMap,
    body: bytes::Bytes,
    /// The connection, if the answer turns it into something else than HTTP.
    upgrade: OnUpgrade,
}

pub fn router(api: Arc<Api>) -> axum::Router {
    axum::Router::new().fallback(handle).with_state(api)
}

async fn handle(State(api): State<Arc<Api>>, request: Request) -> Response {
    match answer(&api, request).await {
        Ok(response) => response,
        Err(error) => failure(&error),
    }
}

fn failure(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache, private")];
    let mut response = (status, headers, error.body() + "\n").into_response();
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn json(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn answer(api: &Arc<Api>, mut request: Request) -> Result<Response> {
    check_host(&request)?;
    let path = request.uri().path().to_owned();
    if matches!(path.as_str(), "/healthz" | "/readyz" | "/livez") {
        return Ok((StatusCode::OK, "ok").into_response());
    }
    check_token(api, request.headers())?;
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LARGEST_BODY)
        .await
        .map_err(|_| ApiError::new(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {LARGEST_BODY}")))?;
    if let Some(answer) = console::answer(api, &path, &parts.method, &body) {
        return answer;
    }
    let call = Call { query: Query::read(&parts.uri), headers: parts.headers, body, upgrade };
    let asked = faulty::Asked::of(&parts.method, &path, &call.query);
    let turned = api.faults.turned();
    let fault = api.faults.meet(&asked.met());
    if let Some(Fault::Slow(delay)) = fault {
        tokio::time::sleep(delay).await;
    }
    if let Some(refusal) = fault.as_ref().and_then(|fault| faulty::refusal(fault, &asked)) {
        return Ok(refusal);
    }
    let answer = serve(api, &parts.method, &path, &call, Start { fault: fault.clone(), turned }).await;
    Ok(match fault {
        Some(fault) => faulty::spoilt(&fault, &asked, answer.unwrap_or_else(|error| failure(&error))),
        None => answer?,
    })
}

async fn serve(api: &Arc<Api>, method: &Method, path: &str, call: &Call, start: Start) -> Result<Response> {
    if path == "/openapi/v2" {
        // An empty document, which kubectl asks for where it finds no kind in version 3; it leaves the checking to the server then.
        let kind = [(header::CONTENT_TYPE, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf")];
        return Ok((StatusCode::OK, kind, Body::empty()).into_response());
    }
    if let Some(document) = discovery::document(path) {
        return Ok(json(StatusCode::OK, &document));
    }
    if let Some(review) = reviews::answer(&api.store, path, method, call)? {
        return Ok(json(StatusCode::CREATED, &review));
    }
    if let Some(metrics) = metrics::answer(api, path, method, call)? {
        return Ok(json(StatusCode::OK, &metrics));
    }
    let target = path::parse(path).ok_or_else(ApiError::no_such_path)?;
    if let Some(user) = access::User::impersonated(&call.headers) {
        let mut deed = faulty::Asked::of(method, path, &call.query).deed(&target);
        access::check(&api.store, &user, target.kind, &deed)?;
        // An apply that creates an object also needs the right to create it.
        let key = Key::new(target.kind.resource, &*target.namespace, &*deed.name);
        if query::media_type(&call.headers) == "application/apply-patch+yaml" && api.store.write().get(&key).is_none() {
            deed.verb = "create".into();
            access::check(&api.store, &user, target.kind, &deed)?;
        }
    }
    dispatch(api, method, target, call, start).await
}

async fn dispatch(api: &Arc<Api>, method: &Method, target: Target, call: &Call, start: Start) -> Result<Response> {
    let kind = target.kind;
    let key = Key::new(kind.resource, &*target.namespace, target.name.as_deref().unwrap_or_default());
    match (method.as_str(), target.what, target.name.is_some()) {
        ("GET", What::Object, false) if call.query.flag("watch") => watch::stream(api, kind, &target.namespace, None, call, start),
        ("GET", What::Object, true) if call.query.flag("watch") => watch::stream(api, kind, &target.namespace, target.name.as_deref(), call, start),
        ("GET", What::Object, false) => list::list(api, kind, &target.namespace, call),
        ("GET", What::Object | What::Status, true) => {
            let found = api.store.write().get(&key).ok_or_else(|| ApiError::not_found(kind, &key.name))?;
            Ok(shown(StatusCode::OK, kind, &found, call))
        }
        ("POST", What::Object, false) => write::create(api, &target, call).await,
        ("PUT", What::Object | What::Status | What::Finalize, true) => write::update(api, &target, &key, call).await,
        ("PATCH", What::Object | What::Status, true) => write::patch(api, &target, &key, call).await,
        ("DELETE", What::Object, true) => write::delete(api, kind, &key, call).await,
        ("DELETE", What::Object, false) if !kind.namespaced || !target.namespace.is_empty() => write::delete_collection(api, &target, call).await,
        ("GET", What::Log, true) => logs::logs(api, &key, call),
        ("POST", What::Eviction, true) => write::evict(api, kind, &key, call).await,
        ("POST", What::Binding, true) => write::bind(api, kind, &key, call).await,
        (_, What::Scale, true) => scale::answer(api, kind, &key, method, call).await,
        ("GET" | "POST", What::Exec | What::Attach | What::PortForward, true) => streams::answer(api, &key, target.what, call),
        (_, What::Proxy, _) => Err(ApiError::new(501, "NotImplemented", "the simulated cluster has no proxy: forward a port instead")),
        _ => Err(ApiError::method_not_allowed()),
    }
}

/// An object in the form that the client asked for.
fn shown(status: StatusCode, kind: &'static crate::registry::Kind, object: &Object, call: &Call) -> Response {
    let body = match Form::wanted(&call.headers) {
        Form::Table => table::single(kind, object, table::Include::wanted(call.query.get("includeObject"))),
        Form::Metadata => table::metadata_of(object),
        Form::Plain => return json(status, object),
    };
    json(status, &body)
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Table,
    Metadata,
}

impl Form {
    fn wanted(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        for part in accept.split(',') {
            if part.contains("as=Table") && part.contains("v=v1;") | part.ends_with("v=v1") {
                return Self::Table;
            }
            if part.contains("as=PartialObjectMetadata") {
                return Self::Metadata;
            }
            if part.trim().starts_with("application/json") || part.contains("*/*") {
                return Self::Plain;
            }
        }
        Self::Plain
    }
}

/// Only names of this machine: a page elsewhere that resolves its own name to 127.0.0.1 gets nothing.
fn check_host(request: &Request<Body>) -> Result<()> {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(http::uri::Authority::as_str).or(header).unwrap_or_default();
    let name = if host.starts_with('[') {
        host.split(']').next().unwrap_or_default().trim_start_matches('[')
    } else {
        host.split(':').next().unwrap_or_default()
    };
    if ["127.0.0.1", "localhost", "::1"].contains(&name) {
        return Ok(());
    }
    Err(ApiError::new(421, "MisdirectedRequest", format!("the simulated cluster answers on loopback names only, not {host:?}")))
}

fn check_token(api: &Api, headers: &HeaderMap) -> Result<()> {
    let given =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    // Every byte is compared, so that the time says nothing about the token.
    let differs = given.bytes().zip(api.token.bytes()).fold(given.len() ^ api.token.len(), |sum, (a, b)| sum | usize::from(a ^ b));
    if differs == 0 { Ok(()) } else { Err(ApiError::unauthorized()) }
}
