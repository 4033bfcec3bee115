//! Who may ask for what: every page, every server function and every operation of the API for every role, as tables. A new route
//! changes a table, which somebody must then look at and accept. Nothing that a role asks for here exists, so 404 and 422 mean
//! "let in", 401, 403 and 303 mean "kept out".

use std::fmt::Write as _;

use http::Method;
use insta::assert_snapshot;
use server::{auth::public, rest, router::page_routes};
use services::Caller;

use crate::support::{People, Portal};

pub const NOBODY: &str = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e";
const ROLES: [&str; 6] = ["nobody", "teacher", "manager", "auditor", "operator", "admin"];

pub fn everybody(people: &People) -> [Option<&Caller>; 6] {
    let People { teacher, colleague: _, manager, auditor, operator, administrator } = people;
    [None, Some(teacher), Some(manager), Some(auditor), Some(operator), Some(administrator)]
}

pub fn filled(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') || part.starts_with(':') { NOBODY.to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn table(rows: &[(String, Vec<u16>)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut text = format!("{:width$}", "");
    for role in ROLES {
        let _ = write!(text, "  {role:>8}");
    }
    for (name, statuses) in rows {
        let _ = write!(text, "\n{name:width$}");
        for status in statuses {
            let _ = write!(text, "  {status:>8}");
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let mut paths: Vec<_> = page_routes().iter().map(|route| route.path().to_owned()).collect();
    paths.sort();
    let mut rows = Vec::new();
    for path in paths {
        let mut statuses = Vec::new();
        for person in everybody(&people) {
            let browser = match person {
                Some(person) => portal.browser_of(person).await,
                None => portal.browser(),
            };
            statuses.push(browser.page(&filled(&path)).await.status().as_u16());
        }
        rows.push((format!("GET {path}"), statuses));
    }
    assert_snapshot!("pages", table(&rows));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_functions() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let mut functions: Vec<_> = leptos::server_fn::axum::server_fn_paths().collect();
    functions.sort_by_key(|(path, _)| *path);
    let mut rows = Vec::new();
    for (path, method) in functions {
        let mut statuses = Vec::new();
        for (person, role) in everybody(&people).into_iter().zip(ROLES) {
            let browser = match person {
                // A session each: one of these ends it.
                Some(person) => portal.browser_of(person).await,
                None => portal.browser(),
            };
            let ask = if method == Method::GET {
                browser.client.get(portal.url(&format!("{path}?id={NOBODY}&slug=none")))
            } else if path == "/api/session/sign-in" {
                // An account each: after some failed tries of one its next has to wait, which says nothing of the role.
                browser.call(path, &[("id", NOBODY), ("login", role)])
            } else {
                browser.call(path, &[("id", NOBODY)])
            };
            statuses.push(ask.header("accept", "application/json").send().await.unwrap().status().as_u16());
        }
        rows.push((format!("{method} {path}"), statuses));
    }
    assert_snapshot!("server functions", table(&rows));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_of_the_api() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let mut rows = Vec::new();
    for operation in rest::operations() {
        let mut statuses = Vec::new();
        for person in everybody(&people) {
            let api = match person {
                Some(person) => portal.api(person).await,
                None => portal.api_without_token(),
            };
            let path = filled(operation.path);
            let ask = if operation.method == Method::GET {
                api.get(&path)
            } else if operation.path == "/orders" {
                let body = serde_json::json!({"offering": "jupyterlab-slice", "course": "CV2402", "duration_minutes": 60});
                api.post(&path).header("idempotency-key", "table").json(&body)
            } else if operation.path == "/approvals/approve" || operation.path == "/approvals/reject" {
                let chosen = serde_json::json!([{"id": NOBODY}]);
                let mut body = serde_json::json!({"orders": chosen});
                if operation.path.ends_with("/reject") {
                    body["reason"] = "a reason".into();
                }
                api.post(&path).json(&body)
            } else if operation.path == "/audit/searches" {
                api.post(&path).json(&serde_json::json!({"name": "table"}))
            } else if operation.path.ends_with("/reject") {
                api.post(&path).json(&serde_json::json!({"reason": "a reason"}))
            } else if operation.path.ends_with("/extend") {
                api.post(&path).json(&serde_json::json!({"minutes": 30}))
            } else if operation.path.ends_with("/ask") || operation.path.ends_with("/answer") {
                api.post(&path).json(&serde_json::json!({"text": "a text"}))
            } else if operation.path.starts_with("/policies") {
                // No policy has this version: whoever may write is told that it is stale.
                let body = serde_json::json!({"policy": {"rules": []}, "version": 99});
                if operation.method == Method::PUT {
                    api.put(&path).json(&body)
                } else {
                    api.post(&path).json(&serde_json::json!({"policy": {"rules": []}}))
                }
            } else if operation.method == Method::PUT {
                api.put(&path)
            } else if operation.method == Method::DELETE {
                api.delete(&path)
            } else {
                api.post(&path)
            };
            statuses.push(ask.send().await.unwrap().status().as_u16());
        }
        rows.push((format!("{} {}", operation.method, operation.path), statuses));
    }
    assert_snapshot!("operations", table(&rows));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_public_exists() {
    let functions: Vec<_> = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    for path in public::FUNCTIONS {
        assert!(functions.contains(&path), "{path} is public and does not exist");
    }
    let pages: Vec<_> = page_routes().iter().map(|route| route.path().to_owned()).collect();
    for path in public::PAGES {
        assert!(pages.iter().any(|page| page == path), "{path} is public and does not exist");
    }
    for path in public::ROUTES {
        assert!(public::is_public(path) && !pages.iter().any(|page| page == path), "{path} is a page");
    }
}
