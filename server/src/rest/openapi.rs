//! `GET /api/v1/openapi.json`: the description of all of the API, made from the handlers. Needs no token.

use std::sync::LazyLock;

use axum::Json;
use domain::{access::Scope, page::MAX_LIMIT};
use serde_json::{Map, Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self, SecurityRequirement,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{
    problem::{self, MEDIA_TYPE},
    scopes,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lectern",
        version = "1",
        description = "Labs for GPU teaching clusters: order, approve, run, bill, audit.\n\n\
            Every request carries `Authorization: Bearer lct_…`; tokens come from `lectern token create`. Errors are RFC 9457 problem \
            documents (`application/problem+json`) with a stable `code`; `Accept-Language` (`zh-CN` or `en`) chooses their texts. \
            What one may not see answers 404. `Retry-After` says when to try again after 429 and 503."
    ),
    paths(
        show,
        super::offerings::list, super::offerings::show,
        super::offering_versions::create, super::offering_versions::preview, super::offering_versions::list, super::offering_versions::save,
        super::offering_versions::publish, super::offering_versions::retire, super::offering_versions::restore,
        super::orders::list, super::orders::submit, super::orders::show, super::orders::approve, super::orders::reject, super::orders::cancel,
        super::decisions::list, super::decisions::ask, super::decisions::answer, super::decisions::accept, super::decisions::decline,
        super::decisions::withdraw, super::decisions::approve_all, super::decisions::reject_all,
        super::delegations::list, super::delegations::create, super::delegations::end,
        super::policies::show, super::policies::replace, super::policies::dry_run,
        super::labs::list, super::labs::show, super::labs::start, super::labs::stop, super::labs::destroy,
        super::lab_logs::show,
        super::lab_visits::list,
        super::lab_shares::list,
        super::lab_shares::create,
        super::lab_shares::withdraw,
        super::lab_changes::restart,
        super::lab_changes::retry,
        super::lab_changes::extend,
        super::lab_changes::resize,
        super::lab_changes::keep,
        super::lab_changes::keep_running,
        super::lab_changes::autostop,
        super::ssh_keys::list, super::ssh_keys::add, super::ssh_keys::remove,
        super::again::again,
        super::usage::list,
        super::bills::list,
        super::quotas::list,
        super::nodes::inventory,
        super::nodes::list,
        super::nodes::show,
        super::audit::list,
        super::audit_more::saved,
        super::audit_more::save,
        super::audit_more::delete,
        super::audit_more::export,
        super::audit_more::chain,
        super::audit_more::verify,
        super::notifications::list,
        super::notifications::read_all,
        super::notifications::read,
        super::search::find,
        super::tenants::list,
        super::tenants::create,
        super::tenants::change,
        super::courses::list,
        super::courses::create,
        super::courses::show,
        super::courses::change,
        super::courses::set_quota,
        super::courses::set_budget,
        super::courses::add_member,
        super::courses::remove_member,
        super::courses::archive,
        super::courses::restore,
        super::rosters::show, super::rosters::set,
        super::class_orders::approve, super::class_orders::reject, super::class_orders::cancel,
        super::people::list,
        super::people::invite,
        super::people::show,
        super::people::invite_again,
        super::people::reset,
        super::people::set_access,
        super::people::disable,
        super::people::enable,
        super::announcements::list,
        super::announcements::create,
        super::announcements::end,
        super::imports::list,
        super::imports::create,
        super::imports::show,
        super::imports::rows,
        super::imports::start,
        super::bills::lines,
        super::bills::export,
        super::bills::close,
        super::cost_estimate::show,
        super::prices::list,
        super::prices::set,
        super::prices::preview,
        super::prices::withdraw,
        super::prices::discounts,
        super::prices::grant,
        super::prices::end,
        super::adjustments::list,
        super::adjustments::add,
    ),
    modifiers(&Bearer),
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        document.components.get_or_insert_default().add_security_scheme("token", scheme);
        document.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("token", [])]);
    }
}

