//! Errors as the API server words them: a `Status` object with code, reason, message and details.

use serde_json::{Value, json};

use crate::registry::Kind;

/// An answer other than success.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
    pub details: Option<Value>,
}

pub type Result<T, E = ApiError> = std::result::Result<T, E>;

/// One complaint about one field of an object.
#[derive(Debug, Clone)]
pub struct FieldError {
    pub reason: &'static str,
    pub field: String,
    pub message: String,
}

impl FieldError {
    pub fn required(field: impl Into<String>, detail: &str) -> Self {
        let message = if detail.is_empty() { "Required value".to_owned() } else { format!("Required value: {detail}") };
        Self { reason: "FieldValueRequired", field: field.into(), message }
    }

    pub fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        let message = format!("Invalid value: {}: {detail}", shown(value));
        Self { reason: "FieldValueInvalid", field: field.into(), message }
    }

    pub fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self { reason: "FieldValueForbidden", field: field.into(), message: format!("Forbidden: {detail}") }
    }

    pub fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self { reason: "FieldValueDuplicate", field: field.into(), message: format!("Duplicate value: {}", shown(value)) }
    }

    pub fn not_found(field: impl Into<String>, value: &Value) -> Self {
        Self { reason: "FieldValueNotFound", field: field.into(), message: format!("Not found: {}", shown(value)) }
    }

    pub fn unsupported(field: impl Into<String>, value: &Value, allowed: &[&str]) -> Self {
        let allowed = allowed.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>().join(", ");
        let message = format!("Unsupported value: {}: supported values: {allowed}", shown(value));
        Self { reason: "FieldValueNotSupported", field: field.into(), message }
    }
}

fn shown(value: &Value) -> String {
    value.to_string()
}

impl ApiError {
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None }
    }

    fn about(code: u16, reason: &'static str, kind: &Kind, name: &str, message: String) -> Self {
        let mut details = json!({"kind": kind.plural});
        if !name.is_empty() {
            details["name"] = name.into();
        }
        if !kind.group.is_empty() {
            details["group"] = kind.group.into();
        }
        Self { code, reason, message, details: Some(details) }
    }

    pub fn not_found(kind: &Kind, name: &str) -> Self {
        Self::about(404, "NotFound", kind, name, format!("{} \"{name}\" not found", kind.qualified()))
    }

    pub fn already_exists(kind: &Kind, name: &str) -> Self {
        Self::about(409, "AlreadyExists", kind, name, format!("{} \"{name}\" already exists", kind.qualified()))
    }

    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.qualified());
        Self::about(409, "Conflict", kind, name, message)
    }

    /// A deletion that was meant for another object or version; it names the kind and not its plural.
    pub fn failed_precondition(kind: &Kind, name: &str, why: &str) -> Self {
        let qualified = if kind.group.is_empty() { kind.kind.to_owned() } else { format!("{}.{}", kind.kind, kind.group) };
        let mut failure = Self::about(409, "Conflict", kind, name, format!("Operation cannot be fulfilled on {qualified} \"{name}\": {why}"));
        if let Some(details) = &mut failure.details {
            details["kind"] = kind.kind.into();
        }
        failure
    }

    pub fn stale(kind: &Kind, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind, name, why)
    }

    pub fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        Self::about(403, "Forbidden", kind, name, format!("{} \"{name}\" is forbidden: {why}", kind.qualified()))
    }

    pub fn invalid(kind: &Kind, name: &str, errors: &[FieldError]) -> Self {
        let each: Vec<_> = errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
        let list = if each.len() == 1 { each.concat() } else { format!("[{}]", each.join(", ")) };
        let qualified = if kind.group.is_empty() { kind.kind.to_owned() } else { format!("{}.{}", kind.kind, kind.group) };
        let mut failure = Self::about(422, "Invalid", kind, name, format!("{qualified} \"{name}\" is invalid: {list}"));
        let causes: Vec<_> = errors.iter().map(|error| json!({"reason": error.reason, "message": error.message, "field": error.field})).collect();
        if let Some(details) = &mut failure.details {
            details["kind"] = kind.kind.into();
            details["causes"] = causes.into();
        }
        failure
    }

    /// A complaint about the options of a request rather than its object.
    pub fn invalid_options(options: &str, error: &FieldError) -> Self {
        let mut failure = Self::new(422, "Invalid", format!("{options}.meta.k8s.io \"\" is invalid: {}: {}", error.field, error.message));
        let cause = json!({"reason": error.reason, "message": error.message, "field": error.field});
        failure.details = Some(json!({"group": "meta.k8s.io", "kind": options, "causes": [cause]}));
        failure
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// The path names nothing that this server has.
    pub fn no_such_path() -> Self {
        let mut failure = Self::new(404, "NotFound", "the server could not find the requested resource");
        failure.details = Some(json!({}));
        failure
    }

    pub fn method_not_allowed() -> Self {
        let mut failure = Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
        failure.details = Some(json!({}));
        failure
    }

    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub fn expired(asked: u64, current: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {asked} ({current})"))
    }

    /// The next page of a list, asked for too late.
    pub fn page_expired() -> Self {
        let why = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";
        Self::new(410, "Expired", why)
    }

    /// Seconds after which the client may try again.
    pub fn retry_after(&self) -> Option<u64> {
        self.details.as_ref()?.get("retryAfterSeconds")?.as_u64()
    }

    /// The `Status` object of this error, its fields in the order in which a real server writes them.
    pub fn body(&self) -> String {
        let message = go_text(&self.message);
        let reason = if self.reason.is_empty() { String::new() } else { format!(r#","reason":"{}""#, self.reason) };
        let details = self.details.as_ref().map(|details| format!(r#","details":{}"#, in_order(details))).unwrap_or_default();
        let code = self.code;
        format!(r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":{message}{reason}{details},"code":{code}}}"#)
    }
}

/// A string as Go writes it in JSON: safe inside HTML.
fn go_text(text: &str) -> String {
    json!(text).to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// The details of a `Status`, and each of its causes.
fn in_order(object: &Value) -> String {
    const FIELDS: [&str; 9] = ["reason", "message", "field", "name", "group", "kind", "uid", "causes", "retryAfterSeconds"];
    let text = |value: &Value| match value {
        Value::Array(causes) => format!("[{}]", causes.iter().map(in_order).collect::<Vec<_>>().join(",")),
        Value::String(text) => go_text(text),
        other => other.to_string(),
    };
    let fields = FIELDS.iter().filter_map(|name| Some(format!("\"{name}\":{}", text(object.get(name)?))));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}
