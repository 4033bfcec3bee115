//! Each class of error of the API: its status, headers and document.

use domain::access::Scope;
use http::Method;
use insta::assert_snapshot;
use serde_json::json;
use server::rest;
use storage::testing::number;

use crate::{
    support::{Portal, shown},
    who_may::filled,
};

const NOBODY: &str = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e";

fn slice(minutes: i64) -> serde_json::Value {
    json!({"offering": "jupyterlab-slice", "course": "CV2402", "parameters": {}, "duration_minutes": minutes})
}
fn ddp() -> serde_json::Value {
    json!({"offering": "pytorch-ddp-8", "course": "CV2402", "duration_minutes": 60})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_good_token_there_is_nothing() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    assert_snapshot!("no token", shown(portal.api_without_token().get("/offerings")).await);
    let mut wrong = portal.api_without_token();
    wrong.secret = Some("lct_0000000000000000000000000000000000000000000".into());
    assert_eq!(wrong.get("/offerings").send().await.unwrap().status(), 401);
    // A cookie is no token.
    let browser = portal.browser_of(&people.teacher).await;
    assert_eq!(browser.client.get(portal.url("/api/v1/offerings")).send().await.unwrap().status(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_at_the_door_is_on_record() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let mut wrong = portal.api_without_token();
    wrong.secret = Some("lct_wrong".into());
    let _ = wrong.get("/offerings").send().await.unwrap();
    let foreign = portal.browser().client.post(portal.url("/preferences")).header("sec-fetch-site", "cross-site");
    let _ = foreign.send().await.unwrap();
    services::audit::seal(&portal.world.services).await.unwrap();
    let auditor = portal.api(&people.auditor).await;
    for (action, code, via) in [("token.authenticate", "unauthenticated", "api"), ("session.cross_site", "cross_site", "web")] {
        let found = auditor.read(&format!("/audit/events?action={action}")).await;
        let event = &found["items"][0];
        assert_eq!((event["outcome"].as_str(), event["code"].as_str(), event["via"].as_str()), (Some("refused"), Some(code), Some(via)), "{found}");
        assert_eq!((event["chain"].as_str(), event["address"].as_str()), (Some("system"), Some("127.0.0.1")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_twice_is_refused() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    let before = teacher.read("/orders").await["items"].clone();
    let twice = teacher.post("/orders").header("idempotency-key", "one").header("idempotency-key", "two").json(&slice(60));
    assert_eq!(twice.send().await.unwrap().status(), 400);
    let body = r#"{"offering": "jupyterlab-slice", "course": "CV2402", "duration_minutes": 60, "duration_minutes": 90}"#;
    let twice = teacher.post("/orders").header("idempotency-key", "three").header("content-type", "application/json").body(body);
    assert_eq!(twice.send().await.unwrap().status(), 400);
    assert_eq!(teacher.read("/orders").await["items"], before, "nothing was ordered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_says_which_right_is_missing() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let reader = portal.token(&people.teacher, &[Scope::OfferingsRead]).await;
    assert_snapshot!("scope missing", shown(reader.post("/orders").header("idempotency-key", "k").json(&slice(60))).await);
    let auditor = portal.api(&people.auditor).await;
    assert_snapshot!("not allowed", shown(auditor.post("/orders").header("idempotency-key", "k").json(&slice(60))).await);
    let teacher = portal.api(&people.teacher).await;
    assert_eq!(teacher.get("/audit/events").send().await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_decides_their_own_order() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let manager = portal.api(&people.manager).await;
    let order = manager.order("own", &ddp()).await;
    assert_eq!(order["state"], "pending_approval");
    let path = format!("/orders/{}/approve", order["id"].as_str().unwrap());
    assert_snapshot!("own order", shown(manager.post(&path)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_may_not_see_does_not_exist() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    assert_snapshot!("not found", shown(teacher.get(&format!("/orders/{NOBODY}"))).await);
    let order = teacher.order("mine", &slice(60)).await;
    let path = format!("/orders/{}", order["id"].as_str().unwrap());
    let colleague = portal.api(&people.colleague).await;
    let (unknown, hidden) = (shown(teacher.get("/orders/no-id")).await, shown(colleague.get(&path)).await);
    assert_eq!(unknown, hidden, "somebody else's order looks like none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_and_methods_that_are_not_there_are_problems_too() {
    let portal = Portal::college().await;
    let api = portal.api_without_token();
    assert_snapshot!("no such path", shown(api.get("/nothing")).await);
    assert_snapshot!("no such method", shown(api.post("/usage")).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_no_json_is_malformed() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let api = portal.api(&people.teacher).await;
    let post = |media: &'static str, body: &'static str| api.post("/orders").header("idempotency-key", "k").header("content-type", media).body(body);
    assert_snapshot!("malformed", shown(post("application/json", "{\"offering\":")).await);
    assert_snapshot!("not an object", shown(post("application/json", "[1]")).await);
    assert_snapshot!("another media type", shown(post("application/x-www-form-urlencoded", "offering=1")).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_that_does_not_fit_is_named() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let api = portal.api(&people.teacher).await;
    let post = |body: serde_json::Value| api.post("/orders").header("idempotency-key", "k").json(&body);
    let types = json!({"offering": 7, "parameters": {"a": [1]}, "duration_minutes": true, "desks": 28});
    assert_snapshot!("wrong types", shown(post(types)).await);
    let values = json!({"offering": "jupyterlab-slice", "course": "CV2402", "parameters": {"storage": 1}, "duration_minutes": 5});
    assert_snapshot!("out of range", shown(post(values)).await);
    let strangers = json!({"offering": "no-such", "course": "CV2402", "duration_minutes": 60});
    assert_snapshot!("no such offering", shown(post(strangers)).await);
    let keyless = api.post("/orders").json(&slice(60));
    assert_snapshot!("no idempotency key", shown(keyless).await);
    let rejected = api.post(&format!("/orders/{NOBODY}/reject")).json(&json!({"why": "no"}));
    assert_snapshot!("wrong member", shown(rejected).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_read_as_strictly() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let api = portal.api(&people.teacher).await;
    assert_snapshot!("query", shown(api.get("/orders?state=done&limit=0&colour=red")).await);
    assert_eq!(api.get("/usage?month=2026-13").send().await.unwrap().status(), 422);
    assert_eq!(api.get("/orders?after=not-a-cursor").send().await.unwrap().status(), 422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_quota_and_budget_say_by_how_much() {
    let portal = Portal::college().await;
    portal.people().await;
    let small = portal.world.course("SMALL").cards(4).add().await;
    let poor = portal.world.course("POOR").budget(10).add().await;
    let teacher = portal.world.teacher("wang", &[&small, &poor]).await;
    let api = portal.api(&teacher).await;
    let post = |key: &'static str, course: &'static str| {
        let body = json!({"offering": "pytorch-ddp-8", "course": course, "duration_minutes": 120});
        api.post("/orders").header("idempotency-key", key).json(&body)
    };
    assert_snapshot!("over quota", shown(post("a", "SMALL")).await);
    assert_snapshot!("over budget", shown(post("b", "POOR")).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_for_one_order() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let api = portal.api(&people.teacher).await;
    let first = api.order("key-1", &slice(60)).await;
    let same = api.order("key-1", &slice(60)).await;
    assert_eq!(first["id"], same["id"]);
    assert_snapshot!("key reused", shown(api.post("/orders").header("idempotency-key", "key-1").json(&slice(90))).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_and_versions_are_held_to() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (teacher, manager) = (portal.api(&people.teacher).await, portal.api(&people.manager).await);
    let order = teacher.order("d", &ddp()).await;
    let path = |verb: &str| format!("/orders/{}/{verb}", order["id"].as_str().unwrap());
    assert_snapshot!("stale", shown(manager.post(&path("approve")).json(&json!({"version": 99}))).await);
    assert_eq!(teacher.act(&path("cancel")).await["state"], "cancelled");
    assert_snapshot!("wrong state", shown(manager.post(&path("reject")).json(&json!({"reason": "late"}))).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_texts_are_in_the_readers_language() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let secret = portal.api(&people.teacher).await.secret.unwrap();
    let ask = |language: &'static str| {
        let request = portal.browser().client.get(portal.url("/api/v1/orders?limit=0")).bearer_auth(&secret);
        shown(request.header("accept-language", language))
    };
    let (chinese, english) = (ask("zh-CN").await, ask("en").await);
    assert_ne!(chinese, english);
    assert!(chinese.contains("content-language: zh-CN") && english.contains("content-language: en"));
    assert!(!chinese.is_ascii() && english.is_ascii(), "{english}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_lacks_a_scope_is_not_made() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let db = &portal.world.services.db;
    let all = portal.api(&people.administrator).await;
    let course = all.read("/courses").await["items"][0]["id"].as_str().unwrap().to_owned();
    let colleague = people.colleague.actor.user.to_string();
    let changes = async || number(db, "SELECT COUNT(*) FROM audit_events WHERE outcome = 'success'").await;
    let bodies = [
        ("/courses", json!({"code": "NX1", "name": "New", "budget": 10, "cards": 1})),
        ("/courses/{id}", json!({"name": "Renamed"})),
        ("/courses/{id}/members", json!({"login": people.colleague.actor.login})),
        ("/courses/{id}/budget", json!({"amount": 5_000})),
        ("/prices", json!({"meter": "cpu", "price": "0.5", "from": "2099-01-01"})),
        ("/bills/close", json!({"month": "2020-01"})),
    ];
    let scoped = portal.token(&people.administrator, &[Scope::Admin]).await;
    let mut refused = Vec::new();
    for operation in rest::operations().into_iter().filter(|operation| operation.method != Method::GET) {
        let path = operation.path.replace("{user}", &colleague).replace("{id}", &course);
        let path = filled(&path);
        let body = bodies.iter().find(|(of, _)| *of == operation.path).map_or_else(|| json!({}), |(_, body)| body.clone());
        let ask = match operation.method {
            Method::PUT => scoped.put(&path),
            Method::DELETE => scoped.delete(&path),
            _ => scoped.post(&path),
        };
        let before = changes().await;
        if ask.json(&body).send().await.unwrap().status() == 403 {
            assert_eq!(changes().await, before, "{} {} was done and refused", operation.method, operation.path);
            refused.push(operation.path);
        }
    }
    for (path, _) in &bodies {
        assert!(refused.contains(path), "{path} was let in: {refused:?}");
    }
    let both = portal.token(&people.administrator, &[Scope::Admin, Scope::QuotasRead]).await;
    let added = both.post(&format!("/courses/{course}/members")).json(&bodies[2].1).send().await.unwrap();
    assert_eq!(added.status(), 200);
    let document = all.read("/openapi.json").await;
    let needs = &document["paths"]["/api/v1/courses/{id}/archive"]["post"]["security"];
    assert_eq!(*needs, json!([{"token": ["admin", "quotas:read"]}]));
}
