//! Changes that another client makes while a lab runs.

use cluster::{Kind, Kubernetes};
use domain::{
    cluster::Obstacle,
    labs::{LabState, Observation, ObservedPhase},
};
use futures::StreamExt;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use services::ports::{Change, ClusterError, Fleet, LabOrder, Workloads};

use crate::{
    scenarios::{observed, phase},
    support::{Orders, rig::Rig, until},
};

/// A running service with two replicas, and a watch that runs as long as the stream is kept.
async fn watched(rig: &Rig) -> (LabOrder, futures::stream::BoxStream<'static, Change>) {
    watched_lab(rig, Orders::new().inference()).await
}

/// The same for any lab.
async fn watched_lab(rig: &Rig, order: LabOrder) -> (LabOrder, futures::stream::BoxStream<'static, Change>) {
    let mut changes = rig.cluster.watch();
    while changes.next().await != Some(Change::All) {}
    rig.start(&order).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    until("the watch knows all of it", || drift(&rig.cluster, &order), Vec::is_empty).await;
    (order, changes)
}

async fn drift(cluster: &Kubernetes, order: &LabOrder) -> Vec<String> {
    cluster.observe(order).await.expect("an answer").drift
}

/// Waits until the watch reports the difference, repairs it, and waits until there is none. Repairs soon after one another are put off.
async fn noticed_and_repaired(rig: &Rig, order: &LabOrder, what: &str) {
    until(what, || drift(&rig.cluster, order), |drift| drift.iter().any(|object| object == what)).await;
    until("it is repaired", || rig.cluster.repair(order), |repaired| matches!(repaired, Ok(1..))).await.expect("until");
    until("it is as it was", || drift(&rig.cluster, order), Vec::is_empty).await;
}

