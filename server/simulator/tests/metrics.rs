//! The metrics of pods, which only pods with an annotation have.
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
    let path = format!("/apis/metrics.k8s.io/v1beta1/namespaces/lab/pods/{name}");
    cluster.client.request(Request::get(path).body(Vec::new()).unwrap()).await
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
