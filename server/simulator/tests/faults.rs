//! The switches of what can go wrong: what a client gets byte for byte, and how an operator turns them.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod common;

use std::{pin::pin, time::Duration};

use common::{Cluster, cluster, create, http, in_phase, pod_spec, refusal, until};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node, Pod};
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams, WatchEvent, WatchParams},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use simulator::faults::{Fault, Rule};

fn maps(cluster: &Cluster) -> Api<ConfigMap> {
    Api::namespaced(cluster.client.clone(), "lab")
}

/// Status line, the headers that matter, and the body, as they come over the wire.
async fn raw(cluster: &Cluster, method: Method, path: &str, body: &str) -> (StatusCode, Vec<(String, String)>, String) {
    let answer = http(&cluster.simulator)
        .request(method, format!("https://{}{path}", cluster.simulator.addr()))
        .bearer_auth(cluster.simulator.token())
        .header("content-type", "application/merge-patch+json")
        .body(body.to_owned())
        .send()
        .await
        .unwrap();
    let named = ["content-type", "retry-after", "x-content-type-options", "cache-control"];
    let headers = named.iter().filter_map(|name| Some(((*name).to_owned(), answer.headers().get(*name)?.to_str().ok()?.to_owned()))).collect();
    (answer.status(), headers, answer.text().await.unwrap())
}

fn headers(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

const JSON: (&str, &str) = ("content-type", "application/json");
const TEXT: (&str, &str) = ("content-type", "text/plain; charset=utf-8");
const PRIVATE: (&str, &str) = ("cache-control", "no-cache, private");

#[tokio::test]
async fn refusals_are_those_of_a_real_server_byte_for_byte() {
    let cluster = cluster().await;
    create(&maps(&cluster), json!({"metadata": {"name": "one"}})).await.unwrap();
    let path = "/api/v1/namespaces/lab/configmaps/one";
    for (fault, code, named, body) in [
        (
            Fault::TooManyRequests { retry_after_seconds: 2 },
            429,
            headers(&[TEXT, ("retry-after", "2"), ("x-content-type-options", "nosniff"), PRIVATE]),
            "Too many requests, please try again later.\n",
        ),
        (
            Fault::Conflict,
            409,
            headers(&[JSON, PRIVATE]),
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Operation cannot be fulfilled on configmaps \"one\": the object has been modified; please apply your changes to the latest version and try again","reason":"Conflict","details":{"name":"one","kind":"configmaps"},"code":409}"#,
        ),
        (
            Fault::InternalError,
            500,
            headers(&[JSON, PRIVATE]),
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"etcdserver: leader changed","code":500}"#,
        ),
        (
            Fault::Unavailable,
            503,
            headers(&[JSON, ("retry-after", "5"), PRIVATE]),
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the request has been made before all known HTTP paths have been installed, please try again","reason":"ServiceUnavailable","details":{"retryAfterSeconds":5},"code":503}"#,
        ),
        (
            Fault::Timeout,
            504,
            headers(&[TEXT, PRIVATE]),
            r#"{"metadata":{},"status":"Failure","message":"Timeout: request did not complete within the allotted timeout","reason":"Timeout","details":{},"code":504}"#,
        ),
    ] {
        cluster.simulator.faults().switch_on(Rule::new(fault.clone()).requests(1));
        let (status, seen, text) = raw(&cluster, Method::PATCH, path, r#"{"data":{"by":"fault"}}"#).await;
        assert_eq!((status.as_u16(), text.trim_end()), (code, body.trim_end()), "{fault:?}");
        assert!(text.ends_with('\n'), "{fault:?}");
        let mut named = named;
        named.sort();
        let mut seen = seen;
        seen.sort();
        assert_eq!(seen, named, "{fault:?}");
        // Only what timed out was done.
        let map = maps(&cluster).get("one").await.unwrap();
        assert_eq!(map.data.is_some(), fault == Fault::Timeout, "{fault:?}");
    }
}

#[tokio::test]
async fn a_change_whose_connection_drops_was_made() {
    let cluster = cluster().await;
    cluster.simulator.faults().switch_on(Rule::new(Fault::Dropped).on_verbs(&["create"]).requests(1));
    let lost = create(&maps(&cluster), json!({"metadata": {"name": "one"}})).await;
    assert!(matches!(lost, Err(kube::Error::HyperError(_) | kube::Error::Service(_))), "{lost:?}");
    assert_eq!(refusal(create(&maps(&cluster), json!({"metadata": {"name": "one"}})).await).0, 409);
}

