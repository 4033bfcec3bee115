//! Access reviews: what the caller, or somebody else, may do.

use axum::http::Method;
use serde_json::{Value, json};

use super::{
    Call,
    access::{self, Deed, User, Verdict},
};
use crate::{error::Result, store::Store, value};

pub fn answer(store: &Store, path: &str, method: &Method, call: &Call) -> Result<Option<Value>> {
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
    if !body.is_object() {
        body = json!({});
    }
    let caller = User::impersonated(&call.headers);
    body["status"] = match *review {
        "selfsubjectaccessreviews" => status(caller.map(|user| access::judge(store, &user, &deed(&body)))),
        "subjectaccessreviews" | "localsubjectaccessreviews" => status(Some(access::judge(store, &somebody(&body), &deed(&body)))),
        "selfsubjectrulesreviews" => {
            json!({"resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}], "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}], "incomplete": false})
        }
        "selfsubjectreviews" => match caller {
            Some(user) => json!({"userInfo": {"username": user.name, "groups": user.groups}}),
            None => json!({"userInfo": {"username": "admin", "groups": ["system:masters", "system:authenticated"]}}),
        },
        _ => return Ok(None),
    };
    Ok(Some(body))
}

/// The cluster's token may do everything.
fn status(verdict: Option<Verdict>) -> Value {
    let Some(verdict) = verdict else { return json!({"allowed": true}) };
    let mut status = json!({"allowed": verdict.allowed});
    if !verdict.reason.is_empty() {
        status["reason"] = verdict.reason.into();
    }
    status
}

fn somebody(review: &Value) -> User {
    let groups = value::items(review, "/spec/groups").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    User { name: value::text(review, "/spec/user").to_owned(), groups }
}

fn deed(review: &Value) -> Deed {
    let text = |pointer: &str| value::text(review, pointer).to_owned();
    if let Some(path) = review.pointer("/spec/nonResourceAttributes") {
        return Deed { verb: value::text(path, "/verb").to_owned(), path: value::text(path, "/path").to_owned(), ..Deed::default() };
    }
    let (resource, part) = (text("/spec/resourceAttributes/resource"), text("/spec/resourceAttributes/subresource"));
    Deed {
        verb: text("/spec/resourceAttributes/verb"),
        group: text("/spec/resourceAttributes/group"),
        resource: if part.is_empty() { resource } else { format!("{resource}/{part}") },
        namespace: text("/spec/resourceAttributes/namespace"),
        name: text("/spec/resourceAttributes/name"),
        path: String::new(),
    }
}
