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
use domain::{audit::Via, names};
use http::{HeaderMap, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use services::{Origin, accounts::devices, secret};

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
    let via = if request.uri().path().starts_with(crate::rest::PREFIX) { Via::Api } else { Via::Web };
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

/// A path in the form in which it may be logged: without secrets, with invisible characters encoded, and cut if it is long.
pub fn loggable(path: &str) -> String {
    let cut = path.char_indices().nth(LONGEST_PATH).map(|(end, _)| &path[..end]);
    let decoded = decoded(cut.unwrap_or(path));
    match (secret_begins(&decoded), cut) {
        (Some(at), _) => format!("{}***", names::shown(&decoded[..at])),
        (None, Some(cut)) => format!("{}…", visible(cut)),
        (None, None) => visible(path),
    }
}

/// Invisible characters encoded: a client may send them as they are.
fn visible(path: &str) -> String {
    path.chars().fold(String::with_capacity(path.len()), |mut visible, c| {
        if names::is_invisible(c) {
            visible.extend(utf8_percent_encode(c.encode_utf8(&mut [0; 4]), NON_ALPHANUMERIC));
        } else {
            visible.push(c);
        }
        visible
    })
}

/// Decodes until nothing changes, since an encoded percent sign may hide another one. The path is short.
fn decoded(path: &str) -> String {
    let mut decoded = path.to_owned();
    loop {
        let next = percent_decode_str(&decoded).decode_utf8_lossy().into_owned();
        if next == decoded {
            return decoded;
        }
        decoded = next;
    }
}

/// From where the path must not be logged: after the mark of a secret, or in a link's path even if the mark is mistyped.
fn secret_begins(path: &str) -> Option<usize> {
    let path = path.to_ascii_lowercase();
    let marks = secret::MARKS.iter().filter_map(|mark| path.find(mark).map(|at| at + mark.len()));
    let plain = path.trim_start_matches(['/', '.']);
    let links = [app::routes::JOIN_PREFIX, app::routes::SHARED_PREFIX];
    let links = links.iter().filter_map(|link| plain.strip_prefix(link.trim_start_matches('/'))).map(|rest| path.len() - rest.len());
    marks.chain(links).min()
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
        assert_eq!(loggable("/labs/shared/shr_abc"), "/labs/shared/***");
        assert_eq!(loggable("/labs/shared"), "/labs/shared");
        assert_eq!(loggable("/people"), "/people");
        assert_eq!(loggable("/catalogue/a%20b"), "/catalogue/a%20b", "as it came");
        assert_eq!(loggable("/a\u{202e}b\u{9b}c"), "/a%E2%80%AEb%C2%9Bc", "it neither turns the line around nor commands a terminal");
        assert_eq!(loggable("/api/join/complete"), "/api/join/complete");
    }

    #[test]
    fn no_other_way_of_writing_a_path_brings_a_secret_into_the_log() {
        for (path, logged) in [
            ("//join/{}", "//join/***"),
            ("/./join/{}", "/./join/***"),
            ("/JOIN/{}", "/JOIN/***"),
            ("/%6aoin/{}", "/join/***"),
            ("/join%2f{}", "/join/***"),
            ("/%256aoin%252f{}", "/join/***"),
            ("/join/mistyped", "/join/***"),
            ("/labs/shared/{}", "/labs/shared/***"),
            ("//LABS/%73hared/mistyped", "//LABS/shared/***"),
            ("/labs//shared/shr_SECRET", "/labs//shared/shr_***"),
            ("/x/../join/{}", "/x/../join/lnk_***"),
            ("/people/{}/more", "/people/lnk_***"),
            ("/a%0ab/{}", "/a b/lnk_***"),
        ] {
            assert_eq!(loggable(&path.replace("{}", "lnk_SECRET")), logged, "{path}");
        }
        assert_eq!(loggable("/people/lnk%5fSECRET"), "/people/lnk_***");
        assert_eq!(loggable("/people/LNK_SECRET"), "/people/LNK_***");
        for mark in secret::MARKS {
            assert_eq!(loggable(&format!("/api/v1/orders/{mark}SECRET")), format!("/api/v1/orders/{mark}***"));
        }
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
