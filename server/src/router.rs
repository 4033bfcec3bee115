//! Everything that the server answers, and the layers around it. The pages' half has sessions; the API has tokens; files, health and
//! metrics have neither.

use std::{sync::LazyLock, time::Duration};

use app::{App, shell};
use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use domain::Error;
use http::{Extensions, HeaderMap, StatusCode, Version, header};
use leptos::prelude::provide_context;
use leptos_axum::{AxumRouteListing, LeptosRoutes as _, generate_route_list};
use listener::BodyPace;
use services::Origin;
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, Predicate,
        predicate::{NotForContentType, SizeAbove},
    },
    limit::RequestBodyLimitLayer,
    timeout::TimeoutLayer,
};

use crate::{
    audit_export, auth, bodies, error_page, events, export, forms, headers, health, hosts, imports, lab_logs, methods, metrics, nul, oidc, open,
    preferences, refusals, request,
    rest::{self, problem::Problem},
    shared, sign_out,
    site::Site,
    slashes,
    state::AppState,
    terminal,
};

/// The whole server, ready to be served.
pub fn router(state: AppState) -> Router {
    let server = &state.config.server;
    let counted = Router::new().merge(pages(&state)).merge(rest::routes()).layer(from_fn_with_state(state.clone(), bodies::bound));
    let mut router = limited(counted, Duration::from_secs(server.timeout_seconds), server.max_body_bytes)
        .layer(compression())
        .layer(from_fn_with_state(state.clone(), refusals::record))
        .merge(Site::of(&state.config).routes())
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz));
    if state.config.metrics.listen.is_none() {
        router = router.route("/metrics", get(metrics::show));
    }
    surrounded(router, state)
}

/// The router of a separate metrics port.
pub fn metrics_router(state: AppState) -> Router {
    surrounded(Router::new().route("/metrics", get(metrics::show)), state)
}

/// Adds the layers that every answer of every port passes.
fn surrounded(router: Router<AppState>, state: AppState) -> Router {
    router
        .layer(from_fn_with_state(state.clone(), hosts::guard))
        .layer(from_fn(methods::guard))
        .layer(from_fn_with_state(state.clone(), headers::secure))
        .layer(from_fn_with_state(state.clone(), request::observe))
        .with_state(state)
}

/// What is made anew for each request leaves compressed, at a level that costs little. News goes out
/// as it is, since each must arrive at once, and so does what is compressed already. (Answers that hold a secret repeat nothing that
/// another site could choose, and other sites cannot have them sent with our cookie: their lengths tell nothing.)
fn compression() -> CompressionLayer<impl Predicate> {
    let worth_it = SizeAbove::new(1_024)
        .and(NotForContentType::SSE)
        .and(NotForContentType::IMAGES)
        .and(NotForContentType::const_new("application/zip"))
        .and(NotForContentType::const_new("application/vnd.openxmlformats"))
        .and(|_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| !headers.contains_key(lab_logs::UNBUFFERED));
    CompressionLayer::new().quality(CompressionLevel::Precise(4)).compress_when(worth_it)
}

/// What no handler may do: panic, take for ever, swallow a huge body.
fn limited<S: Clone + Send + Sync + 'static>(router: Router<S>, timeout: Duration, max_body_bytes: usize) -> Router<S> {
    router
        .layer(from_fn(nul::refuse))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, timeout))
        .layer(RequestBodyLimitLayer::new(max_body_bytes))
        .layer(from_fn(readable_failures))
}

/// The pages' routes. Found once in a process: while Leptos looks for them, no resource of any page being drawn loads.
pub fn page_routes() -> &'static [AxumRouteListing] {
    static ROUTES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(App));
    &ROUTES
}

/// Pages, their server functions, and what forms and open pages need: all behind the session.
fn pages(state: &AppState) -> Router<AppState> {
    let (services, options) = (state.services.clone(), state.options.clone());
    let context = move || {
        provide_context(services.clone());
        provide_context(app::api_docs::api::Document(rest::openapi::whole()));
    };
    let document = move || shell(options.clone());
    Router::new()
        .leptos_routes_with_context(state, page_routes().to_vec(), context, document)
        .route("/events", get(events::stream))
        .route(app::routes::AUDIT_EXPORT, get(audit_export::download))
        .route(app::routes::BILLING_EXPORT, get(export::download))
        .route(&app::routes::lab_open("{id}"), get(open::ask).post(open::open))
        .route(&app::routes::lab_log("{id}"), get(lab_logs::show))
        .route(&app::routes::lab_terminal_socket("{id}"), get(terminal::socket))
        .route(&app::routes::shared_lab("{secret}"), get(shared::ask).post(shared::open))
        .route(app::preferences::PATH, post(preferences::save))
        .route(app::routes::SIGN_IN_OIDC, get(oidc::start))
        .route(app::routes::SIGN_IN_OIDC_CALLBACK, get(oidc::callback))
        .route(app::routes::SIGN_OUT, post(sign_out::sign_out))
        .route(app::routes::IMPORTS_UPLOAD, post(imports::upload))
        .route("/imports/sample/{name}", get(imports::sample))
        .route("/imports/{id}/result.csv", get(imports::result))
        .route("/imports/{id}/links.csv", post(imports::links))
        .fallback(not_found)
        // The last layer comes first: a form is read after its origin and its session were looked at.
        .layer(from_fn(forms::read))
        .layer(from_fn_with_state(state.clone(), auth::layer::authenticate))
        .layer(auth::sessions(state))
        .layer(from_fn_with_state(state.clone(), auth::late::keep_cookie))
        .layer(from_fn_with_state(state.clone(), auth::cross_site::guard))
}

