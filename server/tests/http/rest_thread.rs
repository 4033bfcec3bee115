//! The thread by API: order, approve, run, stop, start, destroy, usage, bill, audit. On both databases.

use serde_json::{Value, json};
use services::{Services, jobs, testing::TestWorld};
use storage::testing::for_each_engine;

use crate::support::Portal;

/// Background work until there is none left.
async fn work(services: &Services) {
    for _ in 0..20 {
        jobs::watch::resync(services).await.unwrap();
        if jobs::reconcile::due(services).await.unwrap() == 0 {
            return;
        }
    }
}

fn id(value: &Value) -> &str {
    value["id"].as_str().expect("an id")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_teacher_orders_a_manager_approves_and_bill_and_audit_show_it() {
    for_each_engine("http::rest_thread", |database| async {
        let portal = Portal::of(TestWorld::college_on(database).await).await;
        let people = portal.people().await;
        let services = portal.world.services.clone();
        let (teacher, manager) = (portal.api(&people.teacher).await, portal.api(&people.manager).await);

        let offerings = teacher.read("/offerings").await;
        assert_eq!(offerings["items"].as_array().unwrap().len(), 8);
        let body = json!({"offering": "pytorch-ddp-8", "course": "CV2402", "parameters": {}, "duration_minutes": "120", "purpose": "Lesson 7"});
        let order = teacher.order("thread-1", &body).await;
        assert_eq!((order["state"].as_str(), order["labs"].as_array().unwrap().len()), (Some("pending_approval"), 0));
        assert!(order["estimate"]["total"]["micros"].as_i64().unwrap() > 0);
        assert_eq!(order["estimate"]["total"]["currency"], "CNY");

        let waiting = manager.read("/orders?state=pending_approval").await;
        assert_eq!(id(&waiting["items"][0]), id(&order));
        let approved = manager.act(&format!("/orders/{}/approve", id(&order))).await;
        assert_eq!(approved["state"], "approved");
        assert_eq!(approved["decided_by"]["login"], "manager");

        work(&services).await;
        let lab = format!("/labs/{}", approved["labs"][0].as_str().unwrap());
        let running = teacher.read(&lab).await;
        assert_eq!(running["state"], "running");
        assert_eq!(running["pods_ready"], 8);
        assert_eq!(teacher.read(&format!("/orders/{}", id(&order))).await["state"], "fulfilled");

        portal.world.clock.advance(600);
        assert_eq!(teacher.act(&format!("{lab}/stop")).await["state"], "stopping");
        work(&services).await;
        assert_eq!(teacher.read(&lab).await["state"], "stopped");
        assert_eq!(teacher.act(&format!("{lab}/start")).await["state"], "pending");
        work(&services).await;
        assert_eq!(teacher.read(&lab).await["state"], "running");
        portal.world.clock.advance(300);
        assert_eq!(teacher.act(&format!("{lab}/destroy")).await["state"], "destroying");
        work(&services).await;
        assert_eq!(teacher.read(&lab).await["state"], "destroyed");

        jobs::metering::run(&services).await.unwrap();
        let usage = teacher.read("/usage?course=CV2402").await;
        let cards: i64 = usage["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|line| line["meter"].as_str().unwrap().starts_with("gpu-"))
            .map(|line| line["seconds"].as_i64().unwrap() * line["quantity"].as_i64().unwrap())
            .sum();
        assert_eq!(cards, 8 * 900, "eight cards for fifteen minutes, to the second");
        let bill = &teacher.read("/bills?month=2026-11&course=CV2402").await["items"][0];
        let lines: i64 = bill["lines"].as_array().unwrap().iter().map(|line| line["amount"]["micros"].as_i64().unwrap()).sum();
        assert_eq!(bill["total"]["micros"].as_i64(), Some(lines));
        assert!(lines > 0);
        assert_eq!(teacher.read("/bills?month=2026-11").await["items"][0]["total"], bill["total"]);
        assert_eq!(teacher.read("/quotas").await["items"][0]["used"]["cards"], 0.0);

        services::audit::seal(&services).await.unwrap();
        let auditor = portal.api(&people.auditor).await;
        let events = auditor.read("/audit/events?person=manager&action=order.").await;
        let decided = events["items"].as_array().unwrap().iter().find(|event| event["action"] == "order.approve").expect("the decision is on record");
        assert_eq!((decided["outcome"].as_str(), decided["via"].as_str()), (Some("success"), Some("api")));
        assert!(decided["seal"]["hash"].as_str().is_some_and(|hash| hash.len() == 64));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_read_page_by_page_without_gaps() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    let mut ordered = Vec::new();
    for number in 0..5 {
        let body = json!({"offering": "jupyterlab-slice", "course": "CV2402", "duration_minutes": 60});
        ordered.push(id(&teacher.order(&format!("page-{number}"), &body).await).to_owned());
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = teacher.read(&format!("/orders?limit=2{after}")).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|order| id(order).to_owned()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    ordered.reverse();
    assert_eq!(seen, ordered, "newest first, each once");
}
