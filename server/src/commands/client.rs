//! What commands share that use a portal over the network, on people's own machines: which portal and token, and how a host is reached.
//! `account` has the stored portal and token, `labs` asks the portal for a lab.

mod account;
mod labs;

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use reqwest::{Client, Url, redirect::Policy};
use serde_json::Value;

pub use account::{Account, login};
pub use labs::Lab;

/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(15);

/// The URL of a portal or of a lab's site, to which a token may be sent. Errors: it is none, or it sends the token in clear text.
pub(super) fn address(text: &str) -> Result<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    let Some(url) = url else { bail!("{text:?} is no address: it must read like https://lectern.example.edu") };
    if url.scheme() != "https" && !is_here(&url) {
        bail!("{text} is not https: the token would be sent in clear text");
    }
    Ok(url)
}

/// `*.localhost` and the loopback addresses.
fn is_here(url: &Url) -> bool {
    match url.host_str() {
        Some("127.0.0.1" | "[::1]") => true,
        other => is_localhost(other.unwrap_or_default()),
    }
}

fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

/// A client for the host of `url`. Hosts below `localhost` are this machine, whatever the resolver says of them; some know them not at all.
fn client(url: &Url) -> Result<Client> {
    let mut builder = Client::builder()
        .user_agent(concat!("lectern/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        // Whoever answers with a redirect would get the token.
        .redirect(Policy::none());
    if is_here(url) {
        builder = builder.no_proxy();
    }
    if let Some(host) = url.host_str().filter(|host| is_localhost(host)) {
        let both = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
        builder = builder.resolve_to_addrs(host, &both);
    }
    builder.build().context("the network cannot be used")
}

/// The outcome of a request, or the reason that it was not answered, without the library's own words around it.
pub(super) async fn answered(host: &str, request: reqwest::RequestBuilder) -> Result<reqwest::Response> {
    match tokio::time::timeout(ANSWER, request.send()).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(anyhow::Error::new(error.without_url()).context(format!("{host} cannot be reached"))),
        Err(_) => bail!("{host} does not answer"),
    }
}

/// An answer's JSON; null for anything else.
pub(super) fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_answer_makes_a_panic(body in prop::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\",:a-z0-9]{0,60}") {
            for body in [body.as_slice(), text.as_bytes()] {
                let mut read = json(body);
                let _ = Lab::of(&read);
                let _ = labs::pick(&mut read, "lab-1");
            }
            let _ = address(&text);
        }
    }

    #[test]
    fn a_token_goes_over_tls_or_to_this_machine() {
        for good in ["https://lectern.example.edu", "http://127.0.0.1:3000", "http://[::1]:3000", "http://localhost", "http://a.LOCALHOST:3001"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in ["http://lectern.example.edu", "http://localhost.evil.example", "http://evillocalhost", "ftp://localhost", "lectern", ""] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
