//! The description of the API holds all of it, and nothing that is not there.

use std::collections::BTreeSet;

use serde_json::Value;
use server::rest;

use crate::support::Portal;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_describes_every_operation_and_no_other() {
    let portal = Portal::college().await;
    let document = portal.api_without_token().read("/openapi.json").await;
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let there: BTreeSet<_> = rest::operations().iter().map(|each| format!("{} {}{}", each.method, rest::PREFIX, each.path)).collect();
    assert_eq!(described, there);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reference_in_the_document_leads_somewhere() {
    let portal = Portal::college().await;
    let document = portal.api_without_token().read("/openapi.json").await;
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 10, "{references:?}");
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                references.push(reference.clone());
            }
            members.values().for_each(|member| collect(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_says_what_it_does_and_has_a_good_answer() {
    let portal = Portal::college().await;
    let document = portal.api_without_token().read("/openapi.json").await;
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 5), "{method} {path} has no summary");
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(response["description"].is_string(), "{method} {path} does not say what {status} is");
            }
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path} has another's id");
            let good = operation["responses"].as_object().unwrap().keys().any(|status| status.starts_with('2'));
            assert!(good, "{method} {path} has no good answer");
        }
    }
}

/// Every operation with its name for a message.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let items = document["paths"].as_object().unwrap().iter();
    items.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, operation)| (format!("{method} {path}"), operation))).collect()
}

fn assert_nothing_lacks(lacking: &[String]) {
    assert!(lacking.is_empty(), "the description of the API lacks:\n{}", lacking.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_body_has_an_example_of_all_that_is_required() {
    let document = rest::openapi::document();
    let mut lacking = Vec::new();
    for (name, operation) in operations(&document) {
        let Some(body) = operation.get("requestBody") else { continue };
        let content = &body["content"]["application/json"];
        let schema = resolved(&document, &content["schema"]);
        for field in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if content["example"].get(field).is_none_or(Value::is_null) {
                lacking.push(format!("{name}: an example of `{field}`; add #[schema(example = …)] to the field of its body"));
            }
        }
        if content["example"].as_object().is_none_or(serde_json::Map::is_empty) {
            lacking.push(format!("{name}: an example of its body; add #[schema(example = …)] to the fields of its body"));
        }
    }
    assert_nothing_lacks(&lacking);
}

/// What a reference, or the one choice beside `null`, leads to.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return document.pointer(reference.trim_start_matches('#')).unwrap();
    }
    match schema["oneOf"].as_array().and_then(|choices| choices.iter().find(|choice| choice["type"] != "null")) {
        Some(choice) => resolved(document, choice),
        None => schema,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_a_schema_and_every_problem_its_codes() {
    let document = rest::openapi::document();
    let codes = rest::problem::codes();
    assert_eq!(document.pointer("/components/schemas/Problem/properties/code/enum").unwrap(), &serde_json::json!(codes));
    let mut lacking = Vec::new();
    for (name, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let content = response["content"].as_object();
            if status.starts_with('2') {
                let described = content.is_some_and(|content| content.values().all(|one| one["schema"].is_object()));
                // 204 has nothing to describe.
                if status != "204" && !described {
                    lacking.push(format!("{name}: the schema of {status}; add `body = …` to that response of its utoipa::path"));
                }
                continue;
            }
            assert!(content.is_some_and(|content| content.contains_key("application/problem+json")), "{name} {status} is no problem document");
            let named: Vec<_> = response["description"].as_str().unwrap_or_default().split('`').skip(1).step_by(2).collect();
            if status != "default" && !named.iter().any(|code| codes.contains(code)) {
                lacking.push(format!("{name}: which codes {status} has; name them between backquotes in that response's description"));
            }
        }
    }
    assert_nothing_lacks(&lacking);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_parameter_says_what_it_is() {
    let document = rest::openapi::document();
    let mut lacking = Vec::new();
    for (name, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let field = parameter["name"].as_str().unwrap();
            if parameter["description"].as_str().is_none_or(str::is_empty) {
                lacking.push(format!("{name}: what `{field}` is; add `description = \"…\"` to it in `params` of its utoipa::path"));
            }
            if parameter["required"] == true && parameter.get("example").is_none() {
                lacking.push(format!("{name}: an example of `{field}`; add `example = \"…\"` to it in `params` of its utoipa::path"));
            }
        }
    }
    assert_nothing_lacks(&lacking);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_for_readers_shows_every_operation() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let page = portal.browser_of(&people.auditor).await.page("/api-docs").await;
    assert_eq!(page.status(), 200);
    let html = page.text().await.unwrap();
    let document = rest::openapi::document();
    for (name, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(html.contains(&format!("<details id=\"{id}\"")), "{name} is not on the page");
        let path = name.split_once(' ').unwrap().1;
        let url = path.replace("{id}", "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e");
        assert!(html.contains(path) && (path.contains('{') || html.contains(&format!("$LECTERN{url}"))), "{name} has no line for a shell");
    }
    assert!(html.contains("idempotency_key_reused"), "the codes are there");
    assert_eq!(portal.browser().page("/api-docs").await.status(), 303, "only for who is signed in");
}

/// Two types of one name would be one shape in the document, and one of them wrongly described.
#[test]
fn no_two_shapes_have_one_name() {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir("src/rest").unwrap() {
        let path = entry.unwrap().path();
        // Folders have the parts and tests of the file beside them, which describe no shapes.
        if path.is_dir() {
            continue;
        }
        let source = std::fs::read_to_string(path).unwrap();
        for described in source.split("ToSchema)]").skip(1) {
            let name = described
                .split("pub struct ")
                .nth(1)
                .into_iter()
                .chain(described.split("pub enum ").nth(1))
                .min_by_key(|rest| std::cmp::Reverse(rest.len()));
            let name: String = name.unwrap_or_default().chars().take_while(char::is_ascii_alphanumeric).collect();
            assert!(names.insert(name.clone()), "two shapes are called {name}");
        }
    }
    assert!(names.len() > 50, "{names:?}");
}
