//! Changes that another client makes while a lab runs.

mod isolation;
mod templates;
mod workloads;

use cluster::{Kind, Kubernetes};
use domain::labs::ObservedPhase;
use futures::StreamExt;
use kube::api::{Patch, PatchParams};
use serde_json::Value;
use services::ports::{Change, Fleet, LabOrder, Workloads};

use crate::{
    scenarios::phase,
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
