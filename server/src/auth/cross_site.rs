//! Forms from other sites change nothing: a request with our cookie that is no mere reading must prove where it comes from.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use domain::Error;
use http::{HeaderMap, header};
use services::Origin;

use crate::{error_page, state::AppState};

pub async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_ours(request.headers(), state.config.server.public_url.as_deref()) {
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
fn is_ours(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-site") {
        Some("same-origin") => true,
        None | Some("none") => {
            let Some(origin) = text(header::ORIGIN.as_str()) else { return false };
            if let Some(url) = public_url {
                return origin.eq_ignore_ascii_case(url);
            }
            // Without a public URL the host that the request was sent to must be the form's.
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(header::HOST.as_str())
        }
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(pairs: &[(&'static str, &'static str)], public_url: Option<&str>) -> bool {
        let headers = pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), (*value).parse().unwrap())).collect();
        is_ours(&headers, public_url)
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
}
