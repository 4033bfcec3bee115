//! The host names that Lectern answers to. A page of another site can point its own host name to this server (DNS rebinding) and would then
//! read everything that needs no session; and links that people pass on are made from the request's host name. Allowed are the names in the
//! public URL, the listener's own address, `server.hosts`, and loopback, which is always this machine. Probes and scrapers use addresses,
//! so `/healthz`, `/readyz` and `/metrics` answer to any name.

use std::{collections::BTreeSet, net::IpAddr};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, Uri, header, uri::Authority};
use services::Origin;

use crate::{config::Server, error_page, rest::problem::Problem, state::AppState};

/// Paths that probes and scrapers request by address.
const ANY_HOST: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

#[derive(Debug, Clone)]
pub struct Hosts(BTreeSet<String>);

impl Hosts {
    pub fn of(server: &Server) -> Self {
        let public = server.public_url.as_deref().and_then(|url| url.split_once("://")).map(|(_, host)| host);
        let listens = (!server.listen.ip().is_unspecified()).then(|| bracketed(server.listen.ip()));
        let named = public.into_iter().chain(server.hosts.iter().map(String::as_str)).chain(listens.as_deref()).chain(["localhost"]);
        Self(named.filter_map(name).collect())
    }

    /// Whether a `Host` (with or without a port) is allowed. The port may be any: a proxy or a tunnel may use another.
    pub fn allows(&self, host: &str) -> bool {
        name(host).is_some_and(|name| self.0.contains(&name) || is_loopback(&name))
    }

    /// Checks the host of the request: the one `Host` header, and also the target if it is a full URL.
    fn allows_request(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let mut named = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (named.next(), named.next()) else { return false };
        let of_target = uri.authority().is_none_or(|authority| self.allows(authority.as_str()));
        of_target && host.to_str().is_ok_and(|host| self.allows(host))
    }
}

pub async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if ANY_HOST.contains(&request.uri().path()) || state.hosts.allows_request(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    let request_id = request.extensions().get::<Origin>().and_then(|origin| origin.request_id.as_deref());
    error_page::refusal(&Problem::WrongHost, request.uri().path(), request.headers(), request_id)
}

/// The host's name in the form in which names are compared; `None` if it is not a valid host.
pub fn name(host: &str) -> Option<String> {
    let authority: Authority = host.parse().ok().filter(|_| !host.contains('@'))?;
    let after = authority.as_str().strip_prefix(authority.host())?;
    let is_whole = after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
    let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
    (is_whole && !name.is_empty()).then_some(name)
}

/// The port goes into links that are passed on.
fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

fn is_loopback(name: &str) -> bool {
    name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(listen: &str, public_url: Option<&str>, more: &[&str]) -> Hosts {
        Hosts::of(&Server {
            listen: listen.parse().unwrap(),
            public_url: public_url.map(ToOwned::to_owned),
            hosts: more.iter().map(|host| (*host).to_owned()).collect(),
            ..Server::default()
        })
    }

    #[test]
    fn the_public_name_loopback_and_the_settings_names_are_ours() {
        let hosts = hosts("0.0.0.0:3000", Some("https://lectern.example.edu"), &["gpu.example.edu", "[2001:db8::7]"]);
        for ours in [
            "lectern.example.edu",
            "LECTERN.example.edu:443",
            "lectern.example.edu.",
            "gpu.example.edu:8443",
            "[2001:DB8::7]:3000",
            "localhost:8080",
            "127.0.0.1:3000",
            "127.8.9.1",
            "[::1]:3000",
        ] {
            assert!(hosts.allows(ours), "{ours}");
        }
        for other in [
            "",
            "evil.example",
            "lectern.example.edu.evil.example",
            "evil.example:lectern.example.edu",
            "lectern.example.edu@evil.example",
            "10.244.0.5:3000",
            "0.0.0.0:3000",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "127.0.0.1:4100,evil.example",
            "127.0.0.1:99999",
            "127.0.0.1:+80",
            "127.0.0.1:",
            "[::1]3000",
            "[::1]:3000:3000",
            "localhost:80 ",
        ] {
            assert!(!hosts.allows(other), "{other}");
        }
    }

    #[test]
    fn the_listeners_own_address_is_ours() {
        assert!(hosts("10.0.0.5:3000", None, &[]).allows("10.0.0.5:3000"));
        assert!(!hosts("10.0.0.5:3000", None, &[]).allows("10.0.0.6:3000"));
        assert!(hosts("[2001:db8::5]:3000", None, &[]).allows("[2001:db8::5]:3000"));
    }

    #[test]
    fn a_request_names_one_host_and_its_target_no_other() {
        let hosts = hosts("127.0.0.1:3000", None, &[]);
        let asked = |uri: &str, named: &[&'static str]| {
            let headers = named.iter().map(|host| (header::HOST, host.parse().unwrap())).collect();
            hosts.allows_request(&uri.parse().unwrap(), &headers)
        };
        assert!(asked("/", &["localhost"]) && asked("http://localhost/", &["localhost"]));
        assert!(!asked("/", &[]) && !asked("/", &["localhost", "localhost"]));
        assert!(!asked("http://evil.example/", &["localhost"]) && !asked("http://localhost/", &["evil.example"]));
    }
}
