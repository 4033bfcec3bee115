//! ResourceQuota and LimitRange: refusals in the real words, figures that follow.

mod common;

use common::{apply, cluster, create, in_phase, pod_spec, refusal, until};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{Event, LimitRange, PersistentVolumeClaim, Pod, ResourceQuota},
};
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};
use serde_json::json;

fn quota(hard: &serde_json::Value) -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": hard}})
}

#[tokio::test]
async fn cards_beyond_the_quota_are_refused_and_come_back_when_a_pod_goes() {
    let cluster = cluster().await;
    let quotas = Api::<ResourceQuota>::namespaced(cluster.client.clone(), "lab");
    let pods = Api::<Pod>::namespaced(cluster.client.clone(), "lab");
    apply(&quotas, quota(&json!({"requests.nvidia.com/gpu": "2", "pods": "3"}))).await.unwrap();
    create(&pods, json!({"metadata": {"name": "one"}, "spec": pod_spec(2)})).await.unwrap();
    let (code, message) = refusal(create(&pods, json!({"metadata": {"name": "two"}, "spec": pod_spec(1)})).await);
    let expected = "pods \"two\" is forbidden: exceeded quota: q, requested: requests.nvidia.com/gpu=1, used: requests.nvidia.com/gpu=2, limited: requests.nvidia.com/gpu=2";
    assert_eq!((code, message.as_str()), (403, expected));
    let used = quotas.get("q").await.unwrap().status.unwrap().used.unwrap();
    assert_eq!((used["requests.nvidia.com/gpu"].0.as_str(), used["pods"].0.as_str()), ("2", "1"));
    in_phase(&pods, "one", "Running").await;
    pods.delete("one", &DeleteParams::default()).await.unwrap();
    until("the card to be free", || async { create(&pods, json!({"metadata": {"name": "two"}, "spec": pod_spec(1)})).await.ok() }).await;
}

#[tokio::test]
async fn a_quota_on_cpu_wants_every_container_to_say_how_much() {
    let cluster = cluster().await;
    let quotas = Api::<ResourceQuota>::namespaced(cluster.client.clone(), "lab");
    let pods = Api::<Pod>::namespaced(cluster.client.clone(), "lab");
    apply(&quotas, quota(&json!({"requests.cpu": "4", "limits.memory": "8Gi"}))).await.unwrap();
    let (code, message) = refusal(create(&pods, json!({"metadata": {"name": "a"}, "spec": pod_spec(0)})).await);
    assert_eq!(
        (code, message.as_str()),
        (403, "pods \"a\" is forbidden: failed quota: q: must specify limits.memory for: main; requests.cpu for: main")
    );
    let spec = json!({"containers": [{"name": "main", "image": "i", "resources": {"limits": {"cpu": "3", "memory": "6Gi"}}}]});
    create(&pods, json!({"metadata": {"name": "a"}, "spec": spec})).await.unwrap();
    let (_, message) = refusal(create(&pods, json!({"metadata": {"name": "b"}, "spec": spec})).await);
    assert!(message.ends_with("exceeded quota: q, requested: limits.memory=6Gi,requests.cpu=3, used: limits.memory=6Gi,requests.cpu=3, limited: limits.memory=8Gi,requests.cpu=4"), "{message}");
}

#[tokio::test]
async fn storage_and_object_counts_are_limited_too() {
    let cluster = cluster().await;
    let quotas = Api::<ResourceQuota>::namespaced(cluster.client.clone(), "lab");
    let claims = Api::<PersistentVolumeClaim>::namespaced(cluster.client.clone(), "lab");
    let claim = |name: &str, size: &str| json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}});
    apply(&quotas, quota(&json!({"requests.storage": "1Ti", "count/statefulsets.apps": "0"}))).await.unwrap();
    create(&claims, claim("a", "800Gi")).await.unwrap();
    let (_, message) = refusal(create(&claims, claim("b", "300Gi")).await);
    assert!(message.ends_with("requested: requests.storage=300Gi, used: requests.storage=800Gi, limited: requests.storage=1Ti"), "{message}");
    let sets = Api::<StatefulSet>::namespaced(cluster.client.clone(), "lab");
    let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "s"}, "spec": {"serviceName": "s", "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod_spec(0)}}});
    assert_eq!(
        refusal(apply(&sets, set).await).1,
        "statefulsets.apps \"s\" is forbidden: exceeded quota: q, requested: count/statefulsets.apps=1, used: count/statefulsets.apps=0, limited: count/statefulsets.apps=0"
    );
}