/// The app's own page for what is not there; for scripts the error as they read it.
async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    if !error_page::wants_page(request.headers()) {
        return error_page::answer(request.headers(), &Error::NotFound);
    }
    if let Some(page) = slashes::without(request.method(), request.uri()) {
        return Redirect::permanent(&page).into_response();
    }
    let (services, options) = (state.services.clone(), state.options.clone());
    let render = leptos_axum::render_app_async_with_context(move || provide_context(services.clone()), move || shell(options.clone()));
    let mut response = render(request).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

/// A handler panicked; the error is for whoever asked, the rest is in the log.
#[derive(Clone)]
struct Panicked(Error);

#[expect(clippy::needless_pass_by_value, reason = "the layer gives it away")]
fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    let error = services::error::internal(&std::io::Error::other(format!("a handler panicked: {}", text.unwrap_or("without a text"))));
    let mut response = Response::default();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.extensions_mut().insert(Panicked(error));
    response
}

/// Panics, time-outs, bodies over the limit and what axum's own readers refuse (a path that is no UTF-8, a form that is none) come from
/// layers that know nothing of people who read: this words them.
async fn readable_failures(request: Request, next: Next) -> Response {
    let headers = error_page::wording(request.headers());
    let request_id = request.extensions().get::<Origin>().and_then(|origin| origin.request_id.clone());
    let path = request.uri().path().to_owned();
    let pace = request.extensions().get::<BodyPace>().cloned().unwrap_or_default();
    let mut response = next.run(request).await;
    let written = response.headers().get(header::CONTENT_TYPE).map(|value| value.as_bytes().to_vec());
    // Our own answers say what they are: a page, JSON, a problem document.
    let is_worded = written.as_deref().is_some_and(|media| !media.starts_with(b"text/plain"));
    let problem = if pace.is_too_slow() {
        // The handler only saw a body that cannot be read.
        Problem::TooSlow
    } else if let Some(Panicked(error)) = response.extensions_mut().remove() {
        Problem::Refused(error)
    } else if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        problem
    } else if is_worded {
        return response;
    } else {
        match response.status() {
            // The session could not be stored (tower-sessions reports no details): the database is full, read-only or unavailable.
            StatusCode::INTERNAL_SERVER_ERROR if written.is_none() => Problem::Refused(Error::Unavailable { retry_after_seconds: 5 }),
            StatusCode::SERVICE_UNAVAILABLE => Problem::Refused(Error::Unavailable { retry_after_seconds: 5 }),
            StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
            StatusCode::METHOD_NOT_ALLOWED => Problem::MethodNotAllowed,
            StatusCode::NOT_FOUND => Problem::Refused(Error::NotFound),
            status if status.is_client_error() => {
                Problem::Refused(Error::Malformed { reason: "the address, a header or the body cannot be read".into() })
            }
            _ => return response,
        }
    };
    let mut answer = error_page::refusal(&problem, &path, &headers, request_id.as_deref());
    if let Some(methods) = response.headers_mut().remove(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, methods);
    }
    answer
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use tower::ServiceExt as _;

    use super::*;

    async fn answer(path: &str, accept: &str) -> (u16, String, String) {
        async fn falls_over() {
            panic!("on purpose");
        }
        let router = Router::new()
            .route("/panics", get(falls_over))
            .route("/api/v1/panics", get(falls_over))
            .route("/hangs", get(std::future::pending::<()>))
            .route("/api/v1/hangs", get(std::future::pending::<()>));
        let request = Request::builder().uri(path).header("accept", accept).header("accept-language", "en").body(Body::empty()).unwrap();
        let response = limited(router, Duration::from_millis(20), 1_000).oneshot(request).await.unwrap();
        let media = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 100_000).await.unwrap();
        (status, media, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_panic_is_a_page_or_a_problem_and_says_nothing_of_the_inside() {
        let (status, media, body) = answer("/panics", "text/html").await;
        assert_eq!((status, media.as_str()), (500, "text/html; charset=utf-8"));
        assert!(body.contains("<html lang=\"en\"") && !body.contains("on purpose"), "{body}");
        let (status, media, body) = answer("/api/v1/panics", "*/*").await;
        assert_eq!((status, media.as_str()), (500, "application/problem+json"));
        assert!(body.contains("\"code\":\"internal\"") && !body.contains("on purpose"), "{body}");
        let (status, media, body) = answer("/panics", "application/json").await;
        assert_eq!((status, media.as_str()), (500, "application/json"));
        assert!(body.starts_with("{\"internal\""), "{body}");
    }

    #[tokio::test]
    async fn what_hangs_is_given_up_with_a_word_when_to_come_back() {
        let (status, _, body) = answer("/hangs", "text/html").await;
        assert_eq!(status, 503);
        assert!(body.contains("<html lang=\"en\""), "{body}");
        let (status, media, body) = answer("/api/v1/hangs", "*/*").await;
        assert_eq!((status, media.as_str()), (503, "application/problem+json"));
        assert!(body.contains("\"retry_after_seconds\":5"), "{body}");
    }
}
