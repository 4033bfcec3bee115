//! The `scale` subresource, which `kubectl scale` uses.

use std::sync::Arc;

use axum::{
    http::{Method, StatusCode},
    response::Response,
};
use serde_json::{Value, json};

use super::{Api, Call, json as respond};
use crate::{
    error::{ApiError, Result},
    ops::update::{self, Part},
    registry::Kind,
    selector::LabelSelector,
    store::Key,
    value,
};

pub async fn answer(api: &Arc<Api>, kind: &'static Kind, key: &Key, method: &Method, call: &Call) -> Result<Response> {
    let found = api.store.write().get(key).ok_or_else(|| ApiError::not_found(kind, &key.name))?;
    let wanted = match method.as_str() {
        "GET" => return Ok(respond(StatusCode::OK, &scale_of(&found))),
        "PUT" => call.document()?,
        "PATCH" => {
            let mut scale = scale_of(&found);
            json_patch::merge(&mut scale, &call.document()?);
            scale
        }
        _ => return Err(ApiError::method_not_allowed()),
    };
    let replicas = value::int(&wanted, "/spec/replicas").unwrap_or_default();
    let writer = call.writer()?;
    let (made, version) = {
        let mut txn = api.store.write();
        let mut body = (*txn.get(key).ok_or_else(|| ApiError::not_found(kind, &key.name))?).clone();
        value::set(&mut body, &["spec", "replicas"], replicas);
        value::set(&mut body, &["metadata", "resourceVersion"], wanted["metadata"]["resourceVersion"].clone());
        (update::update(&mut txn, kind, key, body, Part::Main, &writer)?, txn.version())
    };
    api.store.flushed(version).await;
    Ok(respond(StatusCode::OK, &scale_of(&made)))
}

fn scale_of(object: &Value) -> Value {
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        metadata[field] = object["metadata"][field].clone();
    }
    let selector = object.pointer("/spec/selector").and_then(LabelSelector::of).map(|selector| selector.to_string());
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
        "spec": {"replicas": value::int(object, "/spec/replicas").unwrap_or_default()},
        "status": {"replicas": value::int(object, "/status/replicas").unwrap_or_default(), "selector": selector},
    })
}
