//! What is known of every request before anything else looks at it: its id, the client's address, how long it took. One line in
//! the log and one count in the metrics for each; never a query string, which may hold secrets.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Once,
    time::Instant,
};

use app::preferences::cookie_value;
use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use domain::audit::Via;
use http::{HeaderMap, HeaderValue};
use services::{Origin, accounts::devices};

use crate::{methods, state::AppState};

pub const REQUEST_ID: &str = "x-request-id";
const FORWARDED: &str = "x-forwarded-for";

/// Gives the request its id and its [`Origin`], and notes how it ended.
pub async fn observe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    // Ours, not the client's: nobody else writes into the audit record.
    let id = state.services.entropy.uuid().simple().to_string();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let address = client_address(request.headers(), peer, state.config.server.behind_proxy);
    if comes_through_unknown_proxy(request.headers(), state.config.server.behind_proxy) {
        warn_of_proxy();
    }
    let path = loggable(request.uri().path());
    let via = if path.starts_with(crate::rest::PREFIX) { Via::Api } else { Via::Web };
    let device = cookie(request.headers(), devices::cookie_name(state.config.is_https())).and_then(devices::digest);
    request.extensions_mut().insert(Origin { via, address: address.map(|ip| ip.to_string()), request_id: Some(id.clone()), device });
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let method = methods::label(request.method());

    let mut response = next.run(request).await;

    let status = response.status();
    let took = started.elapsed();
    state.metrics.request(method, &route, status, took);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let milliseconds = took.as_millis();
    if status.is_server_error() {
        tracing::warn!(http.method = method, http.path = %path, http.status = status.as_u16(), milliseconds, request.id = %id, "answered with a failure");
    } else if path.starts_with("/pkg/") || matches!(path.as_str(), "/healthz" | "/readyz" | "/metrics") {
        tracing::debug!(http.method = method, http.path = %path, http.status = status.as_u16(), milliseconds, request.id = %id, "answered");
    } else {
        tracing::info!(http.method = method, http.path = %path, http.status = status.as_u16(), milliseconds, request.id = %id, "answered");
    }
    response
}

/// Most characters of a path that are logged.
const LONGEST_PATH: usize = 200;

/// A path in the form in which it may be logged: without the secret of a one-time link, and cut if it is long.
pub fn loggable(path: &str) -> String {
    if path.starts_with(app::routes::JOIN_PREFIX) {
        return format!("{}***", app::routes::JOIN_PREFIX);
    }
    match path.char_indices().nth(LONGEST_PATH) {
        Some((end, _)) => format!("{}…", &path[..end]),
        None => path.to_owned(),
    }
}

/// The value of this cookie in all of the headers.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get_all(http::header::COOKIE).iter().find_map(|value| cookie_value(value.to_str().ok()?, name))
}

/// Whether a proxy says for whom it asks, and nobody has set that there is one.
fn comes_through_unknown_proxy(headers: &HeaderMap, behind_proxy: bool) -> bool {
    !behind_proxy && headers.contains_key(FORWARDED)
}

/// Once for the life of the process: clients may send the header too.
fn warn_of_proxy() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            "a request came with X-Forwarded-For and server.behind_proxy is false: behind a proxy everybody has its address, \
             for the limits on signing in and in the audit record. Set server.behind_proxy = true if the proxy is yours"
        );
    });
}

/// The peer, or behind a proxy what that proxy (the last in the chain) says it saw; what clients claim before it is not believed.
fn client_address(headers: &HeaderMap, peer: Option<IpAddr>, behind_proxy: bool) -> Option<IpAddr> {
    if !behind_proxy {
        return peer;
    }
    let last = headers.get_all(FORWARDED).iter().next_back().and_then(|value| value.to_str().ok());
    last.and_then(|list| list.rsplit(',').next()).and_then(|text| text.trim().parse().ok()).or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_a_link_is_not_logged() {
        assert_eq!(loggable("/join/lnk_abc"), "/join/***");
        assert_eq!(loggable("/people"), "/people");
    }

    #[test]
    fn a_long_path_is_cut_in_the_log() {
        let logged = loggable(&format!("/{}", "é".repeat(40_000)));
        assert_eq!(logged.chars().count(), LONGEST_PATH + 1);
        assert!(logged.ends_with('…'));
        let whole = format!("/{}", "a".repeat(LONGEST_PATH - 1));
        assert_eq!(loggable(&whole), whole);
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append("cookie", HeaderValue::from_static("lectern=1; xlectern-device=2;lectern-device=3"));
        headers.append("cookie", HeaderValue::from_static("other"));
        assert_eq!((cookie(&headers, "lectern-device"), cookie(&headers, "other")), (Some("3"), None));
    }

    #[test]
    fn a_forwarded_address_counts_only_behind_a_proxy_and_only_the_last() {
        let peer: IpAddr = "127.0.0.1".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", HeaderValue::from_static("1.1.1.1, 10.0.0.7"));
        assert_eq!(client_address(&headers, Some(peer), false), Some(peer));
        assert_eq!(client_address(&headers, Some(peer), true), "10.0.0.7".parse().ok());
        assert!(comes_through_unknown_proxy(&headers, false) && !comes_through_unknown_proxy(&headers, true));
        assert!(!comes_through_unknown_proxy(&HeaderMap::new(), false));
        headers.insert("x-forwarded-for", HeaderValue::from_static("somebody"));
        assert_eq!(client_address(&headers, Some(peer), true), Some(peer));
    }
}
