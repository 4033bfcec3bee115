//! Changes of the template of a lab's pods, while it runs and while it is down.

use cluster::Kind;
use domain::labs::{Observation, ObservedPhase};
use kube::api::DynamicObject;
use serde_json::{Value, json};
use services::ports::Workloads;

use super::{drift, merge, noticed_and_repaired, watched_lab};
use crate::{
    scenarios::{observed, phase},
    support::{Orders, rig::Rig, until},
};

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

/// Changes the first containers of a lab that is down, where nothing is compared, and expects its next start to undo that.
async fn is_gone_after_a_start(change: impl FnOnce(&mut Vec<Value>)) {
    let rig = Rig::simulated().await;
    let order = Orders::new().plain();
    rig.start(&order).await;
    phase(&rig, &order, ObservedPhase::Ready).await;
    rig.cluster.stop(&order).await.expect("a stop");
    let (sets, name) = (rig.api(Kind::StatefulSet, &order.lab.namespace), order.lab.name.as_str());
    let before = sets.get(name).await.expect("a set").data["spec"]["template"]["spec"].clone();
    let mut containers = before["containers"].clone();
    change(containers.as_array_mut().expect("containers"));
    merge(&rig, Kind::StatefulSet, &order, name, json!({ "spec": { "template": { "spec": { "containers": containers } } } })).await;
    rig.start(&order).await;
    assert_eq!(sets.get(name).await.expect("a set").data["spec"]["template"]["spec"], before);
    phase(&rig, &order, ObservedPhase::Ready).await;
}

/// An apply keeps list items of others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_that_was_added_to_a_stopped_lab_is_gone_after_a_start() {
    is_gone_after_a_start(|containers| {
        let mut another = containers[0].clone();
        another["name"] = json!("miner");
        containers.push(another);
    })
    .await;
}

/// An apply keeps members of others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_was_added_to_a_stopped_lab_is_gone_after_a_start() {
    is_gone_after_a_start(|containers| containers[0]["command"] = json!(["miner"])).await;
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
