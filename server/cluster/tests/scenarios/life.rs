//! Start, stop and start again.

use cluster::Kind;
use domain::labs::{ConditionStatus, ObservedPhase};
use futures::{StreamExt, future::join_all};
use services::ports::{Change, Fleet, LabOrder, Workloads};

use super::phase;
use crate::support::{Orders, orders::annotated, rig::Rig, until};

pub async fn a_notebook_starts_and_becomes_ready(rig: &Rig) {
    let order = Orders::new().notebook();
    assert_eq!(rig.cluster.observe(&order).await.expect("an answer").phase, ObservedPhase::Absent);
    rig.start(&order).await;
    let seen = phase(rig, &order, ObservedPhase::Ready).await;
    assert_eq!((seen.pods, seen.ready, seen.nodes.len()), (1, 1, 1));
    assert_eq!(seen.failure, None);
    for kind in ["VolumeBound", "Scheduled", "Ready"] {
        let condition = seen.conditions.iter().find(|condition| condition.kind == kind).expect(kind);
        assert_eq!(condition.status, ConditionStatus::True, "{kind}");
    }
    let mut kinds: Vec<_> = seen.objects.iter().map(|object| object.kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["Job", "NetworkPolicy", "PersistentVolumeClaim", "Pod", "Service", "ServiceAccount", "StatefulSet"]);
    assert!(seen.events.iter().any(|event| event.reason == "Scheduled" && event.object == "Pod/lab-2042-0"), "{:#?}", seen.events);
    rig.clean(&order).await;
    assert_eq!(rig.cluster.observe(&order).await.expect("an answer").phase, ObservedPhase::Absent);
}

pub async fn a_job_of_eight_starts_and_finishes(rig: &Rig) {
    let order = annotated(Orders::new().training(), "succeed-after", "6");
    rig.start(&order).await;
    let seen = phase(rig, &order, ObservedPhase::Ready).await;
    assert_eq!((seen.pods, seen.nodes.len()), (8, 8));
    let seen = phase(rig, &order, ObservedPhase::Finished).await;
    assert_eq!(seen.failure, None);
    assert!(seen.conditions.iter().any(|condition| condition.kind == "Complete"));
    rig.clean(&order).await;
}

pub async fn an_editor_starts_stops_and_starts_again(rig: &Rig) {
    let order = Orders::new().editor();
    rig.start(&order).await;
    let seen = phase(rig, &order, ObservedPhase::Ready).await;
    assert_eq!((seen.pods, seen.ready, seen.nodes.len(), seen.failure), (1, 1, 1, None));
    assert!(seen.objects.iter().any(|object| object.kind == "Deployment"), "{:?}", seen.objects);
    let before = volume(rig, &order).await.expect("a volume");
    rig.cluster.stop(&order).await.expect("a stop");
    let seen = phase(rig, &order, ObservedPhase::Idle).await;
    assert_eq!((seen.pods, seen.failure), (0, None));
    rig.start(&order).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    assert_eq!(volume(rig, &order).await, Some(before), "the claim outlives the stop");
    rig.clean(&order).await;
    assert_eq!(rig.cluster.observe(&order).await.expect("an answer").phase, ObservedPhase::Absent);
}

pub async fn a_service_is_ready_when_every_replica_is(rig: &Rig) {
    let order = Orders::new().inference();
    rig.start(&order).await;
    let seen = phase(rig, &order, ObservedPhase::Ready).await;
    assert_eq!((seen.pods, seen.ready, seen.nodes.len()), (2, 2, 2));
    rig.clean(&order).await;
}

pub async fn a_shell_is_reached_on_port_22(rig: &Rig) {
    let order = Orders::new().shell();
    rig.start(&order).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    let service = rig.api(Kind::Service, &order.lab.namespace).get(&order.lab.name).await.expect("a service");
    let port = &service.data["spec"]["ports"][0];
    assert_eq!((port["port"].as_u64(), port["targetPort"].as_u64()), (Some(22), Some(2_222)));
    rig.clean(&order).await;
}

pub async fn a_batch_job_runs_to_its_end(rig: &Rig) {
    let order = annotated(Orders::new().batch(), "succeed-after", "3");
    rig.start(&order).await;
    let seen = phase(rig, &order, ObservedPhase::Finished).await;
    assert_eq!(seen.failure, None);
    assert!(!seen.objects.iter().any(|object| object.kind == "Service"), "nobody connects to it");
    rig.clean(&order).await;
}

pub async fn a_stop_keeps_the_volume_and_a_start_brings_the_lab_back(rig: &Rig) {
    let order = Orders::new().notebook();
    rig.start(&order).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    let before = volume(rig, &order).await.expect("a volume");
    rig.cluster.stop(&order).await.expect("a stop");
    let seen = phase(rig, &order, ObservedPhase::Idle).await;
    assert_eq!((seen.pods, seen.failure), (0, None));
    rig.cluster.stop(&order).await.expect("a second stop is fine");
    assert_eq!(volume(rig, &order).await.as_ref(), Some(&before), "the claim outlives the stop");
    rig.start(&order).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    assert_eq!(volume(rig, &order).await, Some(before));
    rig.clean(&order).await;
}

