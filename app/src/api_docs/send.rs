//! From the fields of an operation to a request: the address, the `curl` line, and in the browser the request itself.

use std::fmt::Write as _;

use super::model::{Operation, Place};

/// Letters, digits and `-._~` as they are, every other byte by its number.
fn encoded(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The path with `values` (one for each parameter, in order) in their places; an empty one is left out of the query.
pub fn address(operation: &Operation, values: &[String]) -> String {
    let mut path = operation.path.clone();
    let mut query = String::new();
    for (parameter, value) in operation.parameters.iter().zip(values) {
        match parameter.place {
            Place::Path => path = path.replace(&format!("{{{}}}", parameter.name), &encoded(value)),
            Place::Query if !value.is_empty() => {
                query.push(if query.is_empty() { '?' } else { '&' });
                let _ = write!(query, "{}={}", encoded(&parameter.name), encoded(value));
            }
            Place::Query | Place::Header => {}
        }
    }
    path + &query
}

/// Headers of the operation itself.
pub fn headers(operation: &Operation, values: &[String]) -> Vec<(String, String)> {
    let named = operation.parameters.iter().zip(values).filter(|(parameter, value)| parameter.place == Place::Header && !value.is_empty());
    named.map(|(parameter, value)| (parameter.name.clone(), value.clone())).collect()
}

/// What the fields start with: the examples of what must be there, and nothing of what may be left out.
pub fn examples(operation: &Operation) -> Vec<String> {
    operation.parameters.iter().map(|each| if each.required { each.example.clone() } else { String::new() }).collect()
}

/// A line for a shell that knows `$LECTERN` and `$TOKEN`.
pub fn curl(operation: &Operation) -> String {
    let values = examples(operation);
    let mut line = "curl".to_owned();
    if operation.changes() {
        let _ = write!(line, " -X {}", operation.method);
    }
    if operation.guarded {
        line.push_str(" -H \"Authorization: Bearer $TOKEN\"");
    }
    for (name, value) in headers(operation, &values) {
        let _ = write!(line, " -H {}", quoted(&format!("{name}: {value}")));
    }
    if let Some(body) = &operation.body {
        let _ = write!(line, " -H 'Content-Type: application/json' -d {}", quoted(&body.example));
    }
    format!("{line} \"$LECTERN{}\"", address(operation, &values))
}

/// In single quotes, as a shell takes it for one word.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub milliseconds: i64,
    pub headers: Vec<(String, String)>,
    /// Indented when it is JSON.
    pub body: String,
}

#[cfg(feature = "hydrate")]
pub mod browser {
    use leptos::prelude::window;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{Headers, RequestCredentials, RequestInit, Response};

    use super::Reply;

    const SHOWN: [&str; 8] =
        ["content-type", "content-language", "location", "retry-after", "allow", "www-authenticate", "deprecation", "x-request-id"];

    /// Sends to this server, without the session's cookie. Errors: in the browser's words.
    pub async fn send(method: &str, address: &str, headers: &[(String, String)], body: Option<&str>) -> Result<Reply, String> {
        exchange(method, address, headers, body)
            .await
            .map_err(|error| error.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{error:?}"), |error| String::from(error.message())))
    }

    async fn exchange(method: &str, address: &str, headers: &[(String, String)], body: Option<&str>) -> Result<Reply, JsValue> {
        let sent = Headers::new()?;
        for (name, value) in headers {
            sent.set(name, value)?;
        }
        let init = RequestInit::new();
        init.set_method(method);
        init.set_credentials(RequestCredentials::Omit);
        init.set_headers(&sent);
        if let Some(body) = body {
            init.set_body(&JsValue::from_str(body));
        }
        let began = js_sys::Date::now();
        let response: Response = JsFuture::from(window().fetch_with_str_and_init(address, &init)).await?.dyn_into()?;
        let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
        let mut shown = Vec::new();
        for name in SHOWN {
            if let Some(value) = response.headers().get(name)? {
                shown.push((name.to_owned(), value));
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of one request")]
        let milliseconds = (js_sys::Date::now() - began) as i64;
        Ok(Reply { status: response.status(), milliseconds, headers: shown, body: indented(text) })
    }

    fn indented(text: String) -> String {
        let pretty = js_sys::JSON::parse(&text)
            .and_then(|value| js_sys::JSON::stringify_with_replacer_and_space(&value, &JsValue::NULL, &JsValue::from_f64(2.0)));
        pretty.map_or(text, String::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_docs::model::{Body, Parameter};

    fn operation() -> Operation {
        let parameter = |name: &str, place, required, example: &str| Parameter {
            name: name.into(),
            place,
            kind: "string".into(),
            meaning: String::new(),
            required,
            example: example.into(),
        };
        Operation {
            id: "put_things".into(),
            method: "PUT".into(),
            path: "/api/v1/things/{id}".into(),
            summary: String::new(),
            about: String::new(),
            guarded: true,
            parameters: vec![
                parameter("id", Place::Path, true, "7"),
                parameter("state", Place::Query, false, "free"),
                parameter("Idempotency-Key", Place::Header, true, "k1"),
            ],
            body: Some(Body { required: true, shape: 0, example: "{\"name\": \"it's\"}".into() }),
            answers: Vec::new(),
        }
    }

    #[test]
    fn values_go_where_they_belong() {
        let values = ["a/b?".to_owned(), "深 1".to_owned(), "key".to_owned()];
        assert_eq!(address(&operation(), &values), "/api/v1/things/a%2Fb%3F?state=%E6%B7%B1%201");
        assert_eq!(headers(&operation(), &values), [("Idempotency-Key".to_owned(), "key".to_owned())]);
        assert_eq!(address(&operation(), &examples(&operation())), "/api/v1/things/7");
    }

    #[test]
    fn the_curl_line_survives_a_shell() {
        assert_eq!(
            curl(&operation()),
            "curl -X PUT -H \"Authorization: Bearer $TOKEN\" -H 'Idempotency-Key: k1' -H 'Content-Type: application/json' \
             -d '{\"name\": \"it'\\''s\"}' \"$LECTERN/api/v1/things/7\""
        );
    }
}