async fn merge(rig: &Rig, kind: Kind, order: &LabOrder, name: &str, body: Value) {
    let parameters = PatchParams { field_manager: Some("somebody".into()), ..PatchParams::default() };
    rig.api(kind, &order.lab.namespace).patch(name, &parameters, &Patch::Merge(body)).await.expect("a change");
}

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
async fn a_notebook_that_somebody_scales_has_one_pod_again() {
    let rig = Rig::simulated().await;
    let (order, _changes) = watched_lab(&rig, Orders::new().plain()).await;
    merge(&rig, Kind::StatefulSet, &order, &order.lab.name, json!({ "spec": { "replicas": 2 } })).await;
    noticed_and_repaired(&rig, &order, &format!("StatefulSet/{}", order.lab.name)).await;
    let pods = || async { rig.cluster.observe(&order).await.expect("an answer") };
    until("one pod is ready", pods, |seen| (seen.pods, seen.ready) == (1, 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workload_has_as_many_pods_as_were_ordered() {
    let rig = Rig::simulated().await;
    let (order, _changes) = watched(&rig).await;
    for replicas in [3, 1] {
        merge(&rig, Kind::Deployment, &order, &order.lab.name, json!({ "spec": { "replicas": replicas } })).await;
        noticed_and_repaired(&rig, &order, &format!("Deployment/{}", order.lab.name)).await;
        let pods = || async { rig.cluster.observe(&order).await.expect("an answer") };
        until("two pods are ready", pods, |seen| (seen.pods, seen.ready) == (2, 2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_lab_that_was_just_started_is_without_drift() {
    let rig = Rig::simulated().await;
    let orders = Orders::new();
    let mut changes = rig.cluster.watch();
    while changes.next().await != Some(Change::All) {}
    for order in [orders.slice(), orders.notebook(), orders.editor(), orders.shell(), orders.inference(), orders.batch(), orders.training()] {
        rig.start(&order).await;
        until("no drift", || drift(&rig.cluster, &order), Vec::is_empty).await;
        assert_eq!(rig.cluster.repair(&order).await.expect("an answer"), 0);
    }
}

async fn pod_uids(rig: &Rig, order: &LabOrder) -> Vec<Option<String>> {
    let selected = ListParams::default().labels(&format!("lectern.dev/lab={}", order.lab.id));
    let pods = rig.api(Kind::Pod, &order.lab.namespace).list(&selected).await.expect("an answer");
    pods.items.into_iter().map(|pod| pod.metadata.uid).collect()
}

fn has_workload(seen: &Observation, kind: Kind) -> bool {
    seen.objects.iter().any(|object| object.kind == kind.as_str() && !object.name.ends_with("-end"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_whose_workload_was_deleted_count_until_a_new_workload_adopts_them() {
    for (order, kind) in [(Orders::new().plain(), Kind::StatefulSet), (Orders::new().editor(), Kind::Deployment)] {
        let rig = Rig::simulated().await;
        let (order, _changes) = watched_lab(&rig, order).await;
        let before = pod_uids(&rig, &order).await;
        let (workloads, name) = (rig.api(kind, &order.lab.namespace), order.lab.name.as_str());
        workloads.delete(name, &DeleteParams::orphan()).await.expect("a deletion");
        let seen = observed(&rig, &order, "the workload is gone", |seen| !has_workload(seen, kind)).await;
        assert_eq!((seen.phase, seen.pods, seen.ready), (ObservedPhase::Ready, 1, 1), "it still runs, so it is still billed");
        rig.start(&order).await;
        let ready = |seen: &Observation| has_workload(seen, kind) && seen.phase == ObservedPhase::Ready;
        observed(&rig, &order, "there is a workload again", ready).await;
        let is_up = |workload: &DynamicObject| workload.data["status"]["readyReplicas"] == 1;
        until("it has the pod", || workloads.get(name), |found| found.as_ref().is_ok_and(is_up)).await.expect("until");
        assert_eq!(pod_uids(&rig, &order).await, before, "the pod was adopted");
        rig.api(Kind::Job, &order.lab.namespace).get(&format!("{name}-end")).await.expect("the timer");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workload_that_lost_its_label_gets_it_again() {
    for (order, kind) in [(Orders::new().plain(), Kind::StatefulSet), (Orders::new().editor(), Kind::Deployment), (Orders::new().batch(), Kind::Job)]
    {
        let rig = Rig::simulated().await;
        let (order, _changes) = watched_lab(&rig, order).await;
        let before = pod_uids(&rig, &order).await;
        merge(&rig, kind, &order, &order.lab.name, json!({ "metadata": { "labels": { "lectern.dev/lab": null } } })).await;
        let seen = observed(&rig, &order, "the watch finds none", |seen| !has_workload(seen, kind)).await;
        assert_eq!(seen.phase, ObservedPhase::Ready);
        rig.start(&order).await;
        observed(&rig, &order, "the watch finds it", |seen| has_workload(seen, kind) && seen.phase == ObservedPhase::Ready).await;
        let labels = rig.api(kind, &order.lab.namespace).get(&order.lab.name).await.expect("a workload").metadata.labels.expect("labels");
        assert_eq!(labels["lectern.dev/lab"], order.lab.id.to_string());
        assert_eq!(pod_uids(&rig, &order).await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_and_a_start_delete_pods_that_have_no_workload() {
    let orders = Orders::new();
    for (order, kind) in [(orders.plain(), Kind::StatefulSet), (orders.editor(), Kind::Deployment), (orders.batch(), Kind::Job)] {
        let rig = Rig::simulated().await;
        rig.start(&order).await;
        phase(&rig, &order, ObservedPhase::Ready).await;
        let (workloads, name) = (rig.api(kind, &order.lab.namespace), order.lab.name.as_str());
        workloads.delete(name, &DeleteParams::orphan()).await.expect("a deletion");
        until("the workload is gone", || workloads.get_opt(name), |found| matches!(found, Ok(None))).await.expect("until");
        if kind == Kind::Job {
            let orphans = pod_uids(&rig, &order).await;
            rig.start(&order).await;
            let is_new = |uids: &Vec<Option<String>>| uids.len() == 1 && *uids != orphans;
            until("a Job adopts no pod, so it makes a new one", || pod_uids(&rig, &order), is_new).await;
        }
        rig.cluster.stop(&order).await.expect("a stop");
        until("no pod is left", || pod_uids(&rig, &order), Vec::is_empty).await;
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
async fn a_pod_template_that_somebody_changed_is_as_it_was() {
    for (order, kind) in [(Orders::new().slice(), Kind::StatefulSet), (Orders::new().editor(), Kind::Deployment)] {
        let rig = Rig::simulated().await;
        let (order, _changes) = watched_lab(&rig, order).await;
        let (workloads, name) = (rig.api(kind, &order.lab.namespace), order.lab.name.as_str());
        let before = workloads.get(name).await.expect("a workload").data["spec"]["template"].clone();
        let container = |member: &str, value: Value| {
            let mut containers = before["spec"]["containers"].clone();
            containers[0][member] = value;
            json!({ "containers": containers })
        };
        let hook = json!({ "postStart": { "exec": { "command": ["/bin/sh", "-c", "mine"] } } });
        for changed in [
            json!({ "hostNetwork": true }),
            json!({ "shareProcessNamespace": true }),
            json!({ "hostAliases": [{ "ip": "10.9.9.9", "hostnames": ["pypi.org"] }] }),
            container("command", json!(["miner"])),
            container("lifecycle", hook),
            container("envFrom", json!([{ "secretRef": { "name": "lab-2049", "optional": true } }])),
            json!({ "hostPID": true }),
            json!({ "securityContext": { "runAsUser": 0, "runAsNonRoot": false } }),
            container("image", json!("docker.io/miner:latest")),
        ] {
            merge(&rig, kind, &order, name, json!({ "spec": { "template": { "spec": changed } } })).await;
            noticed_and_repaired(&rig, &order, &format!("{}/{name}", kind.as_str())).await;
            assert_eq!(workloads.get(name).await.expect("a workload").data["spec"]["template"], before, "{changed}");
        }
        phase(&rig, &order, ObservedPhase::Ready).await;
    }
}

/// A template without the hash is from an earlier version: only what no version has ever set is a change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_of_an_earlier_version_stays_unless_it_is_dangerous() {
    let rig = Rig::simulated().await;
    let (order, _changes) = watched_lab(&rig, Orders::new().plain()).await;
    let (name, drifted) = (order.lab.name.as_str(), format!("StatefulSet/{}", order.lab.name));
    let earlier = json!({
        "metadata": { "annotations": { "lectern.dev/template": null, "lectern.dev/template-there": null } },
        "spec": { "template": { "spec": { "terminationGracePeriodSeconds": 10 } } },
    });
    merge(&rig, Kind::StatefulSet, &order, name, earlier).await;
    let sets = rig.api(Kind::StatefulSet, &order.lab.namespace);
    merge(&rig, Kind::StatefulSet, &order, name, json!({ "spec": { "replicas": 2 } })).await;
    until("the watch has seen it", || drift(&rig.cluster, &order), |drift| *drift == [drifted.clone()]).await;
    rig.cluster.repair(&order).await.expect("an answer");
    until("only the number of pods was another", || drift(&rig.cluster, &order), Vec::is_empty).await;
    let template = |set: DynamicObject| set.data["spec"]["template"]["spec"].clone();
    assert_eq!(template(sets.get(name).await.expect("a set"))["terminationGracePeriodSeconds"], 10);
    merge(&rig, Kind::StatefulSet, &order, name, json!({ "spec": { "template": { "spec": { "hostNetwork": true } } } })).await;
    noticed_and_repaired(&rig, &order, &drifted).await;
    assert_ne!(template(sets.get(name).await.expect("a set"))["hostNetwork"], true);
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

/// An apply keeps list items of others, and nothing is compared while the lab is down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_that_was_added_to_a_stopped_lab_is_gone_after_a_start() {
    let rig = Rig::simulated().await;
    let order = Orders::new().plain();
    rig.start(&order).await;
    phase(&rig, &order, ObservedPhase::Ready).await;
    rig.cluster.stop(&order).await.expect("a stop");
    let (sets, name) = (rig.api(Kind::StatefulSet, &order.lab.namespace), order.lab.name.as_str());
    let before = sets.get(name).await.expect("a set").data["spec"]["template"]["spec"].clone();
    let mut containers = before["containers"].clone();
    let mut another = containers[0].clone();
    another["name"] = json!("miner");
    containers.as_array_mut().expect("containers").push(another);
    merge(&rig, Kind::StatefulSet, &order, name, json!({ "spec": { "template": { "spec": { "containers": containers } } } })).await;
    rig.start(&order).await;
    assert_eq!(sets.get(name).await.expect("a set").data["spec"]["template"]["spec"], before);
    phase(&rig, &order, ObservedPhase::Ready).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workload_that_lost_its_label_is_destroyed_with_its_lab() {
    for (order, kind) in [(Orders::new().plain(), Kind::StatefulSet), (Orders::new().editor(), Kind::Deployment)] {
        let rig = Rig::simulated().await;
        rig.start(&order).await;
        phase(&rig, &order, ObservedPhase::Ready).await;
        merge(&rig, kind, &order, &order.lab.name, json!({ "metadata": { "labels": { "lectern.dev/lab": null } } })).await;
        until("nothing is left", || rig.cluster.destroy(&order, false), |left| matches!(left, Ok(0))).await.expect("until");
        assert_eq!(pod_uids(&rig, &order).await, []);
        let workloads = rig.api(kind, &order.lab.namespace);
        until("nor the workload", || workloads.get_opt(&order.lab.name), |found| matches!(found, Ok(None))).await.expect("until");
    }
}

async fn make(rig: &Rig, kind: Kind, namespace: &str, body: Value) {
    let object: DynamicObject = serde_json::from_value(body).expect("an object");
    rig.api(kind, namespace).create(&PostParams::default(), &object).await.expect("it is made");
}

/// An empty StatefulSet with these labels.
fn empty_set(name: &str, labels: &Value) -> Value {
    let own = json!({ "app": name });
    let template = json!({ "metadata": { "labels": own }, "spec": { "containers": [{ "name": "c", "image": "docker.io/other:1" }] } });
    let spec = json!({ "replicas": 0, "serviceName": name, "selector": { "matchLabels": own }, "template": template });
    json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": name, "labels": labels }, "spec": spec })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_of_somebody_else_with_a_labs_labels_are_not_the_labs() {
    let rig = Rig::simulated().await;
    let (order, _changes) = watched_lab(&rig, Orders::new().plain()).await;
    let (namespace, name) = (order.lab.namespace.as_str(), order.lab.name.as_str());
    let own = rig.api(Kind::StatefulSet, namespace).get(name).await.expect("a set");
    let labels = json!(own.metadata.labels);
    // Pods that count for no lab, on all nodes.
    let strays = || async {
        let nodes = rig.cluster.info().await.expect("an answer").nodes;
        nodes.iter().flat_map(|node| &node.loads).filter(|load| load.lab.is_none()).map(|load| load.pods).sum::<u32>()
    };
    let before = strays().await;
    make(&rig, Kind::StatefulSet, "default", empty_set(name, &labels)).await;
    make(&rig, Kind::StatefulSet, namespace, empty_set("other", &labels)).await;
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": format!("{name}-0"), "labels": labels },
        "spec": { "containers": [{ "name": "c", "image": "docker.io/other:1" }] },
    });
    make(&rig, Kind::Pod, "default", pod).await;
    let is_as_before = async |rig: &Rig| {
        let seen = rig.cluster.observe(&order).await.expect("an answer");
        assert_eq!((seen.phase, seen.pods, seen.ready, seen.drift.len()), (ObservedPhase::Ready, 1, 1, 0));
        assert!(seen.objects.iter().any(|object| object.kind == "StatefulSet" && object.name == name), "{:?}", seen.objects);
    };
    until("the pod is somebody else's", strays, |now| *now == before + 1).await;
    is_as_before(&rig).await;
    rig.api(Kind::Pod, "default").delete(&format!("{name}-0"), &DeleteParams::default()).await.expect("a deletion");
    until("the pod is gone", strays, |now| *now == before).await;
    is_as_before(&rig).await;
    assert_eq!(rig.cluster.info().await.expect("an answer").obstacles, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workload_that_somebody_deletes_again_and_again_is_made_ever_more_slowly() {
    let rig = Rig::simulated().await;
    let order = Orders::new().plain();
    rig.start(&order).await;
    let mut waits = false;
    for _ in 0..20 {
        match rig.cluster.remake(&order).await {
            Ok(()) => {}
            Err(ClusterError::Busy(_)) => waits = true,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(waits);
}

/// An apply keeps the members of others, and nothing is compared while the lab is down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_was_added_to_a_stopped_lab_is_gone_after_a_start() {
    let rig = Rig::simulated().await;
    let order = Orders::new().plain();
    rig.start(&order).await;
    phase(&rig, &order, ObservedPhase::Ready).await;
    rig.cluster.stop(&order).await.expect("a stop");
    let (sets, name) = (rig.api(Kind::StatefulSet, &order.lab.namespace), order.lab.name.as_str());
    let before = sets.get(name).await.expect("a set").data["spec"]["template"]["spec"].clone();
    let mut containers = before["containers"].clone();
    containers[0]["command"] = json!(["miner"]);
    merge(&rig, Kind::StatefulSet, &order, name, json!({ "spec": { "template": { "spec": { "containers": containers } } } })).await;
    rig.start(&order).await;
    assert_eq!(sets.get(name).await.expect("a set").data["spec"]["template"]["spec"], before);
    phase(&rig, &order, ObservedPhase::Ready).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_by_kubectl_is_no_drift() {
    let rig = Rig::simulated().await;
    let (order, _changes) = watched_lab(&rig, Orders::new().plain()).await;
    let restarted = json!({ "kubectl.kubernetes.io/restartedAt": "2026-11-30T18:00:00Z" });
    merge(&rig, Kind::StatefulSet, &order, &order.lab.name, json!({ "spec": { "template": { "metadata": { "annotations": restarted } } } })).await;
    // The watch has seen that once it has seen the later change.
    merge(&rig, Kind::StatefulSet, &order, &order.lab.name, json!({ "spec": { "replicas": 2 } })).await;
    noticed_and_repaired(&rig, &order, &format!("StatefulSet/{}", order.lab.name)).await;
    let set = rig.api(Kind::StatefulSet, &order.lab.namespace).get(&order.lab.name).await.expect("a set");
    let annotations = &set.data["spec"]["template"]["metadata"]["annotations"];
    assert_eq!(annotations["kubectl.kubernetes.io/restartedAt"], "2026-11-30T18:00:00Z");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_somebody_moves_or_suspends_is_restored() {
    for (order, timer) in [(Orders::new().plain(), "-end"), (Orders::new().batch(), "")] {
        let rig = Rig::simulated().await;
        let (mut order, _changes) = watched_lab(&rig, order).await;
        order.lab.ends_at = Some(order.at.plus_seconds(3_600 - 15));
        rig.cluster.keep_end(&order).await.expect("an end");
        let (jobs, name) = (rig.api(Kind::Job, &order.lab.namespace), format!("{}{timer}", order.lab.name));
        for changed in [json!({ "activeDeadlineSeconds": 99_999_999 }), json!({ "suspend": true })] {
            merge(&rig, Kind::Job, &order, &name, json!({ "spec": changed })).await;
            let kept = || async {
                rig.cluster.keep_end(&order).await.expect("an end");
                jobs.get(&name).await.expect("the Job").data["spec"].clone()
            };
            until("the end is as it was", kept, |spec| spec["activeDeadlineSeconds"] == 3_600 && spec["suspend"] != true).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workload_that_somebody_took_from_its_timer_is_given_back() {
    let rig = Rig::simulated().await;
    let (mut order, _changes) = watched_lab(&rig, Orders::new().plain()).await;
    order.lab.ends_at = Some(order.at.plus_seconds(3_600));
    rig.cluster.keep_end(&order).await.expect("an end");
    merge(&rig, Kind::StatefulSet, &order, &order.lab.name, json!({ "metadata": { "ownerReferences": null } })).await;
    let sets = rig.api(Kind::StatefulSet, &order.lab.namespace);
    let owners = || async {
        rig.cluster.keep_end(&order).await.expect("an end");
        sets.get(&order.lab.name).await.expect("a set").metadata.owner_references.unwrap_or_default()
    };
    until("it belongs to its timer", owners, |owners| owners.len() == 1 && owners[0].name.ends_with("-end")).await;
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

/// A StatefulSet waits for a pod that is not ready before it gives one the restored template.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_no_node_takes_goes_with_the_template_that_asked_for_it() {
    let rig = Rig::simulated().await;
    let (order, _changes) = watched_lab(&rig, Orders::new().plain()).await;
    let nowhere = json!({ "spec": { "template": { "spec": { "nodeSelector": { "foo": "bar" } } } } });
    merge(&rig, Kind::StatefulSet, &order, &order.lab.name, nowhere).await;
    let is_refused = |seen: &Observation| seen.conditions.iter().any(|condition| condition.reason == "Unschedulable");
    observed(&rig, &order, "no node takes its pod", is_refused).await;
    let repaired = || async {
        // Refused while it is restored for the sixth time or more.
        drop(rig.cluster.repair(&order).await);
        rig.cluster.observe(&order).await.expect("an answer")
    };
    until("it is as it was", repaired, |seen| seen.phase == ObservedPhase::Ready && seen.drift.is_empty()).await;
}
