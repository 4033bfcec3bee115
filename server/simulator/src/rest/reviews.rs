//! Access reviews. The one token of the simulated cluster may do everything.

use axum::http::Method;
use serde_json::{Value, json};

use super::Call;
use crate::error::Result;

pub fn answer(path: &str, method: &Method, call: &Call) -> Result<Option<Value>> {
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (["apis", "authorization.k8s.io" | "authentication.k8s.io", "v1", review] | ["apis", "authorization.k8s.io", "v1", "namespaces", _, review]) =
        steps.as_slice()
    else {
        return Ok(None);
    };
    if method != Method::POST {
        return Ok(None);
    }
    let mut body = call.document()?;
    let status = match *review {
        "selfsubjectaccessreviews" | "subjectaccessreviews" | "localsubjectaccessreviews" => json!({"allowed": true}),
        "selfsubjectrulesreviews" => {
            json!({"resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}], "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}], "incomplete": false})
        }
        "selfsubjectreviews" => json!({"userInfo": {"username": "admin", "groups": ["system:masters", "system:authenticated"]}}),
        _ => return Ok(None),
    };
    if !body.is_object() {
        body = json!({});
    }
    body["status"] = status;
    Ok(Some(body))
}
