//! Forms from other sites change nothing: a request with our cookie that is no mere reading must prove where it comes from.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use domain::Error;
use http::{HeaderMap, header};
use services::Origin;

use crate::{
    error_page,
    hosts::{self, Hosts},
    state::AppState,
};

pub async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_ours(request.headers(), state.config.server.public_url.as_deref(), &state.hosts) {
        return next.run(request).await;
    }
    // The request itself cannot be held over a wait, since its body cannot.
    let (parts, _) = request.into_parts();
    tracing::warn!(http.path = %crate::request::loggable(parts.uri.path()), "a form of another site was refused");
    if let Some(origin) = parts.extensions.get::<Origin>() {
        services::audit::unauthenticated(&state.services, origin, "session.cross_site", None, Error::CrossSite.code());
    }
    error_page::answer(&parts.headers, &Error::CrossSite)
}

/// The browser's word that the page is ours; or, where it gives none, an `Origin` that is ours.
pub fn is_ours(headers: &HeaderMap, public_url: Option<&str>, hosts: &Hosts) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-site") {
        Some("same-origin") => true,
        None | Some("none") => {
            text(header::ORIGIN.as_str()).is_some_and(|origin| is_our_origin(origin, text(header::HOST.as_str()), public_url, hosts))
        }
        Some(_) => false,
    }
}

/// The public URL, or the host that the request was sent to where it is one of ours: over http browsers say nothing but the origin, and
/// people may use several hosts.
fn is_our_origin(origin: &str, host: Option<&str>, public_url: Option<&str>, hosts: &Hosts) -> bool {
    if public_url.is_some_and(|url| origin.eq_ignore_ascii_case(url)) {
        return true;
    }
    let (Some((scheme, of_origin)), Some(host)) = (origin.split_once("://"), host) else { return false };
    let has_https = || public_url.and_then(|url| url.strip_prefix("https://")).is_some_and(|url| hosts::name(url) == hosts::name(host));
    let is_safe = match scheme {
        "https" => true,
        // A page over http of a host that has https may come from anybody on the way.
        "http" => !has_https(),
        _ => false,
    };
    is_safe && of_origin.eq_ignore_ascii_case(host) && hosts.allows(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Server;

    fn ours(pairs: &[(&'static str, &'static str)], public_url: Option<&str>) -> bool {
        let headers = pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), (*value).parse().unwrap())).collect();
        let server = Server { public_url: public_url.map(ToOwned::to_owned), hosts: vec!["gpu.example.edu".to_owned()], ..Server::default() };
        is_ours(&headers, public_url, &Hosts::of(&server))
    }

    #[test]
    fn the_browsers_word_decides() {
        assert!(ours(&[("sec-fetch-site", "same-origin")], None));
        for other in ["same-site", "cross-site"] {
            let origin = ("origin", "http://127.0.0.1:3000");
            assert!(!ours(&[("sec-fetch-site", other), origin, ("host", "127.0.0.1:3000")], None), "{other}");
        }
    }

    #[test]
    fn without_it_the_origin_must_be_ours() {
        let host = ("host", "127.0.0.1:3000");
        assert!(ours(&[("origin", "http://127.0.0.1:3000"), host], None));
        assert!(ours(&[("sec-fetch-site", "none"), ("origin", "http://127.0.0.1:3000"), host], None));
        assert!(!ours(&[("origin", "http://evil.example"), host], None));
        assert!(!ours(&[("origin", "null"), host], None));
        assert!(!ours(&[host], None));
        assert!(!ours(&[], None));
        assert!(ours(&[("origin", "https://lectern.example.edu")], Some("https://lectern.example.edu")));
        assert!(!ours(&[("origin", "http://lectern.example.edu")], Some("https://lectern.example.edu")));
    }

    #[test]
    fn over_http_each_of_our_hosts_may_send_to_itself() {
        let public = Some("https://lectern.example.edu");
        for (origin, host, public_url, is_ours) in [
            ("http://gpu.example.edu:3000", "gpu.example.edu:3000", public, true),
            ("http://localhost:8080", "localhost:8080", public, true),
            ("https://gpu.example.edu", "gpu.example.edu", public, true),
            ("http://gpu.example.edu", "gpu.example.edu", None, true),
            ("http://lectern.example.edu:3000", "lectern.example.edu:3000", Some("http://lectern.example.edu"), true),
            // One of ours to another of ours, and hosts of others.
            ("http://gpu.example.edu", "lectern.example.edu", public, false),
            ("http://gpu.example.edu:3000", "gpu.example.edu:3001", public, false),
            ("http://evil.example", "evil.example", public, false),
            ("http://evil.example", "gpu.example.edu", public, false),
            ("file://gpu.example.edu", "gpu.example.edu", public, false),
            // The public host has https: whoever is on the way can answer for it over http.
            ("http://lectern.example.edu", "lectern.example.edu", public, false),
            ("http://LECTERN.example.edu", "LECTERN.example.edu", public, false),
        ] {
            assert_eq!(ours(&[("origin", origin), ("host", host)], public_url), is_ours, "{origin} to {host}");
        }
    }
}
