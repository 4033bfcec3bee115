//! The log of a lab for browsers and programs: who may read it, and what is answered where there is none.

use serde_json::json;
use services::{
    Settings,
    jobs::{reconcile, watch},
    ports::Change,
    testing::TestWorld,
};
use storage::testing::{TestDatabase, number};

use crate::support::Portal;

async fn work(portal: &Portal) {
    while reconcile::due(&portal.world.services).await.unwrap() > 0 {}
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_a_job_is_read_after_its_pods_are_gone() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (teacher, cluster) = (portal.api(&people.teacher).await, &portal.world.cluster);
    let order = teacher.order("job", &json!({"offering": "batch-training", "course": "CV2402", "duration_minutes": 60})).await;
    let order_path = format!("/orders/{}", order["id"].as_str().unwrap());
    if order["state"] == "pending_approval" {
        portal.api(&people.manager).await.act(&format!("{order_path}/approve")).await;
    }
    work(&portal).await;
    let lab = teacher.read(&order_path).await["labs"][0].as_str().unwrap().to_owned();
    let path = format!("/labs/{lab}");
    assert_eq!(teacher.read(&path).await["job"], json!({"tries": 3, "outcome": null, "exit_code": null}));
    let id = lab.parse().unwrap();
    cluster.write_log(id, "epoch 1\nloss=0.1\n");
    cluster.finish(id);
    watch::take(&portal.world.services, &[Change::Lab(id)]).await.unwrap();
    work(&portal).await;

    let shown = teacher.read(&path).await;
    assert_eq!((shown["state"].as_str(), shown["job"]["outcome"].as_str()), (Some("stopped"), Some("finished")), "{shown}");
    let pod = shown["kept_logs"][0]["pod"].as_str().unwrap();
    assert_eq!((shown["kept_logs"][0]["attempt"].as_i64(), shown["kept_logs"][0]["bytes"].as_i64()), (Some(1), Some(17)));
    let log = teacher.get(&format!("{path}/logs?tail=1&member={pod}")).send().await.unwrap();
    assert_eq!(log.status(), 200);
    assert!(log.headers().contains_key("lectern-kept-at"));
    assert_eq!(log.text().await.unwrap(), "loss=0.1\n");
    assert_eq!(teacher.get(&format!("{path}/logs?previous=true")).send().await.unwrap().status(), 404, "it was the first");
    let file = portal.browser_of(&people.teacher).await.page(&format!("{path}/logs?tail=all&download=1")).await;
    assert_eq!(file.headers()["content-disposition"].to_str().unwrap(), format!("attachment; filename=\"{pod}-lab.log\""));
    assert_eq!(file.text().await.unwrap(), "epoch 1\nloss=0.1\n");
    assert_eq!(portal.api(&people.administrator).await.get(&format!("{path}/logs")).send().await.unwrap().status(), 404);
}
