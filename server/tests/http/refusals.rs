//! Every refused request leaves a record: every page, every server function and every operation of the API, for everybody who may not use
//! it.

use http::Method;
use serde_json::json;
use server::{rest, router::page_routes};
use storage::testing::number;

use crate::{
    support::{Portal, location},
    who_may::{NOBODY, everybody, filled},
};

/// Attempts that have a record or are counted for one.
async fn records(portal: &Portal) -> i64 {
    services::audit::refusals::flush_all(&portal.world.services).await.expect("what was counted is written");
    number(
        &portal.world.services.db,
        "SELECT CAST(COALESCE(SUM(attempts), 0) AS BIGINT) + (SELECT CAST(COALESCE(SUM(attempts), 0) AS BIGINT) FROM audit_floods) FROM audit_events",
    )
    .await
}

struct Walk {
    portal: Portal,
    before: i64,
    refused: u32,
    silent: Vec<String>,
}

impl Walk {
    async fn of(portal: Portal) -> Self {
        let before = records(&portal).await;
        Self { portal, before, refused: 0, silent: Vec::new() }
    }

    /// Checks that this answer, if it refuses access, left a record.
    async fn answered(&mut self, what: String, response: reqwest::Response) {
        let status = response.status().as_u16();
        let sent_away = status == 303 && location(&response).starts_with(app::routes::SIGN_IN);
        let now = records(&self.portal).await;
        if matches!(status, 401 | 403) || sent_away {
            self.refused += 1;
            if now <= self.before {
                self.silent.push(format!("{status} {what}"));
            }
        }
        self.before = now;
    }

    fn end(self, least: u32) {
        assert_eq!(self.silent, Vec::<String>::new(), "refused without a record");
        assert!(self.refused >= least, "only {} were refused", self.refused);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_refused_leaves_a_record() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let mut walk = Walk::of(portal).await;
    for (number, person) in everybody(&people).into_iter().enumerate() {
        let browser = match person {
            Some(person) => walk.portal.browser_of(person).await,
            None => walk.portal.browser(),
        };
        walk.before = records(&walk.portal).await;
        for route in page_routes() {
            let response = browser.page(&filled(route.path())).await;
            walk.answered(format!("{} for {number}", route.path()), response).await;
        }
    }
    walk.end(40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_function_that_is_refused_leaves_a_record() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let functions: Vec<_> = leptos::server_fn::axum::server_fn_paths().collect();
    let mut walk = Walk::of(portal).await;
    for (number, person) in everybody(&people).into_iter().enumerate() {
        for (path, method) in &functions {
            // One session for each call, since one of the functions ends it.
            let browser = match person {
                Some(person) => walk.portal.browser_of(person).await,
                None => walk.portal.browser(),
            };
            walk.before = records(&walk.portal).await;
            let ask = if *method == Method::GET {
                browser.client.get(walk.portal.url(&format!("{path}?id={NOBODY}&slug=none")))
            } else {
                browser.call(path, &[("id", NOBODY)])
            };
            let response = ask.header("accept", "application/json").send().await.unwrap();
            walk.answered(format!("{path} for {number}"), response).await;
        }
    }
    walk.end(150);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_is_refused_leaves_a_record() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let mut walk = Walk::of(portal).await;
    for (number, person) in everybody(&people).into_iter().enumerate() {
        let api = match person {
            Some(person) => walk.portal.api(person).await,
            None => walk.portal.api_without_token(),
        };
        walk.before = records(&walk.portal).await;
        for operation in rest::operations() {
            let path = filled(operation.path);
            let response = match operation.method {
                Method::GET => api.get(&path),
                Method::PUT => api.put(&path),
                Method::DELETE => api.delete(&path),
                _ => api.post(&path),
            };
            let response = response.send().await.unwrap();
            walk.answered(format!("{} {} for {number}", operation.method, operation.path), response).await;
        }
    }
    walk.end(100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_belongs_to_another_college_is_not_there_and_asking_leaves_a_record() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let elsewhere = portal.world.other_tenant("law").await;
    let stranger = portal.world.person("judge").in_tenant(elsewhere).role(domain::access::Role::Teacher).add().await;
    let order = json!({"offering": "jupyterlab-slice", "course": "CV2402", "duration_minutes": 60});
    let teacher = portal.api(&people.teacher).await;
    let made: serde_json::Value = teacher.post("/orders").header("idempotency-key", "one").json(&order).send().await.unwrap().json().await.unwrap();
    let id = made["id"].as_str().unwrap().to_owned();
    let (api, browser) = (portal.api(&stranger).await, portal.browser_of(&stranger).await);
    let mut before = records(&portal).await;
    let answers = [
        api.get(&format!("/orders/{id}")).send().await.unwrap(),
        browser.page(&format!("/orders/{id}")).await,
        browser.call("/api/account/end-session", &[("id", NOBODY)]).send().await.unwrap(),
        browser.call("/api/notifications/read", &[("id", NOBODY)]).send().await.unwrap(),
    ];
    for (number, response) in answers.into_iter().enumerate() {
        assert_eq!(response.status(), 404, "{number}");
    }
    let after = records(&portal).await;
    assert!(after >= before + 4, "{before} and {after}");
    before = after;
    let nobody = portal.browser();
    // A page that is left open asks on after its session has ended.
    for _ in 0..3 {
        portal.world.clock.advance(60);
        let asked = nobody.client.get(portal.url("/orders")).header("cookie", "lectern=AAAAAAAAAAAAAAAAAAAAAA").header("accept", "text/html");
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), 303);
    }
    assert_eq!(records(&portal).await, before + 3, "the first has a record, the others are counted");
    let of_nobody = "SELECT COUNT(*) FROM audit_events WHERE action = 'session.authenticate' AND outcome = 'refused'";
    assert_eq!(number(&portal.world.services.db, of_nobody).await, 2);
    let counted = "SELECT MAX(attempts) FROM audit_events WHERE action = 'session.authenticate' AND outcome = 'refused'";
    assert_eq!(number(&portal.world.services.db, counted).await, 2);
}
