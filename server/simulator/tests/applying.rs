//! Server-side apply: ownership, conflicts, merging by key, and what is dropped.

mod common;

use common::{apply, cluster, refusal};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{ConfigMap, Service},
};
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

fn set(image: &str, env: &[(&str, &str)]) -> Value {
    let env: Vec<Value> = env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"}, "spec": {
        "serviceName": "web", "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": image, "env": env}]}}}})
}

#[tokio::test]
async fn applying_twice_changes_nothing_not_even_the_version() {
    let cluster = cluster().await;
    let maps = Api::<ConfigMap>::namespaced(cluster.client.clone(), "lab");
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "1"}});
    let first = apply(&maps, config.clone()).await.unwrap();
    let second = apply(&maps, config).await.unwrap();
    assert_eq!(first.metadata.resource_version, second.metadata.resource_version);
    let entry = &second.metadata.managed_fields.unwrap()[0];
    assert_eq!((entry.manager.as_deref(), entry.operation.as_deref()), (Some(common::MANAGER), Some("Apply")));
    assert_eq!(entry.fields_v1.as_ref().unwrap().0, json!({"f:data": {"f:a": {}}}));
}

#[tokio::test]
async fn a_statefulset_applied_again_is_stable_under_its_controller_and_drops_what_is_left_out() {
    let cluster = cluster().await;
    let sets = Api::<StatefulSet>::namespaced(cluster.client.clone(), "lab");
    apply(&sets, set("i:1", &[("A", "1"), ("B", "2")])).await.unwrap();
    let ready = common::until("readiness", || async {
        let set = sets.get("web").await.unwrap();
        (set.status.as_ref()?.ready_replicas == Some(1)).then_some(set)
    })
    .await;
    let same = apply(&sets, set("i:1", &[("A", "1"), ("B", "2")])).await.unwrap();
    assert_eq!(same.metadata.generation, ready.metadata.generation);
    let fewer = apply(&sets, set("i:1", &[("B", "3")])).await.unwrap();
    let container = &fewer.spec.unwrap().template.spec.unwrap().containers[0];
    let env: Vec<_> = container.env.as_ref().unwrap().iter().map(|one| (one.name.as_str(), one.value.as_deref())).collect();
    assert_eq!(env, [("B", Some("3"))]);
    assert_eq!(container.image_pull_policy.as_deref(), Some("IfNotPresent"), "defaults stay");
    assert_eq!(fewer.metadata.generation, Some(2));
}

#[tokio::test]
async fn another_managers_field_is_refused_until_forced() {
    let cluster = cluster().await;
    let sets = Api::<StatefulSet>::namespaced(cluster.client.clone(), "lab");
    apply(&sets, set("i:1", &[])).await.unwrap();
    let scale = json!({"spec": {"replicas": 2}});
    let parameters = PatchParams { field_manager: Some("scaler".to_owned()), ..PatchParams::default() };
    sets.patch("web", &parameters, &Patch::Merge(scale)).await.unwrap();
    let mut wanted = set("i:1", &[]);
    wanted["spec"]["replicas"] = json!(0);
    let (code, message) = refusal(apply(&sets, wanted.clone()).await);
    assert_eq!(code, 409);
    assert!(
        message.starts_with("Apply failed with 1 conflict: conflict with \"scaler\" using apps/v1 at ") && message.ends_with(": .spec.replicas"),
        "{message}"
    );
    let forced = sets.patch("web", &PatchParams::apply(common::MANAGER).force(), &Patch::Apply(wanted.clone())).await.unwrap();
    assert_eq!(forced.spec.unwrap().replicas, Some(0));
    assert_eq!(apply(&sets, wanted).await.unwrap().spec.unwrap().replicas, Some(0), "it is ours now");
}

#[tokio::test]
async fn two_conflicts_are_listed_with_their_fields() {
    let cluster = cluster().await;
    let maps = Api::<ConfigMap>::namespaced(cluster.client.clone(), "lab");
    apply(&maps, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "1", "b": "1"}})).await.unwrap();
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "2", "b": "2"}});
    let (_, message) = refusal(maps.patch("m", &PatchParams::apply("other"), &Patch::Apply(other)).await);
    assert_eq!(message, "Apply failed with 2 conflicts: conflicts with \"tests\":\n- .data.a\n- .data.b");
}

#[tokio::test]
async fn ports_and_labels_merge_by_key_between_managers() {
    let cluster = cluster().await;
    let services = Api::<Service>::namespaced(cluster.client.clone(), "lab");
    let of = |port: u16, label: &str| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "labels": {label: "1"}},
            "spec": {"selector": {"app": "x"}, "ports": [{"name": format!("p{port}"), "port": port, "protocol": "TCP"}]}})
    };
    apply(&services, of(80, "one")).await.unwrap();
    let both = services.patch("s", &PatchParams::apply("other"), &Patch::Apply(of(90, "two"))).await.unwrap();
    assert_eq!(both.spec.as_ref().unwrap().ports.as_ref().unwrap().len(), 2);
    assert_eq!(both.metadata.labels.unwrap().len(), 2);
    let one = apply(&services, of(81, "one")).await.unwrap();
    let mut ports: Vec<i32> = one.spec.unwrap().ports.unwrap().iter().map(|port| port.port).collect();
    ports.sort_unstable();
    assert_eq!(ports, [81, 90]);
}

#[tokio::test]
async fn an_apply_without_a_manager_or_with_a_wrong_version_is_refused() {
    let cluster = cluster().await;
    let sets = Api::<StatefulSet>::namespaced(cluster.client.clone(), "lab");
    let mut wrong = set("i", &[]);
    wrong["apiVersion"] = json!("apps/v2");
    let (code, message) = refusal(apply(&sets, wrong).await);
    assert_eq!((code, message.as_str()), (400, "Incorrect version specified in apply patch. Specified patch version: apps/v2, expected: apps/v1"));
}
