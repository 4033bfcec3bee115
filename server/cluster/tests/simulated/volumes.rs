//! Volumes that can grow, that cannot grow, and that another client enlarged.

use domain::labs::ObservedPhase;
use k8s_openapi::api::{core::v1::PersistentVolumeClaim, storage::v1::StorageClass};
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;
use services::ports::{Growth, LabOrder, Workloads};

use crate::{
    scenarios::{observed, phase},
    support::{Orders, rig::Rig},
};

/// Stops the simulator's storage class from growing volumes.
async fn fix_class(rig: &Rig) {
    let classes = Api::<StorageClass>::all(rig.client.clone());
    let fixed = Patch::Merge(json!({ "allowVolumeExpansion": false }));
    classes.patch("standard", &PatchParams::default(), &fixed).await.expect("a change");
}

fn claims(rig: &Rig, order: &LabOrder) -> Api<PersistentVolumeClaim> {
    Api::namespaced(rig.client.clone(), &order.lab.namespace)
}

async fn requested(rig: &Rig, order: &LabOrder) -> String {
    let claim = claims(rig, order).get(&order.lab.name).await.expect("a claim");
    claim.spec.expect("a specification").resources.expect("resources").requests.expect("requests")["storage"].0.clone()
}

fn with_storage(order: &LabOrder, gib: u32) -> LabOrder {
    let mut order = order.clone();
    order.lab.spec.storage_gib = gib;
    order
}

async fn running(rig: &Rig) -> LabOrder {
    let order = Orders::new().editor();
    rig.start(&order).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    order
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_grows_when_its_class_allows_it() {
    let rig = Rig::simulated().await;
    let order = running(&rig).await;
    assert_eq!(rig.cluster.check_growth(&order, 40).await.expect("an answer"), Growth::Allowed);
    assert_eq!(requested(&rig, &order).await, "20Gi", "a check changes nothing");
    let larger = with_storage(&order, 40);
    assert!(rig.cluster.grow_volume(&larger).await.expect("an answer"));
    let grown = |seen: &domain::labs::Observation| seen.volume.as_ref().is_some_and(|volume| volume.size_gib() == Some(40));
    observed(&rig, &larger, "40 GiB", grown).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_whose_class_does_not_grow_is_left_and_its_lab_starts() {
    let rig = Rig::simulated().await;
    let order = running(&rig).await;
    fix_class(&rig).await;
    assert_eq!(rig.cluster.check_growth(&order, 40).await.expect("an answer"), Growth::NotSupported);
    // The lab was given more storage without a check: it keeps its files and starts.
    rig.cluster.stop(&order).await.expect("a stop");
    phase(&rig, &order, ObservedPhase::Idle).await;
    let larger = with_storage(&order, 40);
    assert!(!rig.cluster.grow_volume(&larger).await.expect("an answer"));
    rig.start(&larger).await;
    let seen = phase(&rig, &larger, ObservedPhase::Ready).await;
    assert_eq!(seen.volume.expect("a volume").size_gib(), Some(20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_that_somebody_enlarged_is_taken_as_it_is() {
    let rig = Rig::simulated().await;
    let order = running(&rig).await;
    let larger = Patch::Merge(json!({ "spec": { "resources": { "requests": { "storage": "60Gi" } } } }));
    claims(&rig, &order).patch(&order.lab.name, &PatchParams::default(), &larger).await.expect("a change");
    let grown = |seen: &domain::labs::Observation| seen.volume.as_ref().is_some_and(|volume| volume.size_gib() == Some(60));
    observed(&rig, &order, "60 GiB", grown).await;
    rig.cluster.stop(&order).await.expect("a stop");
    phase(&rig, &order, ObservedPhase::Idle).await;
    rig.start(&order).await;
    phase(&rig, &order, ObservedPhase::Ready).await;
    assert_eq!(requested(&rig, &order).await, "60Gi");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_growth_over_the_quota_is_refused_by_the_check_and_the_volume_stays_as_it_is() {
    let rig = Rig::simulated().await;
    let mut order = Orders::new().editor();
    order.course.settings.limits.storage_gib = 30;
    rig.start(&order).await;
    phase(&rig, &order, ObservedPhase::Ready).await;
    let refused = rig.cluster.check_growth(&order, 40).await.expect_err("40 GiB of 30");
    assert!(matches!(&refused, services::ports::ClusterError::Refused { reason, .. } if reason == "QuotaExceeded"), "{refused:?}");
    assert_eq!(requested(&rig, &order).await, "20Gi");
    assert_eq!(rig.cluster.check_growth(&order, 30).await.expect("an answer"), Growth::Allowed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_over_the_quota_is_said_to_be_over_the_quota() {
    let rig = Rig::simulated().await;
    let orders = Orders::new();
    let mut order = orders.editor();
    order.course.settings.limits.storage_gib = 10;
    let refused = rig.cluster.start(&order).await.expect_err("20 GiB of 10");
    assert!(matches!(&refused, services::ports::ClusterError::Refused { reason, .. } if reason == "QuotaExceeded"), "{refused:?}");
}
