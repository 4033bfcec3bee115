//! Changes of a lab's workload: the number of its pods, its labels, its end, and objects of others that look like it.

use cluster::Kind;
use domain::labs::{Observation, ObservedPhase};
use kube::api::{DeleteParams, DynamicObject, ListParams, PostParams};
use serde_json::{Value, json};
use services::ports::{ClusterError, Fleet, LabOrder, Workloads};

use super::{merge, noticed_and_repaired, watched, watched_lab};
use crate::{
    scenarios::{observed, phase},
    support::{Orders, rig::Rig, until},
};

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
