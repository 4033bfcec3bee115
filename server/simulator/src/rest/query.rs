//! Query parameters and the bodies that go with them.

use axum::http::{HeaderMap, Uri, header};
use serde_json::{Value, json};

use super::{Call, protobuf};
use crate::{
    error::{ApiError, FieldError, Result},
    ops::{DryRun, UnknownFields, Writer},
    registry::Kind,
    selector::{FieldSelector, LabelSelector},
};

/// Decoded query parameters.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn read(uri: &Uri) -> Self {
        axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri).map(|query| Self(query.0)).unwrap_or_default()
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, text)| text.as_str())
    }

    /// All values of a parameter that may be repeated.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, text)| text.as_str())
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(|text| text.parse().ok())
    }

    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("1" | "true" | ""))
    }

    /// The label and field selectors.
    pub fn selectors(&self, kind: &Kind) -> Result<(LabelSelector, FieldSelector)> {
        let labels = LabelSelector::parse(self.get("labelSelector").unwrap_or_default())?;
        let fields = FieldSelector::parse(self.get("fieldSelector").unwrap_or_default())?;
        fields.check(kind)?;
        Ok((labels, fields))
    }
}

impl Call {
    /// Who writes: `fieldManager`, or the program's name from the user agent.
    pub fn writer(&self) -> Result<Writer> {
        let agent = self.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("unknown");
        let manager = self.query.get("fieldManager").filter(|manager| !manager.is_empty()).unwrap_or(agent.split('/').next().unwrap_or("unknown"));
        let unknown = if self.query.get("fieldValidation") == Some("Strict") { UnknownFields::Refused } else { UnknownFields::Dropped };
        Ok(Writer { manager: manager.to_owned(), dry_run: self.dry_run()?, unknown })
    }

    pub fn dry_run(&self) -> Result<DryRun> {
        match self.query.get("dryRun") {
            None | Some("") => Ok(DryRun::No),
            Some("All") => Ok(DryRun::All),
            Some(other) => {
                let error = FieldError::unsupported("dryRun", &json!([other]), &["All"]);
                Err(ApiError::invalid_options("CreateOptions", &error))
            }
        }
    }

    /// The body as JSON, whatever it was written in.
    pub fn document(&self) -> Result<Value> {
        document(&self.headers, &self.body)
    }
}

/// The media type without its parameters.
pub fn media_type(headers: &HeaderMap) -> &str {
    let text = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("application/json");
    text.split(';').next().unwrap_or_default().trim()
}

fn document(headers: &HeaderMap, body: &[u8]) -> Result<Value> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    let unreadable = |error: &dyn std::fmt::Display| ApiError::bad_request(format!("couldn't get version/kind; json parse error: {error}"));
    match media_type(headers) {
        "application/json" | "*/*" | "application/merge-patch+json" | "application/strategic-merge-patch+json" | "application/json-patch+json" => {
            serde_json::from_slice(body).map_err(|error| unreadable(&error))
        }
        "application/yaml" | "application/apply-patch+yaml" => serde_yaml_ng::from_slice(body).map_err(|error| unreadable(&error)),
        "application/vnd.kubernetes.protobuf" => protobuf::read(body).ok_or_else(|| unsupported(&["application/json", "application/yaml"])),
        _ => Err(unsupported(&["application/json", "application/yaml"])),
    }
}

/// A media type that this path does not take.
pub fn unsupported(accepted: &[&str]) -> ApiError {
    let message = format!("the body of the request was in an unknown format - accepted media types include: {}", accepted.join(", "));
    ApiError::new(415, "UnsupportedMediaType", message)
}
