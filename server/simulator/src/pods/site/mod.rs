//! The HTTP server on a port of a simulated pod. It says that it is a simulation, and has a path for each thing that a proxy in front of it
//! must carry. Another path: a route here, a line in `page`.

mod answers;
mod page;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, header},
    response::{Html, IntoResponse, Response},
    routing::{any, get},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::io::DuplexStream;

use super::Place;

/// Where this server is.
#[derive(Debug)]
struct Site {
    place: Place,
    container: String,
    port: u16,
}

/// Serves one connection until either side closes it or the container ends.
pub async fn serve(pipe: DuplexStream, place: Place, container: String, port: u16) {
    let site = Arc::new(Site { place, container, port });
    let service = TowerToHyperService::new(router(Arc::clone(&site)));
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(pipe), service).with_upgrades();
    tokio::select! {
        // The other side went away, or does not speak HTTP.
        _ = connection => {}
        () = site.place.ended(&site.container) => {}
        () = site.place.cut() => {}
    }
}

fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/echo", any(answers::echo))
        .route("/ws", get(answers::web_socket_echo))
        .route("/events", get(answers::events))
        .route("/download", get(answers::download))
        .route("/upload", any(answers::upload))
        .route("/slow", any(answers::slow))
        .route("/close", any(answers::close))
        .route("/idle", any(answers::idle))
        .fallback(front)
        .with_state(site)
}

/// The page, in the language that the browser asks for first; for all other paths too, as applications of one page do.
async fn front(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let language = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_chinese = language.trim_start().to_ascii_lowercase().starts_with("zh");
    let pod = site.place.pod().unwrap_or_default();
    Html(page::page(&pod, &site.container, site.port, is_chinese)).into_response()
}
