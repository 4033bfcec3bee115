//! `/.lectern/tcp/{port}`: a TCP connection to a port of the lab, for `lectern ssh`. The request asks to change to the protocol `lectern-tcp`
//! and carries an access token of the portal; cookies count for nothing here, so that no page can make such a connection.

use axum::{body::Body, response::Response};
use domain::{Error, labs::host::SSH, visits::real_use::Talk};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use hyper::upgrade::OnUpgrade;

use crate::{
    Asked, Inner, headers,
    proxy::{self, Broken, Line},
    upgrade,
    words::Matter,
};

pub const PATH: &str = "/.lectern/tcp/";

/// The name that the connection changes to.
const PROTOCOL: &str = "lectern-tcp";

pub async fn answer(door: &Inner, asked: &Asked, mut parts: Parts) -> Response {
    if parts.method != Method::GET {
        return door.about(asked.reader, Matter::Method);
    }
    if is_of_page(&parts.headers) {
        return door.about(asked.reader, Matter::CrossSite);
    }
    let Some(port) = port(parts.uri.path()) else { return door.about(asked.reader, Matter::NotFound) };
    if upgrade::wanted(&parts).is_none_or(|protocol| !protocol.as_bytes().eq_ignore_ascii_case(PROTOCOL.as_bytes())) {
        return door.about(asked.reader, Matter::Malformed);
    }
    let Some(near) = parts.extensions.remove::<OnUpgrade>() else { return door.about(asked.reader, Matter::Malformed) };
    let Some(token) = bearer(&parts.headers) else { return without_token(door, asked) };
    let address = asked.address.map(|address| address.to_canonical().to_string());
    let pass = match door.passes.enter_by_token(&asked.site.label, token, address.as_deref()).await {
        Ok(pass) => pass,
        Err(Error::Unauthenticated) => return without_token(door, asked),
        Err(error) => return door.about(asked.reader, matter(&error)),
    };
    // Before the pod: the token of a pod that was replaced meanwhile is cancelled.
    let gone = pass.pod_gone();
    let Some((pod, own)) = pass.target() else { return door.not_ready(asked.reader, &pass).await };
    if port != own && !SSH.contains(&port) {
        return door.about(asked.reader, Matter::WrongPort);
    }
    let Some(place) = door.limits.take(pass.lab(), pass.person()) else { return door.about(asked.reader, Matter::TooMany) };
    // The bytes pass as they are, so no header can be added.
    let line = Line { pass: door.counts.counting(pass), pod, port, secret: None, gone, place };
    let far = match line.until_over(door.upstream.dial(&line.pod, port)).await {
        Ok(far) => far,
        Err(Broken::PassEnded) => return without_token(door, asked),
        Err(broken) => return proxy::broken_off(door, asked, &line, &broken).await,
    };
    let both = async move { near.await.ok().map(|near| (near, far)) };
    tokio::spawn(upgrade::tunnel(both, line, Talk::Bytes, door.counts.open_socket(), door.stopping.clone()));
    let mut switching = Response::new(Body::empty());
    *switching.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    headers::switch(switching.headers_mut(), HeaderValue::from_static(PROTOCOL));
    switching
}

/// Browsers say where a request comes from; programs do not.
fn is_of_page(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") || headers.contains_key("sec-fetch-mode")
}

fn port(path: &str) -> Option<u16> {
    let text = path.strip_prefix(PATH)?;
    let good = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| good && *port != 0)
}

/// The token of the only `Authorization`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (scheme, token) = values.next().filter(|_| values.next().is_none())?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn without_token(door: &Inner, asked: &Asked) -> Response {
    let mut response = door.about(asked.reader, Matter::NoToken);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

const fn matter(error: &Error) -> Matter {
    match error {
        Error::NotFound | Error::InvalidTransition { .. } => Matter::NotFound,
        Error::ScopeMissing { .. } => Matter::NoScope,
        Error::Forbidden => Matter::NotAllowed,
        _ => Matter::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_number_and_nothing_else() {
        assert_eq!((port("/.lectern/tcp/22"), port("/.lectern/tcp/65535")), (Some(22), Some(65_535)));
        for bad in ["", "0", "+22", "22/", "22/x", "65536", "-1", " 22", "ssh"] {
            assert_eq!(port(&format!("{PATH}{bad}")), None, "{bad}");
        }
    }

    #[test]
    fn a_missing_scope_is_told_from_a_missing_right() {
        assert_eq!(matter(&Error::ScopeMissing { scope: "labs:write".into() }), Matter::NoScope);
        assert_eq!(matter(&Error::Forbidden), Matter::NotAllowed);
    }

    #[test]
    fn a_request_has_one_bearer_token_or_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(bearer(&headers), None);
        headers.append("authorization", HeaderValue::from_static("bearer lct_a"));
        assert_eq!(bearer(&headers), Some("lct_a"));
        headers.append("authorization", HeaderValue::from_static("Bearer lct_b"));
        assert_eq!(bearer(&headers), None);
        headers.insert("authorization", HeaderValue::from_static("Basic bGN0"));
        assert_eq!(bearer(&headers), None);
    }
}
