//! Lists.

use axum::{http::StatusCode, response::Response};
use serde_json::json;

use super::{Api, Call, Form, json as respond};
use crate::{error::Result, registry::Kind, store::Object, table};

pub fn list(api: &Api, kind: &'static Kind, namespace: &str, call: &Call) -> Result<Response> {
    let (labels, fields) = call.query.selectors(kind)?;
    let (objects, version) = {
        let txn = api.store.write();
        let found: Vec<Object> =
            txn.iter(kind.resource, namespace).filter(|object| labels.matches(object) && fields.matches(object)).cloned().collect();
        (found, txn.version())
    };
    let version = version.to_string();
    let body = match Form::wanted(&call.headers) {
        Form::Table => table::table(kind, &objects, table::Include::wanted(call.query.get("includeObject")), &version),
        Form::Metadata => json!({
            "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": version},
            "items": objects.iter().map(|object| table::metadata_of(object)).collect::<Vec<_>>(),
        }),
        // Items are written straight from the shared objects: a list copies nothing.
        Form::Plain => return Ok(plain(kind, &objects, &version)),
    };
    Ok(respond(StatusCode::OK, &body))
}

fn plain(kind: &Kind, objects: &[Object], version: &str) -> Response {
    use axum::response::IntoResponse;
    let mut text = format!(
        "{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{{\"resourceVersion\":\"{version}\"}},\"items\":[",
        kind.kind,
        kind.api_version()
    );
    for (at, object) in objects.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&object.to_string());
    }
    text.push_str("]}");
    (StatusCode::OK, [(axum::http::header::CONTENT_TYPE, "application/json")], text).into_response()
}
