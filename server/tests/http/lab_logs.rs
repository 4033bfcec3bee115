//! The log of a lab for browsers and programs: who may read it, and what is answered where there is none.

use serde_json::json;
use services::{Settings, jobs::reconcile, testing::TestWorld};
use storage::testing::{TestDatabase, number};

use crate::support::Portal;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_that_has_not_started_has_no_log_and_others_know_of_no_lab() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    let body = json!({"offering": "jupyterlab-slice", "course": "CV2402", "parameters": {}, "duration_minutes": 60});
    let order = teacher.order("log", &body).await;
    let path = format!("/labs/{}/logs", order["labs"][0].as_str().unwrap());
    let said = teacher.get(&path).send().await.unwrap();
    assert_eq!(said.status(), 409);
    assert_eq!(said.json::<serde_json::Value>().await.unwrap()["code"], "invalid_transition");
    for bad in ["tail=-1", "tail=many", "follow=maybe", "lines=5"] {
        assert_eq!(teacher.get(&format!("{path}?{bad}")).send().await.unwrap().status(), 422, "{bad}");
    }
    assert_eq!(portal.api(&people.administrator).await.get(&path).send().await.unwrap().status(), 404);
    assert_eq!(portal.api(&people.colleague).await.get(&path).send().await.unwrap().status(), 409, "teaches the course");
    assert_eq!(portal.api(&people.manager).await.get(&path).send().await.unwrap().status(), 409);
    for (person, status) in [(&people.teacher, 409), (&people.colleague, 409), (&people.administrator, 404)] {
        let page = portal.browser_of(person).await.page(&format!("{path}?follow=true&download=1")).await;
        assert_eq!(page.status(), status);
        assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"), "an error is a page");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_earlier_run_that_there_was_not_is_no_refusal() {
    let portal =
        Portal::of(TestWorld::college_with(TestDatabase::sqlite().await, Settings { simulated_cluster: true, ..Settings::default() }).await).await;
    let people = portal.people().await;
    let body = json!({"offering": "jupyterlab-slice", "course": "CV2402", "parameters": {}, "duration_minutes": 60});
    let order = portal.api(&people.teacher).await.order("log", &body).await;
    while reconcile::due(&portal.world.services).await.unwrap() > 0 {}
    let path = format!("/labs/{}/logs", order["labs"][0].as_str().unwrap());
    let refused = async || {
        services::audit::refusals::flush_all(&portal.world.services).await.unwrap();
        number(&portal.world.services.db, "SELECT COUNT(*) FROM audit_events WHERE action = 'request.refuse'").await
    };
    let before = refused().await;
    // The cluster in memory keeps no log at all.
    let page = portal.browser_of(&people.teacher).await.page(&format!("{path}?previous=true")).await;
    assert_eq!((page.status().as_u16(), refused().await), (410, before));
    let page = portal.browser_of(&people.teacher).await.page(&path).await;
    assert_eq!((page.status().as_u16(), refused().await), (404, before + 1), "else the lab's log is not there");
}
