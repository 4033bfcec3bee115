//! The metrics of pods that only pretend, which those with an annotation have, and of their nodes.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod common;

use common::{Cluster, cluster, create, in_phase, refusal};
use http::Request;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use serde_json::{Value, json};

async fn run_pod(cluster: &Cluster, name: &str, annotations: Value) {
    let pods = Api::<Pod>::namespaced(cluster.client.clone(), "lab");
    let spec = json!({"containers": [{"name": "main", "image": "x"}, {"name": "side", "image": "x"}]});
    create(&pods, json!({"metadata": {"name": name, "annotations": annotations}, "spec": spec})).await.unwrap();
    in_phase(&pods, name, "Running").await;
}

async fn metrics(cluster: &Cluster, name: &str) -> kube::Result<Value> {
    read(cluster, &format!("namespaces/lab/pods/{name}")).await
}

async fn read(cluster: &Cluster, path: &str) -> kube::Result<Value> {
    let path = format!("/apis/metrics.k8s.io/v1beta1/{path}");
    cluster.client.request(Request::get(path).body(Vec::new()).unwrap()).await
}

/// The names in a list.
fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|each| each["metadata"]["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_pod_uses_what_its_annotation_says() {
    let cluster = cluster().await;
    run_pod(&cluster, "busy", json!({"fake-kubelet/cpu": "1500m"})).await;
    run_pod(&cluster, "plain", json!({})).await;
    let busy = metrics(&cluster, "busy").await.unwrap();
    assert_eq!((busy["kind"].as_str(), busy["metadata"]["name"].as_str()), (Some("PodMetrics"), Some("busy")));
    let usage: Vec<_> = busy["containers"].as_array().unwrap().iter().map(|each| each["usage"]["cpu"].as_str().unwrap()).collect();
    assert_eq!(usage, ["1500m", "0"]);
    for name in ["plain", "none"] {
        let expected = format!("podmetrics.metrics.k8s.io \"lab/{name}\" not found");
        assert_eq!(refusal(metrics(&cluster, name).await), (404, expected));
    }
}

#[tokio::test]
async fn lists_have_what_is_measured() {
    let cluster = cluster().await;
    run_pod(&cluster, "busy", json!({"fake-kubelet/cpu": "1500m"})).await;
    run_pod(&cluster, "calm", json!({"fake-kubelet/cpu": "20m"})).await;
    run_pod(&cluster, "plain", json!({})).await;
    for path in ["namespaces/lab/pods", "pods"] {
        let list = read(&cluster, path).await.unwrap();
        assert_eq!((list["kind"].as_str(), names(&list)), (Some("PodMetricsList"), vec!["busy", "calm"]), "{path}");
    }
    let none = read(&cluster, "namespaces/lab/pods?labelSelector=app%3Dx").await.unwrap();
    assert_eq!(names(&none), [""; 0]);
    let nodes = read(&cluster, "nodes").await.unwrap();
    assert_eq!(nodes["kind"], "NodeMetricsList");
    let used = |node: &Value| matches!(node["usage"]["cpu"].as_str(), Some("1520m" | "1500m" | "20m"));
    assert!(nodes["items"].as_array().unwrap().iter().any(used), "{nodes}");
    let name = names(&nodes)[0].to_owned();
    assert_eq!(read(&cluster, &format!("nodes/{name}")).await.unwrap()["kind"], "NodeMetrics");
    assert_eq!(refusal(read(&cluster, "nodes/none").await), (404, "nodemetrics.metrics.k8s.io \"none\" not found".to_owned()));
    // kubectl top asks whether there are any.
    let groups = cluster.client.list_api_groups().await.unwrap().groups;
    assert!(groups.iter().any(|group| group.name == "metrics.k8s.io"));
}
