//! The client's address, as the connection log has it and as the lab is told.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::request::Parts;

/// The peer, or behind a proxy what that proxy (the last in the chain) says it saw; what clients claim before it is not believed.
pub fn address(request: &Parts, behind_proxy: bool) -> Option<IpAddr> {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if !behind_proxy {
        return peer;
    }
    let last = request.headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
    last.and_then(|list| list.rsplit(',').next()).and_then(|text| text.trim().parse().ok()).or(peer)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_forwarded_address_counts_only_behind_a_proxy_and_only_the_last() {
        let request = Request::get("/").header("x-forwarded-for", "1.1.1.1").header("x-forwarded-for", "2.2.2.2, 10.0.0.7");
        let mut request = request.body(()).unwrap().into_parts().0;
        request.extensions.insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4_000))));
        assert_eq!(address(&request, false), "127.0.0.1".parse().ok());
        assert_eq!(address(&request, true), "10.0.0.7".parse().ok());
        request.headers.insert("x-forwarded-for", "somebody".parse().unwrap());
        assert_eq!(address(&request, true), "127.0.0.1".parse().ok());
    }
}