pub async fn a_stopped_job_starts_anew(rig: &Rig) {
    let order = Orders::new().training();
    rig.cluster.stop(&order).await.expect("nothing to stop is fine");
    rig.start(&order).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    rig.cluster.stop(&order).await.expect("a stop");
    let seen = phase(rig, &order, ObservedPhase::Idle).await;
    assert!(!seen.objects.iter().any(|object| object.kind == "Pod"));
    // Busy while the old Job is going, which `start` waits out.
    rig.start(&order).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    rig.clean(&order).await;
}

pub async fn a_second_start_changes_nothing(rig: &Rig) {
    let order = Orders::new().slice();
    // Slices are not on every test cluster; what is compared does not need a running pod.
    rig.start(&order).await;
    let applied = || async {
        let before = versions(rig, &order).await;
        rig.cluster.start(&order).await.expect("a second start");
        (before, versions(rig, &order).await)
    };
    // Controllers write statuses for a while after the first start; then nothing may move.
    let (before, _) = until("a start without effect", applied, |(before, after)| before == after).await;
    assert_eq!(before.len(), 10, "{before:#?}");
    rig.clean(&order).await;
}

pub async fn a_restart_makes_new_pods_on_the_same_volume(rig: &Rig) {
    let mut order = Orders::new().notebook();
    rig.start(&order).await;
    let first = phase(rig, &order, ObservedPhase::Ready).await;
    let (volume_before, pod_before) = (volume(rig, &order).await, pod(rig, &order).await.expect("a pod"));
    assert_eq!(first.outdated, 0);

    // The portal asks for another generation: the pod that is there is none of it, whatever the cluster says of its health.
    order.lab.lifecycle.generation += 1;
    assert_eq!(rig.cluster.observe(&order).await.expect("an answer").outdated, 1);
    rig.cluster.stop(&order).await.expect("a stop");
    phase(rig, &order, ObservedPhase::Idle).await;
    // Cut off here, the next round does the same again.
    rig.cluster.stop(&order).await.expect("a second stop is fine");
    rig.start(&order).await;
    let again = phase(rig, &order, ObservedPhase::Ready).await;
    assert_eq!((again.pods, again.outdated), (1, 0));
    assert_ne!(pod(rig, &order).await.expect("a pod"), pod_before, "another pod");
    assert_eq!(volume(rig, &order).await, volume_before, "the same files");
    rig.clean(&order).await;
}

pub async fn a_job_gets_new_ranks_of_another_size(rig: &Rig) {
    let mut order = Orders::new().training();
    rig.start(&order).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    order.lab.lifecycle.generation += 1;
    order.lab.spec.cpu_cores = 8;
    assert_eq!(rig.cluster.observe(&order).await.expect("an answer").outdated, 8);
    rig.cluster.stop(&order).await.expect("a stop");
    phase(rig, &order, ObservedPhase::Idle).await;
    rig.start(&order).await;
    let again = phase(rig, &order, ObservedPhase::Ready).await;
    assert_eq!((again.pods, again.outdated), (8, 0));
    let job = rig.api(Kind::Job, &order.lab.namespace).get(&order.lab.name).await.expect("a job");
    assert_eq!(job.data["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"], "8");
    rig.clean(&order).await;
}

pub async fn a_whole_class_starts_at_once(rig: &Rig) {
    let class = Orders::new().class(30);
    let mut changes = rig.cluster.watch();
    // A watch runs as it does in the portal, so that this reads what it collects.
    while changes.next().await != Some(Change::All) {}
    join_all(class.iter().map(|order| rig.start(order))).await;
    for order in &class {
        phase(rig, order, ObservedPhase::Ready).await;
    }
    let gone = class.iter().map(|order| until("gone", || rig.cluster.destroy(order, false), |left| matches!(left, Ok(0))));
    join_all(gone).await;
    for order in &class {
        assert_eq!(rig.cluster.observe(order).await.expect("an answer").phase, ObservedPhase::Absent);
    }
    rig.clean(&class[0]).await;
}

/// Kind, name and resource version of everything that a start applies.
async fn versions(rig: &Rig, order: &LabOrder) -> Vec<(String, String, String)> {
    let mut versions = Vec::new();
    for manifest in cluster::manifests::all(order, cluster::Capabilities { indexed_jobs: false, pod_failure_policy: false }) {
        let found = rig.api(manifest.kind, &order.lab.namespace).get(&manifest.name).await.expect("it was applied");
        versions.push((manifest.kind.as_str().to_owned(), manifest.name, found.metadata.resource_version.expect("a version")));
    }
    versions
}

async fn volume(rig: &Rig, order: &LabOrder) -> Option<String> {
    let found = rig.api(Kind::PersistentVolumeClaim, &order.lab.namespace).get_opt(&order.lab.name).await.expect("an answer");
    found.and_then(|claim| claim.metadata.uid)
}

async fn pod(rig: &Rig, order: &LabOrder) -> Option<String> {
    let found = rig.api(Kind::Pod, &order.lab.namespace).get_opt(&format!("{}-0", order.lab.name)).await.expect("an answer");
    found.and_then(|pod| pod.metadata.uid)
}
