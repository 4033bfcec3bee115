//! Lists.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    Api, Call, Form, json as respond,
    page::{self, Page},
};
use crate::{error::Result, registry::Kind, table};

pub fn list(api: &Api, kind: &'static Kind, namespace: &str, call: &Call) -> Result<Response> {
    let page = page::read(&api.store, kind, namespace, &call.query)?;
    let mut body = match Form::wanted(&call.headers) {
        Form::Table => {
            let include = table::Include::wanted(call.query.get("includeObject"));
            table::table(kind, &page.objects, include, &page.version.to_string())
        }
        Form::Metadata => json!({
            "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
            "items": page.objects.iter().map(|object| table::metadata_of(object)).collect::<Vec<_>>(),
        }),
        // Items are written straight from the shared objects: a list copies nothing.
        Form::Plain => return Ok(plain(kind, &page)),
    };
    body["metadata"] = metadata(&page);
    Ok(respond(StatusCode::OK, &body))
}

fn metadata(page: &Page) -> Value {
    let mut metadata = json!({"resourceVersion": page.version.to_string()});
    if !page.next.is_empty() {
        metadata["continue"] = page.next.as_str().into();
    }
    if let Some(remaining) = page.remaining {
        metadata["remainingItemCount"] = remaining.into();
    }
    metadata
}

fn plain(kind: &Kind, page: &Page) -> Response {
    let mut text = format!("{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{},\"items\":[", kind.kind, kind.api_version(), metadata(page));
    for (at, object) in page.objects.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&object.to_string());
    }
    text.push_str("]}");
    (StatusCode::OK, [(axum::http::header::CONTENT_TYPE, "application/json")], text).into_response()
}
