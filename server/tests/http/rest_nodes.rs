//! `/gpu-inventory` and `/nodes`: what the watch has written down, in the shape that programs rely on.

use domain::{access::Scope, cluster::Hold};
use serde_json::{Value, json};
use services::{jobs::watch, ports::Change, testing::TestWorld};

use crate::support::Portal;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inventory_is_an_object_of_nodes_by_name() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let world = &portal.world;
    world.cluster.report_temperature("gpu-1", 62);
    let hold = Hold { namespace: "default".into(), pod: "stray".into(), lab: None, card: "a100-80g".parse().unwrap(), cards: 6 };
    world.cluster.hold("gpu-1", hold);
    watch::take(&world.services, &[Change::Nodes]).await.unwrap();
    let before = world.cluster.calls().len();

    let operator = portal.token(&people.operator, &[Scope::Admin]).await;
    let mut shown = operator.read("/gpu-inventory").await;
    assert_eq!(world.cluster.calls().len(), before, "no request asks the cluster");
    let reported = shown["gpu-1"]["reported_at"].take();
    assert!(reported.as_str().is_some_and(|text| text.ends_with('Z')), "{reported}");
    assert_eq!(
        shown["gpu-1"],
        json!({
            "gpu_free": 2, "driver_version": "550.54.15", "temperature": 62,
            "model": "NVIDIA-A100-SXM4-80GB", "vendor": "nvidia", "gpu_total": 8, "gpu_allocated": 6, "mig": [],
            "ready": true, "schedulable": true, "reported_at": null,
        })
    );
    assert_eq!(shown["gpu-2"]["temperature"], Value::Null, "nothing on it reports one");
    assert_eq!(shown["gpu-3"]["mig"], json!([{"card": "a100-80g-1g.10gb", "total": 14, "used": 0, "free": 14}]));
    assert_eq!(shown.as_object().unwrap().len(), 3);

    let scopeless = portal.token(&people.operator, &[Scope::LabsRead]).await;
    assert_eq!(scopeless.get("/gpu-inventory").send().await.unwrap().status(), 403);
    let teacher = portal.api(&people.teacher).await;
    assert_eq!(teacher.get("/gpu-inventory").send().await.unwrap().status(), 403);
    assert_eq!(portal.api_without_token().get("/gpu-inventory").send().await.unwrap().status(), 401);
    assert_eq!(operator.get("/gpu-inventory?node=gpu-1").send().await.unwrap().status(), 422, "an unknown parameter is named");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_tells_who_holds_its_cards_and_the_list_what_to_look_at() {
    let portal = Portal::of(TestWorld::college().await).await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    let order = teacher.order("one", &json!({"offering": "jupyterlab-slice", "course": "CV2402", "duration_minutes": 60})).await;
    portal.world.cluster.report_temperature("gpu-1", 91);
    watch::take(&portal.world.services, &[Change::Nodes]).await.unwrap();
    let operator = portal.api(&people.operator).await;
    let node = operator.read("/nodes/gpu-3").await;
    assert_eq!((&node["name"], &node["ready"], &node["cards"][0]["used"]), (&json!("gpu-3"), &json!(true), &json!(1)));
    let holder = &node["holders"][0];
    assert_eq!((&holder["lab"]["id"], &holder["lab"]["course"]["code"], &holder["pod"]), (&order["labs"][0], &json!("CV2402"), &Value::Null));
    assert_eq!(operator.get("/nodes/gpu-9").send().await.unwrap().status(), 404);

    let first = operator.read("/nodes?limit=2").await;
    assert_eq!((first["items"].as_array().unwrap().len(), &first["items"][1]["name"]), (2, &json!("gpu-2")));
    assert_eq!(first["findings"], json!([{"kind": "hot", "node": "gpu-1", "celsius": 91}]));
    let rest = operator.read(&format!("/nodes?limit=2&after={}", first["next"].as_str().unwrap())).await;
    assert_eq!((&rest["items"][0]["name"], &rest["next"]), (&json!("gpu-3"), &Value::Null));
}
