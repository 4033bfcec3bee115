//! Keeps pages of other sites, those of other labs among them, from using a person's pass: what changes something, opens a WebSocket or
//! reads for a script must come from the lab's own pages. Only a link that a person follows may come from elsewhere. It also keeps those who
//! may only look from doing more.

use domain::shares::ViewOnly;
use http::{
    HeaderMap, Method,
    header::{self, AsHeaderName},
    request::Parts,
};

use crate::headers;

/// By which some frameworks take a request for one of another method.
const OTHER_METHOD: [&str; 3] = ["x-http-method", "x-http-method-override", "x-method-override"];

/// Whether a request with a pass may reach the lab. `own`: the origin of the lab's site.
pub fn allows(request: &Parts, own: &str, is_handshake: bool) -> bool {
    let headers = &request.headers;
    let (Ok(site), Ok(origin)) = (single(headers, "sec-fetch-site"), single(headers, header::ORIGIN)) else { return false };
    let changes = is_handshake || !request.method.is_safe();
    match site {
        Some("same-origin") => true,
        // Without the browser's word its `Origin` decides. Opening a link sends none.
        None | Some("none") => origin.map_or(!changes, |origin| origin.eq_ignore_ascii_case(own)),
        Some(_) => !changes && opens_page(headers),
    }
}

/// Whether a person follows a link here in a window of its own, in no frame of another site.
fn opens_page(headers: &HeaderMap) -> bool {
    single(headers, "sec-fetch-mode") == Ok(Some("navigate")) && matches!(single(headers, "sec-fetch-dest"), Ok(None | Some("document")))
}

/// The only value of a header. `Err` if there are several, or if it is no text.
fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Result<Option<&str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => value.map(|value| value.to_str().map_err(|_| ())).transpose(),
        _ => Err(()),
    }
}

/// Whether somebody who may only look may send this.
pub fn only_looks(request: &Parts, is_handshake: bool, limit: ViewOnly) -> bool {
    let pretends = request.headers.keys().any(|name| OTHER_METHOD.iter().any(|other| headers::is_same_name(name.as_str(), other)));
    !pretends && limit.allows(request.method.as_str(), is_handshake, request.uri.path())
}

/// Whether a browser fetches the script of a service worker that may stand before the whole site: the paths below the script's folder are its own.
/// It would see the tickets that are posted to the door, in the browsers of all who come after, and its lab could hand them on.
pub fn is_worker_of_site(request: &Parts) -> bool {
    request.headers.contains_key("service-worker") && is_at_top(request.uri.path())
}

/// Whether a path is in no folder.
pub fn is_at_top(path: &str) -> bool {
    path.rfind('/') == Some(0)
}

/// Methods that no application in a lab needs and that would go around the door.
pub fn is_refused(method: &Method) -> bool {
    matches!(*method, Method::CONNECT | Method::TRACE)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const OWN: &str = "http://lab-7.localhost:3001";
    const OTHER: &str = "http://lab-8.localhost:3001";

    fn parts(method: &str, headers: &[(&str, &str)]) -> Parts {
        let request = headers.iter().fold(Request::builder().method(method), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    fn changes(headers: &[(&str, &str)]) -> bool {
        let answers = ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"].map(|method| allows(&parts(method, headers), OWN, false));
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{headers:?}");
        assert_eq!(allows(&parts("GET", headers), OWN, true), answers[0], "a handshake is a change: {headers:?}");
        answers[0]
    }

    fn reads(headers: &[(&str, &str)]) -> bool {
        allows(&parts("GET", headers), OWN, false)
    }

    #[test]
    fn the_labs_own_pages_may_change_things() {
        assert!(changes(&[("sec-fetch-site", "same-origin")]));
        assert!(changes(&[("origin", OWN)]));
        assert!(changes(&[("origin", "HTTP://lab-7.LOCALHOST:3001")]));
        assert!(changes(&[("sec-fetch-site", "none"), ("origin", OWN)]));
    }

    #[test]
    fn pages_of_other_labs_and_of_other_sites_change_nothing() {
        // On `*.labs.test` labs are one site, on `*.localhost` each is a site of its own, and over plain http browsers say only the origin.
        for site in ["same-site", "cross-site", "", "SAME-ORIGIN"] {
            for origin in [OWN, OTHER, "null"] {
                assert!(!changes(&[("sec-fetch-site", site), ("origin", origin)]), "{site} {origin}");
            }
            let navigation = [("sec-fetch-site", site), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
            assert!(!changes(&navigation), "a form of another site: {site}");
        }
        for origin in [OTHER, "null", "http://lab-7.localhost", "https://lab-7.localhost:3001", "http://lab-7.localhost:3001.evil.example"] {
            assert!(!changes(&[("origin", origin)]), "{origin}");
        }
        assert!(!changes(&[("origin", OWN), ("origin", OTHER)]));
        assert!(!changes(&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn a_program_with_the_cookie_and_no_word_of_a_browser_changes_nothing() {
        assert!(!changes(&[]));
        assert!(reads(&[]));
    }

    #[test]
    fn links_of_other_sites_open_the_lab_and_their_scripts_and_frames_read_nothing() {
        for site in ["same-site", "cross-site"] {
            let site = ("sec-fetch-site", site);
            assert!(reads(&[site, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]));
            assert!(reads(&[site, ("sec-fetch-mode", "navigate")]));
            assert!(!reads(&[site, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")]));
            for mode in ["no-cors", "cors", "websocket"] {
                assert!(!reads(&[site, ("sec-fetch-mode", mode)]), "{mode}");
            }
        }
        assert!(reads(&[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")]));
        assert!(!reads(&[("origin", OTHER)]), "a script of another lab over plain http");
        assert!(reads(&[("origin", OWN)]));
    }

    #[test]
    fn a_service_worker_gets_a_folder_and_never_the_whole_site() {
        let worker = |target: &str| {
            let mut request = parts("GET", &[("service-worker", "script")]);
            request.uri = target.parse().unwrap();
            is_worker_of_site(&request)
        };
        for whole in ["/sw.js", "/", "/sw.js?folder=/static/", "/.lectern"] {
            assert!(worker(whole), "{whole}");
        }
        assert!(!worker("/static/sw.js") && !worker("/static/"));
        assert!(!is_worker_of_site(&parts("GET", &[])), "a script");
    }

    #[test]
    fn no_name_of_a_header_makes_a_change_of_what_only_looks() {
        let looks = |name: &str| only_looks(&parts("GET", &[(name, "DELETE")]), false, ViewOnly::Other);
        for other in OTHER_METHOD {
            assert!(!looks(other) && !looks(&other.replace('-', "_")) && !looks(&other.replacen('-', "_", 1)), "{other}");
        }
        assert!(looks("x-http-methods") && looks("xhttp-method"));
    }

    #[test]
    fn methods_that_reach_past_the_door_are_refused() {
        assert!(is_refused(&Method::CONNECT) && is_refused(&Method::TRACE));
        assert!(!is_refused(&Method::OPTIONS) && !is_refused(&Method::from_bytes(b"PROPFIND").unwrap()));
    }
}
