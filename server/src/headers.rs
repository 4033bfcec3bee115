//! Headers that every answer carries. Pages bring a content security policy of their own, with a nonce; the rest gets the strictest. A page
//! that must tell another site where it is brings its own referrer policy.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::state::AppState;

const STRICT_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

pub async fn secure(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let https = state.config.is_https();
    let mut response = next.run(request).await;
    add(response.headers_mut(), https);
    response
}

fn add(headers: &mut HeaderMap, https: bool) {
    let fixed: [(HeaderName, &'static str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // The page that posts a ticket to a lab's site says its origin there; all others say nothing to other sites.
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(STRICT_POLICY));
    // Pages and data are somebody's own: nothing keeps them but the browser that asked.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_its_own_policies_and_https_is_remembered_only_with_https() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'self'"));
        add(&mut headers, false);
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], "default-src 'self'");
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        assert_eq!(headers[header::REFERRER_POLICY], "same-origin");
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
        add(&mut headers, false);
        assert_eq!(headers[header::REFERRER_POLICY], "strict-origin");
        let mut headers = HeaderMap::new();
        add(&mut headers, true);
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], STRICT_POLICY);
        assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
}