/// The whole document: what the handlers say, with an id for each operation, and what all of them share: paging, problems.
/// What only a handler knows (summary, examples of its body, a schema of its answer) a test asks for.
pub fn document() -> Value {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    let mut schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut).map(std::mem::take).unwrap_or_default();
    schemas.insert("Problem".into(), problem_schema());
    let paths = document.pointer_mut("/paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            operation["operationId"] = operation_id(method, path).into();
            scope(method, path, operation);
            parameters(operation);
            body(operation, &mut schemas);
            super::examples::give_body(operation, &schemas);
            for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
                complete(status, response);
            }
            for (status, description) in usual(path, operation) {
                if operation["responses"].get(status).is_none() {
                    operation["responses"][status] = problem_response(description);
                }
            }
            operation["responses"]["default"] = problem_response("Whatever else went wrong; `code` says what");
        }
    }
    // Two lists that are both empty look alike.
    if let Some(shown) = schemas.get_mut("Shown").and_then(Value::as_object_mut)
        && let Some(ways) = shown.remove("oneOf")
    {
        shown.insert("anyOf".into(), ways);
    }
    document["components"]["schemas"] = Value::Object(schemas);
    document
}

/// `post /api/v1/orders/{id}/approve` is `post_orders_id_approve`.
fn operation_id(method: &str, path: &str) -> String {
    let words = path.trim_start_matches(super::PREFIX).split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

/// Names the scope that the operation asks for, where programs look for it and where people do.
fn scope(method: &str, path: &str, operation: &mut Value) {
    let path = path.trim_start_matches(super::PREFIX);
    let Some(scope) = scopes::of(method, path).filter(|_| operation.get("security").is_none()) else { return };
    let also = scopes::of_answer(method, path);
    let all: Vec<_> = std::iter::once(scope).chain(also).map(Scope::as_str).collect();
    operation["security"] = json!([{ "token": all }]);
    let said = operation["description"].as_str().map(|text| format!("{text}\n\n")).unwrap_or_default();
    let named = match all.as_slice() {
        [one] => format!("Scope: `{one}`."),
        more => format!("Scopes: `{}`.", more.join("` and `")),
    };
    operation["description"] = format!("{said}{named}").into();
}

/// What handlers do with every body: it may be left out when nothing in it must be there, it holds nothing unknown, and numbers may be
/// given as text.
fn body(operation: &mut Value, schemas: &mut Map<String, Value>) {
    let Some(content) = operation.pointer_mut("/requestBody/content/application~1json") else { return };
    // `null` is no body: one that may be left out is left out.
    if let Some(named) = content["schema"]["oneOf"].as_array().and_then(|ways| ways.iter().find(|way| way.get("$ref").is_some())).cloned() {
        content["schema"] = named;
    }
    let name = content["schema"]["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()).unwrap_or_default().to_owned();
    let Some(schema) = schemas.get_mut(&name) else { return };
    schema["additionalProperties"] = false.into();
    for (_, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let mut kinds = match &property["type"] {
            Value::Array(kinds) => kinds.clone(),
            kind => vec![kind.clone()],
        };
        match property["format"].as_str() {
            Some("decimal") => kinds.insert(0, "number".into()),
            // A shape may be the body of several operations.
            _ if kinds.iter().any(|kind| kind == "integer") && !kinds.iter().any(|kind| kind == "string") => kinds.push("string".into()),
            _ => continue,
        }
        property["type"] = kinds.into();
        if let Some(property) = property.as_object_mut() {
            property.remove("format");
        }
    }
    let optional = schema["required"].as_array().is_none_or(Vec::is_empty);
    operation["requestBody"]["required"] = (!optional).into();
}

/// Says of the parameters that every list and every path has what they are, unless the handler does.
fn parameters(operation: &mut Value) {
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let (description, example) = match parameter["name"].as_str() {
            Some("limit") => ("How many at most: 1 to 200, 50 when left out", json!(50)),
            Some("after") => ("`next` of the page before", json!("2046")),
            Some("id") => ("Id", json!(super::orders::ID_EXAMPLE)),
            Some("Idempotency-Key") => ("", json!("lesson-3-group-1")),
            Some("month") => ("On campus time", json!("2026-11")),
            Some("slug") => ("Short name of an offering", json!("vscode")),
            Some("name") => ("Name of a node", json!("dell-pro-max-aipc-01")),
            Some("user") => ("Id of a person", json!(super::orders::ID_EXAMPLE)),
            Some("role") => ("A role: `teacher`, `manager`, `auditor`, `operator` or `administrator`", json!("teacher")),
            Some("verdict") => ("Only rows of this kind: `new`, `change`, `unchanged` or `error`", json!("error")),
            Some("person") => ("Login", json!("teacher")),
            Some("action") => ("`order.submit`, or a prefix with its dot: `order.`", json!("order.")),
            Some("object") => ("Label or id", json!("#1001")),
            Some("outcome") => ("`success`, `refused` or `failed`", json!("refused")),
            Some("via") => ("`web`, `api`, `cli` or `job`", json!("web")),
            Some("address") => ("From where it was asked", json!("10.12.1.11")),
            Some("text") => ("Words that must all occur", json!("A100")),
            Some("from") => ("The first instant, RFC 3339", json!("2026-09-01T00:00:00+08:00")),
            Some("to") => ("The first instant after it, RFC 3339", json!("2026-09-02T00:00:00+08:00")),
            Some("range") => ("`today`, `week`, `month` or `term`, instead of `from` and `to`", json!("week")),
            Some("offering") => ("Slug or id of an offering", json!("jupyterlab-slice")),
            Some("course") => ("Code or id of a course", json!("AI2301")),
            _ => continue,
        };
        if parameter["name"] == "limit" {
            parameter["schema"] = json!({"type": "integer", "minimum": 1, "maximum": MAX_LIMIT});
        }
        if parameter["description"].as_str().is_none_or(str::is_empty) {
            parameter["description"] = description.into();
        }
        if parameter.get("example").is_none() {
            parameter["example"] = example;
        }
    }
}

/// Problems that an operation has because of what it is.
fn usual(path: &str, operation: &Value) -> Vec<(&'static str, &'static str)> {
    let mut usual = Vec::new();
    if operation["security"].as_array().is_none_or(|all| all.iter().any(|each| each.get("token").is_some())) {
        usual.push(("401", "`unauthenticated`: no token, or it is no longer good"));
        usual.push(("403", "`scope_missing` or `forbidden`"));
    }
    if path.contains('{') {
        usual.push(("404", "`not_found`: it is not there, or not yours to see"));
    }
    if operation.get("requestBody").is_some() {
        usual.push(("400", "`malformed`: the body is no JSON object"));
    }
    if operation.get("requestBody").is_some() || operation["parameters"].as_array().is_some_and(|all| all.iter().any(|each| each["in"] == "query")) {
        usual.push(("422", "`invalid`: `errors` names each field"));
    }
    usual
}

fn complete(status: &str, response: &mut Value) {
    if !status.starts_with('2') {
        let description = response["description"].as_str().unwrap_or_default().to_owned();
        *response = problem_response(&description);
    } else if response["description"].as_str().is_none_or(str::is_empty) {
        response["description"] = "Done".into();
    }
}

fn problem_response(description: &str) -> Value {
    json!({"description": description, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}})
}

fn problem_schema() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "description": "RFC 9457. Members beside these are those of the error: `shortfalls`, `over`, `state`, …",
        "required": ["type", "title", "status", "code"],
        "properties": {
            "type": text, "title": text, "detail": text, "status": {"type": "integer"}, "request_id": text,
            "code": {"type": "string", "description": "Stable", "enum": problem::codes(), "examples": ["over_quota"]},
            "errors": {
                "type": "array",
                "description": "One for each field that does not fit, when `code` is `invalid`",
                "items": {"type": "object", "required": ["field", "code"], "properties": {"field": text, "code": text, "detail": text}},
            },
        },
    })
}

/// The document, made once.
pub fn whole() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
    &DOCUMENT
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "meta", security(()), responses((status = 200, body = Object, description = "An OpenAPI 3.1 document")))]
pub async fn show() -> Json<&'static Value> {
    Json(whole())
}