#[tokio::test]
async fn a_watch_that_runs_breaks_in_the_middle_of_a_line_or_expires() {
    let cluster = cluster().await;
    let maps = maps(&cluster);
    let version = maps.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let watch = || async { maps.watch(&WatchParams::default(), &version).await.unwrap() };
    let mut broken = pin!(watch().await);
    create(&maps, json!({"metadata": {"name": "one"}})).await.unwrap();
    assert!(matches!(broken.try_next().await.unwrap(), Some(WatchEvent::Added(_))));
    cluster.simulator.faults().switch_on(Rule::new(Fault::Dropped).on_verbs(&["watch"]).on_resources(&["configmaps"]).requests(1));
    assert!(broken.next().await.is_none(), "half a line is no event, and kube ends the stream");
    let path = format!("/api/v1/namespaces/lab/configmaps?watch=1&resourceVersion={version}");
    let mut raw = http(&cluster.simulator)
        .get(format!("https://{}{path}", cluster.simulator.addr()))
        .bearer_auth(cluster.simulator.token())
        .send()
        .await
        .unwrap();
    assert!(raw.chunk().await.unwrap().unwrap().starts_with(b"{\"type\":\"ADDED\""));
    cluster.simulator.faults().switch_on(Rule::new(Fault::Dropped).on_verbs(&["watch"]).requests(1));
    let mut half = Vec::new();
    let end = loop {
        match raw.chunk().await {
            Ok(Some(chunk)) => half.extend_from_slice(&chunk),
            other => break other,
        }
    };
    assert_eq!(String::from_utf8_lossy(&half), r#"{"type":"MODIFIED","object":{"kind":"#);
    assert!(end.is_err(), "the connection broke: {end:?}");
    let mut expired = pin!(watch().await);
    assert!(matches!(expired.try_next().await.unwrap(), Some(WatchEvent::Added(_))));
    cluster.simulator.faults().switch_on(Rule::new(Fault::Expired).requests(1));
    match expired.try_next().await.unwrap() {
        Some(WatchEvent::Error(status)) => assert_eq!((status.code, status.reason.as_str()), (410, "Expired")),
        other => panic!("expected an error, got {other:?}"),
    }
    // The next one is served as ever.
    assert!(matches!(pin!(watch().await).try_next().await.unwrap(), Some(WatchEvent::Added(_))));
}

#[tokio::test]
async fn a_server_that_was_away_has_everything_and_remembers_no_history() {
    let cluster = cluster().await;
    let maps = maps(&cluster);
    let old = create(&maps, json!({"metadata": {"name": "one"}})).await.unwrap().metadata.resource_version.unwrap();
    create(&maps, json!({"metadata": {"name": "two"}})).await.unwrap();
    let faults = cluster.simulator.faults();
    faults.switch_on(Rule::new(Fault::Away).lasting(Duration::from_millis(300)));
    assert!(maps.get("one").await.is_err());
    until("the server", || async { maps.get("one").await.ok() }).await;
    let stream = maps.watch(&WatchParams::default(), &old).await.unwrap();
    assert!(matches!(pin!(stream).try_next().await.unwrap(), Some(WatchEvent::Error(status)) if status.code == 410));
}

async fn ready(nodes: &Api<Node>, name: &str) -> (String, Vec<String>) {
    let node = nodes.get(name).await.unwrap();
    let ready = node.status.unwrap().conditions.unwrap().into_iter().find(|one| one.type_ == "Ready").unwrap();
    let taints = node.spec.unwrap().taints.unwrap_or_default().into_iter().map(|taint| format!("{} {}", taint.key, taint.effect));
    (ready.status, taints.collect())
}

#[tokio::test]
async fn a_lost_node_keeps_its_pods_until_it_is_back_or_deleted() {
    let cluster = cluster().await;
    let pods = Api::<Pod>::namespaced(cluster.client.clone(), "lab");
    let nodes = Api::<Node>::all(cluster.client.clone());
    create(&pods, json!({"metadata": {"name": "p"}, "spec": pod_spec(1)})).await.unwrap();
    let node = in_phase(&pods, "p", "Running").await.spec.unwrap().node_name.unwrap();
    let is_ready =
        |pod: &Pod| pod.status.iter().flat_map(|status| status.conditions.iter().flatten()).any(|one| one.type_ == "Ready" && one.status == "True");
    let switch = cluster.simulator.faults().switch_on(Rule::new(Fault::NodeLost(node.clone())));
    until("the node to be unknown", || async { (ready(&nodes, &node).await.0 == "Unknown").then_some(()) }).await;
    until("the taints", || async {
        let unreachable = ["node.kubernetes.io/unreachable NoSchedule", "node.kubernetes.io/unreachable NoExecute"];
        (ready(&nodes, &node).await.1 == unreachable).then_some(())
    })
    .await;
    until("the pod to be given up", || async { (!is_ready(&pods.get("p").await.unwrap())).then_some(()) }).await;
    // Evicted in the end, and there all the same: nobody knows whether it ended.
    until("the eviction", || async { pods.get("p").await.unwrap().metadata.deletion_timestamp.map(drop) }).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(pods.get_opt("p").await.unwrap().is_some());
    cluster.simulator.faults().switch_off(switch);
    until("the pod to end", || async { pods.get_opt("p").await.unwrap().is_none().then_some(()) }).await;
    assert_eq!(
        until("the node", || async { Some(ready(&nodes, &node).await).filter(|(ready, taints)| ready == "True" && taints.is_empty()) }).await.0,
        "True"
    );

    create(&pods, json!({"metadata": {"name": "q"}, "spec": {"nodeName": node, "containers": [{"name": "main", "image": "i"}]}})).await.unwrap();
    in_phase(&pods, "q", "Running").await;
    cluster.simulator.faults().switch_on(Rule::new(Fault::NodeLost(node.clone())));
    nodes.delete(&node, &DeleteParams::default()).await.unwrap();
    until("the pods of a node that is no more", || async { pods.get_opt("q").await.unwrap().is_none().then_some(()) }).await;
}

#[tokio::test]
async fn a_stuck_namespace_becomes_empty_and_stays_until_the_switch_is_off() {
    let cluster = cluster().await;
    let namespaces = Api::<Namespace>::all(cluster.client.clone());
    create(&maps(&cluster), json!({"metadata": {"name": "one"}})).await.unwrap();
    let switch = cluster.simulator.faults().switch_on(Rule::new(Fault::NamespacesStuck));
    namespaces.delete("lab", &DeleteParams::default()).await.unwrap();
    let conditions = || async { namespaces.get("lab").await.unwrap().status.unwrap().conditions };
    let stuck = until("the condition", conditions).await;
    assert_eq!((stuck[0].type_.as_str(), stuck[0].reason.as_deref()), ("NamespaceDeletionDiscoveryFailure", Some("DiscoveryFailed")));
    assert_eq!(maps(&cluster).list(&ListParams::default()).await.unwrap().items.len(), 0);
    assert_eq!(refusal(create(&maps(&cluster), json!({"metadata": {"name": "late"}})).await).0, 403);
    cluster.simulator.faults().switch_off(switch);
    until("the namespace to go", || async { namespaces.get_opt("lab").await.unwrap().is_none().then_some(()) }).await;
}

#[tokio::test]
async fn an_operator_turns_the_switches_over_http() {
    let cluster = cluster().await;
    let console = "/simulator/faults";
    let (status, _, text) = raw(&cluster, Method::POST, console, r#"{"fault": "Conflict", "resources": ["configmaps"], "requests": 1}"#).await;
    let made: Value = serde_json::from_str(&text).unwrap();
    let on = json!({"id": 1, "on": true, "fault": "Conflict", "verbs": [], "resources": ["configmaps"], "every": 1, "requests": 1, "struck": 0});
    assert_eq!((status, made), (StatusCode::CREATED, on));
    create(&maps(&cluster), json!({"metadata": {"name": "one"}})).await.unwrap();
    let change = Patch::Merge(json!({"data": {"a": "1"}}));
    assert_eq!(refusal(maps(&cluster).patch("one", &PatchParams::default(), &change).await).0, 409);
    maps(&cluster).patch("one", &PatchParams::default(), &change).await.unwrap();
    let listed: Value = serde_json::from_str(&raw(&cluster, Method::GET, console, "").await.2).unwrap();
    assert_eq!((&listed["faults"][0]["struck"], &listed["faults"][0]["on"]), (&json!(1), &json!(false)));

    // Even while nothing else is answered.
    raw(&cluster, Method::POST, console, r#"{"fault": "InternalError"}"#).await;
    assert_eq!(refusal(maps(&cluster).get("one").await).0, 500);
    let (status, ..) = raw(&cluster, Method::DELETE, "/simulator/faults/2", "").await;
    assert_eq!(status, StatusCode::OK);
    maps(&cluster).get("one").await.unwrap();
    raw(&cluster, Method::POST, console, r#"{"fault": "InternalError"}"#).await;
    raw(&cluster, Method::DELETE, console, "").await;
    maps(&cluster).get("one").await.unwrap();

    let (status, _, text) = raw(&cluster, Method::POST, console, r#"{"fault": "Away"}"#).await;
    assert!(status == StatusCode::BAD_REQUEST && text.contains("\\\"seconds\\\""), "{text}");
    assert_eq!(raw(&cluster, Method::POST, console, r#"{"fault": "Unicorn"}"#).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(raw(&cluster, Method::DELETE, "/simulator/faults/99", "").await.0, StatusCode::NOT_FOUND);
    let base = format!("https://{}{console}", cluster.simulator.addr());
    assert_eq!(http(&cluster.simulator).get(base).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}
