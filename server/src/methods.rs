//! The methods of HTTP that Lectern knows: the nine standard ones. HTTP allows any word as a method. A method outside this list gets 405
//! before anything else looks at the request, so that no metric, log line or record is made of words that a client chose.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderValue, Method, header};
use services::Origin;

use crate::{error_page, rest::problem::Problem};

const STANDARD: [(Method, &str); 9] = [
    (Method::GET, "GET"),
    (Method::HEAD, "HEAD"),
    (Method::POST, "POST"),
    (Method::PUT, "PUT"),
    (Method::DELETE, "DELETE"),
    (Method::CONNECT, "CONNECT"),
    (Method::OPTIONS, "OPTIONS"),
    (Method::TRACE, "TRACE"),
    (Method::PATCH, "PATCH"),
];

/// Those that no route answers: they have a label and are never offered.
const UNANSWERED: [&str; 2] = ["CONNECT", "TRACE"];

/// How metrics and logs name every other method.
pub const OTHER: &str = "other";

/// The method's name in metrics and logs: one of ten words.
pub fn label(method: &Method) -> &'static str {
    STANDARD.iter().find(|(standard, _)| standard == method).map_or(OTHER, |(_, name)| name)
}

/// 405 with the methods that some route answers, for every other one.
pub async fn guard(request: Request, next: Next) -> Response {
    if label(request.method()) != OTHER {
        return next.run(request).await;
    }
    let request_id = request.extensions().get::<Origin>().and_then(|origin| origin.request_id.as_deref());
    let mut response = error_page::refusal(&Problem::MethodNotAllowed, request.uri().path(), request.headers(), request_id);
    let allowed = STANDARD.map(|(_, name)| name).into_iter().filter(|name| !UNANSWERED.contains(name)).collect::<Vec<_>>().join(", ");
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_nine_standard_methods_have_a_label_of_their_own() {
        for (method, name) in STANDARD {
            assert_eq!((label(&method), method.as_str()), (name, name));
        }
        for other in ["get", "PROPFIND", "QUERY", &"A".repeat(40_000)] {
            assert_eq!(label(&Method::from_bytes(other.as_bytes()).unwrap()), OTHER);
        }
    }
}
