//! Changes around a lab: its namespace, its policies, its address, the limits of its course.

use cluster::Kind;
use domain::{cluster::Obstacle, labs::LabState};
use kube::api::{DeleteParams, DynamicObject, PostParams};
use serde_json::{Value, json};
use services::ports::{Fleet, Workloads};

use super::{merge, noticed_and_repaired, watched, watched_lab};
use crate::{
    scenarios::observed,
    support::{Orders, rig::Rig, until},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_is_made_again() {
    let rig = Rig::simulated().await;
    let (order, _changes) = watched(&rig).await;
    for (kind, name) in [
        (Kind::NetworkPolicy, "lectern-default-deny"),
        (Kind::NetworkPolicy, order.lab.name.as_str()),
        (Kind::Service, order.lab.name.as_str()),
        (Kind::ServiceAccount, order.lab.name.as_str()),
    ] {
        let objects = rig.api(kind, &order.lab.namespace);
        objects.delete(name, &DeleteParams::default()).await.expect("a deletion");
        noticed_and_repaired(&rig, &order, &format!("{}/{name}", kind.as_str())).await;
        objects.get(name).await.expect("it is back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_opened_is_closed_again() {
    let rig = Rig::simulated().await;
    let (order, _changes) = watched(&rig).await;
    for name in ["lectern-default-deny", order.lab.name.as_str()] {
        let before = rig.api(Kind::NetworkPolicy, &order.lab.namespace).get(name).await.expect("a policy");
        merge(&rig, Kind::NetworkPolicy, &order, name, json!({ "spec": { "ingress": [{}], "egress": [{}] } })).await;
        noticed_and_repaired(&rig, &order, &format!("NetworkPolicy/{name}")).await;
        let after = rig.api(Kind::NetworkPolicy, &order.lab.namespace).get(name).await.expect("a policy");
        assert_eq!(after.data["spec"], before.data["spec"]);
    }
    let namespace = order.lab.namespace.clone();
    for level in [json!("privileged"), Value::Null] {
        merge(&rig, Kind::Namespace, &order, &namespace, json!({ "metadata": { "labels": { "pod-security.kubernetes.io/enforce": level } } })).await;
        noticed_and_repaired(&rig, &order, &format!("Namespace/{namespace}")).await;
        let labels = rig.api(Kind::Namespace, "").get(&namespace).await.expect("a namespace").metadata.labels.expect("labels");
        assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted");
    }
}

/// An apply keeps what another manager added.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_added_around_a_lab_is_removed() {
    let rig = Rig::simulated().await;
    let (order, _changes) = watched(&rig).await;
    let (name, namespace) = (order.lab.name.as_str(), order.lab.namespace.as_str());
    for (kind, name, added) in [
        (Kind::Service, name, json!({ "spec": { "externalIPs": ["10.9.9.9"] } })),
        (Kind::Service, name, json!({ "spec": { "selector": { "extra": "x" }, "sessionAffinity": "ClientIP" } })),
        (Kind::ServiceAccount, name, json!({ "metadata": { "annotations": { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/admin" } } })),
        (Kind::ServiceAccount, name, json!({ "imagePullSecrets": [{ "name": "theirs" }], "automountServiceAccountToken": true })),
        (Kind::Namespace, namespace, json!({ "metadata": { "labels": { "lectern.dev/portal": "true" } } })),
        (Kind::Namespace, namespace, json!({ "metadata": { "labels": { "pod-security.kubernetes.io/enforce-version": "v1.0" } } })),
    ] {
        let objects = rig.api(kind, namespace);
        let content = |object: DynamicObject| (object.data, object.metadata.labels, object.metadata.annotations.unwrap_or_default());
        let before = content(objects.get(name).await.expect("an object"));
        merge(&rig, kind, &order, name, added.clone()).await;
        noticed_and_repaired(&rig, &order, &format!("{}/{name}", kind.as_str())).await;
        let (mut data, labels, annotations) = content(objects.get(name).await.expect("an object"));
        if data["imagePullSecrets"].as_array().is_some_and(Vec::is_empty) {
            data.as_object_mut().expect("members").remove("imagePullSecrets");
        }
        assert_eq!((data, labels, annotations), before, "{added}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_and_limits_that_were_deleted_come_back_while_labs_run() {
    let rig = Rig::simulated().await;
    let order = Orders::new().plain();
    rig.start(&order).await;
    for kind in [Kind::ResourceQuota, Kind::LimitRange] {
        let objects = rig.api(kind, &order.lab.namespace);
        let name = "lectern-course";
        objects.delete(name, &DeleteParams::default()).await.expect("a deletion");
        // The minutely look at every course that has labs.
        rig.cluster.set_quota(&order.course, &order.course.settings.limits).await.expect("an answer");
        objects.get(name).await.expect("it is back");
    }
}

/// The portal's labels are removed, and pods may do anything on the node.
fn unlabelled() -> Value {
    let labels = json!({
        "app.kubernetes.io/managed-by": null, "lectern.dev/tenant": null, "lectern.dev/course": null,
        "pod-security.kubernetes.io/enforce": "privileged",
    });
    json!({ "metadata": { "labels": labels } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_lost_its_labels_is_closed_again() {
    let rig = Rig::simulated().await;
    let (order, _changes) = watched(&rig).await;
    let name = order.lab.namespace.clone();
    let labels = || async { rig.api(Kind::Namespace, "").get(&name).await.expect("a namespace").metadata.labels.unwrap_or_default() };
    let before = labels().await;
    merge(&rig, Kind::Namespace, &order, &name, unlabelled()).await;
    noticed_and_repaired(&rig, &order, &format!("Namespace/{name}")).await;
    assert_eq!(labels().await, before);
    // A start does the same, by a portal that has just come up.
    merge(&rig, Kind::Namespace, &order, &name, unlabelled()).await;
    let (other, _gate) = rig.through_a_gate().await;
    until("another start", || other.start(&order), Result::is_ok).await.expect("until");
    assert_eq!(labels().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_that_somebody_else_made_has_no_drift() {
    let rig = Rig::simulated().await;
    let order = Orders::new().plain();
    let metadata = json!({ "name": order.lab.namespace, "labels": { "pod-security.kubernetes.io/enforce": "baseline" } });
    let theirs: DynamicObject =
        serde_json::from_value(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata })).expect("a namespace");
    rig.api(Kind::Namespace, "").create(&PostParams::default(), &theirs).await.expect("a namespace");
    let (order, _changes) = watched_lab(&rig, order).await;
    assert_eq!(rig.cluster.repair(&order).await.expect("an answer"), 0);
    let labels = rig.api(Kind::Namespace, "").get(&order.lab.namespace).await.expect("a namespace").metadata.labels.expect("labels");
    assert_eq!(labels["pod-security.kubernetes.io/enforce"], "baseline");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_of_somebody_else_that_opens_labs_is_told() {
    let rig = Rig::simulated().await;
    let (order, _changes) = watched(&rig).await;
    let told = || async { rig.cluster.info().await.expect("an answer").obstacles };
    assert_eq!(told().await, []);
    let policies = rig.api(Kind::NetworkPolicy, &order.lab.namespace);
    let ours =
        json!({ "app.kubernetes.io/managed-by": "lectern", "lectern.dev/lab": order.lab.id.to_string(), "app.kubernetes.io/instance": "opens-b" });
    let open = json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}] });
    let closed = json!({ "podSelector": {}, "policyTypes": ["Ingress"] });
    for (name, labels, spec) in [("closes", json!({}), closed), ("opens-a", json!({}), open.clone()), ("opens-b", ours, open)] {
        let policy =
            json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": { "name": name, "labels": labels }, "spec": spec });
        let policy: DynamicObject = serde_json::from_value(policy).expect("a policy");
        policies.create(&PostParams::default(), &policy).await.expect("a policy");
    }
    let foreign = |name: &str| Obstacle::ForeignPolicy { namespace: order.lab.namespace.clone(), name: name.into() };
    until("both are told", told, |told| *told == [foreign("opens-a"), foreign("opens-b")]).await;
    for name in ["opens-a", "opens-b"] {
        policies.delete(name, &DeleteParams::default()).await.expect("a deletion");
    }
    until("they are gone", told, Vec::is_empty).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_that_lost_their_label_get_it_again() {
    let rig = Rig::simulated().await;
    let (order, _changes) = watched(&rig).await;
    for name in ["lectern-default-deny", order.lab.name.as_str()] {
        let unlabelled = json!({ "metadata": { "labels": { "app.kubernetes.io/managed-by": null } } });
        merge(&rig, Kind::NetworkPolicy, &order, name, unlabelled).await;
        noticed_and_repaired(&rig, &order, &format!("NetworkPolicy/{name}")).await;
    }
    assert_eq!(rig.cluster.info().await.expect("an answer").obstacles, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_of_a_stopped_lab_opens_nothing() {
    for order in [Orders::new().plain(), Orders::new().batch()] {
        let rig = Rig::simulated().await;
        let (mut order, _changes) = watched_lab(&rig, order).await;
        rig.cluster.stop(&order).await.expect("a stop");
        observed(&rig, &order, "no pod is left", |seen| seen.pods == 0).await;
        order.lab.state = LabState::Stopped;
        let policies = rig.api(Kind::NetworkPolicy, &order.lab.namespace);
        let before = policies.get(&order.lab.name).await.expect("a policy").data["spec"].clone();
        let open = json!({ "spec": { "podSelector": { "matchLabels": null }, "ingress": [{}], "egress": [{}] } });
        merge(&rig, Kind::NetworkPolicy, &order, &order.lab.name, open).await;
        noticed_and_repaired(&rig, &order, &format!("NetworkPolicy/{}", order.lab.name)).await;
        assert_eq!(policies.get(&order.lab.name).await.expect("a policy").data["spec"], before);
    }
}