#[tokio::test]
async fn a_workload_over_quota_says_so_in_an_event_and_starts_when_there_is_room() {
    let cluster = cluster().await;
    let quotas = Api::<ResourceQuota>::namespaced(cluster.client.clone(), "lab");
    let sets = Api::<StatefulSet>::namespaced(cluster.client.clone(), "lab");
    let events = Api::<Event>::namespaced(cluster.client.clone(), "lab");
    apply(&quotas, quota(&json!({"requests.nvidia.com/gpu": "1"}))).await.unwrap();
    let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "s"}, "spec": {"serviceName": "s", "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod_spec(2)}}});
    apply(&sets, set).await.unwrap();
    let event = until("the event", || async {
        let list = events.list(&ListParams::default().fields("involvedObject.name=s")).await.unwrap();
        list.items.into_iter().find(|event| event.reason.as_deref() == Some("FailedCreate"))
    })
    .await;
    let message = event.message.unwrap();
    assert!(
        message.starts_with(
            "create Pod s-0 in StatefulSet s failed error: pods \"s-0\" is forbidden: exceeded quota: q, requested: requests.nvidia.com/gpu=2"
        ),
        "{message}"
    );
    apply(&quotas, quota(&json!({"requests.nvidia.com/gpu": "2"}))).await.unwrap();
    in_phase(&Api::namespaced(cluster.client.clone(), "lab"), "s-0", "Running").await;
}

#[tokio::test]
async fn a_limit_range_gives_defaults_and_keeps_bounds() {
    let cluster = cluster().await;
    let ranges = Api::<LimitRange>::namespaced(cluster.client.clone(), "lab");
    let pods = Api::<Pod>::namespaced(cluster.client.clone(), "lab");
    let limits = json!([{"type": "Container", "max": {"cpu": 2, "memory": "2Gi"}, "min": {"cpu": "100m"}, "default": {"cpu": "1"}, "defaultRequest": {"cpu": "500m"}}]);
    let made = create(&ranges, json!({"metadata": {"name": "l"}, "spec": {"limits": limits}})).await.unwrap();
    assert_eq!(made.spec.unwrap().limits[0].max.as_ref().unwrap()["cpu"].0, "2");
    let pod = create(&pods, json!({"metadata": {"name": "a"}, "spec": pod_spec(0)})).await.unwrap();
    let resources = pod.spec.unwrap().containers[0].resources.clone().unwrap();
    assert_eq!((resources.limits.unwrap()["cpu"].0.as_str(), resources.requests.unwrap()["cpu"].0.as_str()), ("1", "500m"));
    let spec =
        json!({"containers": [{"name": "main", "image": "i", "resources": {"limits": {"cpu": "5", "memory": "1Gi"}, "requests": {"cpu": "50m"}}}]});
    let (code, message) = refusal(create(&pods, json!({"metadata": {"name": "b"}, "spec": spec})).await);
    let expected = "pods \"b\" is forbidden: [minimum cpu usage per Container is 100m, but request is 50m, maximum cpu usage per Container is 2, but limit is 5]";
    assert_eq!((code, message.as_str()), (403, expected));
}

#[tokio::test]
async fn a_quota_of_unknown_names_is_refused() {
    let cluster = cluster().await;
    let quotas = Api::<ResourceQuota>::namespaced(cluster.client.clone(), "lab");
    let (code, message) = refusal(apply(&quotas, quota(&json!({"foo": "1"}))).await);
    let expected = "ResourceQuota \"q\" is invalid: [spec.hard[foo]: Invalid value: \"foo\": must be a standard resource type or fully qualified, spec.hard[foo]: Invalid value: \"foo\": must be a standard resource for quota]";
    assert_eq!((code, message.as_str()), (422, expected));
}
