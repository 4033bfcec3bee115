//! Which headers pass the door. To the lab: all but those of one connection, what the client claims of its way, our cookies and Lectern's
//! own tokens; `Host` stays as it is, since applications compare it with `Origin`. From the lab: all but what would reach beyond its site.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{cookie, own_tokens};

/// Headers of one connection, whatever `Connection` says.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Headers of an answer that bind more than is the lab's. `Clear-Site-Data: "cookies"` signs out of every site of the domain, the portal's
/// among them; `Strict-Transport-Security` and `Alt-Svc` say how the host is reached, which is not the lab's to say. By
/// `Service-Worker-Allowed` a worker would stand before the door's own paths: see [`crate::guard::is_worker_of_site`].
const BEYOND: [&str; 4] = ["alt-svc", "clear-site-data", "service-worker-allowed", "strict-transport-security"];

/// Facts about the client that the lab gets.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    pub address: Option<IpAddr>,
    pub https: bool,
    pub host: &'a HeaderValue,
}

/// Makes a request's headers fit for the lab. `upgrade`: the protocol that the connection is to change to.
pub fn for_lab(headers: &mut HeaderMap, client: Client<'_>, upgrade: Option<&HeaderValue>) {
    strip_connection(headers);
    // The door asks for the body itself.
    headers.remove(header::EXPECT);
    strip_claims(headers);
    own_tokens::strip_headers(headers);
    cookie::strip_request(headers);
    headers.insert(header::HOST, client.host.clone());
    if let Some(address) = client.address.and_then(|address| HeaderValue::from_str(&address.to_canonical().to_string()).ok()) {
        headers.insert("x-forwarded-for", address.clone());
        headers.insert("x-real-ip", address);
    }
    headers.insert("x-forwarded-host", client.host.clone());
    headers.insert("x-forwarded-proto", HeaderValue::from_static(if client.https { "https" } else { "http" }));
    if let Some(protocol) = upgrade {
        switch(headers, protocol.clone());
    }
}

/// Makes an answer's headers fit for the browser.
pub fn for_browser(headers: &mut HeaderMap) {
    // The body was read by its chunks, so a length beside them is another one's.
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
    }
    strip_connection(headers);
    for name in BEYOND {
        headers.remove(name);
    }
    cookie::strip_answer(headers);
}

/// Says that the connection changes its protocol.
pub fn switch(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
}

/// Bytes of headers, about as they are sent.
pub fn size(headers: &HeaderMap) -> u64 {
    headers.iter().map(|(name, value)| (name.as_str().len() + value.len() + 4) as u64).sum()
}

/// Elements of a header that is a list.
pub fn list(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let texts = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(|element| element.trim().to_ascii_lowercase()).filter(|element| !element.is_empty()).collect()
}

fn strip_connection(headers: &mut HeaderMap) {
    for named in list(headers, &header::CONNECTION) {
        // A request without its host or length would be another request.
        if !matches!(named.as_str(), "host" | "content-length") {
            headers.remove(named.as_str());
        }
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

fn strip_claims(headers: &mut HeaderMap) {
    let claims: Vec<HeaderName> = headers.keys().filter(|name| is_claim(name.as_str())).cloned().collect();
    for name in claims {
        headers.remove(name);
    }
}

fn is_claim(name: &str) -> bool {
    is_same_name(name, "forwarded") || is_same_name(name, "x-real-ip") || begins(name, "x-forwarded-")
}

/// Whether a server may take the one name for the other: some read `X_Real_IP` as `X-Real-IP`.
pub fn is_same_name(name: &str, known: &str) -> bool {
    name.len() == known.len() && begins(name, known)
}

fn begins(name: &str, known: &str) -> bool {
    let is_same = |(one, other): (u8, u8)| one == other || (one, other) == (b'_', b'-');
    name.len() >= known.len() && name.bytes().zip(known.bytes()).all(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect()
    }

    fn sent(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = headers(pairs);
        let host = HeaderValue::from_static("lab-7.localhost:3001");
        for_lab(&mut headers, Client { address: "::ffff:10.0.0.7".parse().ok(), https: false, host: &host }, None);
        headers
    }

    #[test]
    fn what_the_client_claims_of_its_way_is_replaced_and_the_host_stays() {
        let sent = sent(&[
            ("host", "lab-7.localhost:3001"),
            ("origin", "http://lab-7.localhost:3001"),
            ("forwarded", "for=1.1.1.1"),
            ("x-forwarded-for", "1.1.1.1"),
            ("x_forwarded_for", "1.1.1.1"),
            ("x-forwarded_host", "a"),
            ("x_real-ip", "1.1.1.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-user", "root"),
            ("x-real-ip", "1.1.1.1"),
            ("accept", "*/*"),
            ("x-real-ips", "own"),
            ("x-forward", "own"),
        ]);
        let expected = headers(&[
            ("host", "lab-7.localhost:3001"),
            ("origin", "http://lab-7.localhost:3001"),
            ("accept", "*/*"),
            ("x-real-ips", "own"),
            ("x-forward", "own"),
            ("x-forwarded-for", "10.0.0.7"),
            ("x-real-ip", "10.0.0.7"),
            ("x-forwarded-host", "lab-7.localhost:3001"),
            ("x-forwarded-proto", "http"),
        ]);
        assert_eq!(sent, expected);
    }

    #[test]
    fn headers_of_one_connection_stay_on_it() {
        let hop = [
            ("connection", "keep-alive, X-Secret, host, content-length"),
            ("x-secret", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("http2-settings", "AA"),
            ("proxy-authorization", "Basic eDp5"),
            ("expect", "100-continue"),
            ("content-length", "3"),
        ];
        let sent = sent(&hop);
        for (name, _) in &hop[..9] {
            assert!(!sent.contains_key(*name), "{name}");
        }
        assert_eq!(sent["content-length"], "3");
        assert_eq!(sent["host"], "lab-7.localhost:3001");
        let mut answered = headers(&[
            ("connection", "close, x-hop"),
            ("x-hop", "1"),
            ("content-type", "text/html"),
            ("transfer-encoding", "chunked"),
            ("content-length", "4"),
        ]);
        for_browser(&mut answered);
        assert_eq!(answered, headers(&[("content-type", "text/html")]));
    }

    #[test]
    fn an_upgrade_is_asked_for_anew() {
        let mut headers = headers(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "k")]);
        let protocol = HeaderValue::from_static("websocket");
        for_lab(&mut headers, Client { address: None, https: true, host: &HeaderValue::from_static("a.b") }, Some(&protocol));
        assert_eq!(headers["connection"], "upgrade");
        assert_eq!(headers["upgrade"], "websocket");
        assert_eq!(headers["sec-websocket-key"], "k");
        assert_eq!(headers["x-forwarded-proto"], "https");
        assert!(!headers.contains_key("x-forwarded-for"));
    }

    #[test]
    fn an_answer_binds_no_more_than_its_own_site() {
        let mut answered = headers(&[
            ("strict-transport-security", "max-age=1; includeSubDomains"),
            ("alt-svc", "h3=\":443\""),
            ("clear-site-data", "\"cookies\""),
            ("content-security-policy", "frame-ancestors 'self'"),
            ("service-worker-allowed", "/"),
            ("set-cookie", "lectern-lab=x"),
            ("set-cookie", "a=1"),
        ]);
        for_browser(&mut answered);
        let kept = [("content-security-policy", "frame-ancestors 'self'"), ("set-cookie", "a=1")];
        assert_eq!(answered, headers(&kept));
    }
}
