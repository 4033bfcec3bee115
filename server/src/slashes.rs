//! Addresses that end with a slash, as people type them and other sites write them. No page has one, so the browser is sent on.

use app::preferences::safe_back;
use http::{Method, Uri};

/// The address without the slash; `None` for every other request, and for a path that names another site without it.
pub fn without(method: &Method, uri: &Uri) -> Option<String> {
    let path = uri.path().strip_suffix('/')?.trim_end_matches('/');
    let is_read = method == Method::GET || method == Method::HEAD;
    if !is_read || path.is_empty() || safe_back(path) != path {
        return None;
    }
    Some(uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(method: &Method, address: &str) -> Option<String> {
        without(method, &address.parse().unwrap())
    }

    #[test]
    fn the_slash_goes_and_the_query_stays() {
        assert_eq!(sent(&Method::GET, "/catalogue/").as_deref(), Some("/catalogue"));
        assert_eq!(sent(&Method::HEAD, "/labs/a%20b//?state=running").as_deref(), Some("/labs/a%20b?state=running"));
        for (method, address) in [(Method::POST, "/catalogue/"), (Method::GET, "/"), (Method::GET, "/catalogue"), (Method::GET, "/a?b=/")] {
            assert_eq!(sent(&method, address), None, "{address}");
        }
    }

    #[test]
    fn nobody_is_sent_to_another_site() {
        for address in ["//evil.example/", "///", "//", "///evil.example//"] {
            assert_eq!(sent(&Method::GET, address), None, "{address}");
        }
    }
}
