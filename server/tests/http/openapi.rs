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
