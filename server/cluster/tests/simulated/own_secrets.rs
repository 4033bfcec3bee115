//! The Secret with a lab's own secret: while the lab starts and stops, while other clients change it, and after a restart of the portal.

use domain::{
    labs::{LabState, ObservedPhase},
    secret::Secret,
};
use k8s_openapi::api::core::v1::{Pod, Secret as Stored};
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::json;
use services::ports::{LabOrder, Workloads};

use crate::{
    scenarios::phase,
    support::{Orders, orders::with_own_secret, rig::Rig, until},
};

fn api(rig: &Rig, order: &LabOrder) -> Api<Stored> {
    Api::namespaced(rig.client.clone(), &order.lab.namespace)
}

fn name(order: &LabOrder) -> String {
    format!("{}-door", order.lab.name)
}

/// The value that is there.
async fn value(rig: &Rig, order: &LabOrder) -> Option<String> {
    let stored = api(rig, order).get_opt(&name(order)).await.expect("an answer")?;
    let data = stored.data.unwrap_or_default();
    assert_eq!(data.len(), 1, "{:?}", data.keys());
    Some(String::from_utf8_lossy(&data["JUPYTER_TOKEN"].0).into_owned())
}

async fn change(rig: &Rig, order: &LabOrder) {
    let theirs = json!({ "data": { "JUPYTER_TOKEN": "dGhlaXJz" } });
    api(rig, order).patch(&name(order), &PatchParams::default(), &Patch::Merge(theirs)).await.expect("a change");
    assert_eq!(value(rig, order).await.as_deref(), Some("theirs"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_start_has_its_own_and_no_pod_shows_it() {
    let rig = Rig::simulated().await;
    let mut order = with_own_secret(Orders::new().plain(), "first-hush");
    rig.start(&order).await;
    assert_eq!(value(&rig, &order).await.as_deref(), Some("first-hush"), "it is there before the pods are");
    phase(&rig, &order, ObservedPhase::Ready).await;
    let stored = api(&rig, &order).get(&name(&order)).await.expect("a Secret");
    assert_eq!(stored.metadata.labels.unwrap_or_default()["lectern.dev/lab"], order.lab.id.to_string());
    let pods = Api::<Pod>::namespaced(rig.client.clone(), &order.lab.namespace).list(&ListParams::default()).await.expect("pods").items;
    let text = serde_json::to_string(&pods).expect("JSON");
    assert!(text.contains("JUPYTER_TOKEN") && !text.contains("first-hush"), "{text}");

    rig.cluster.stop(&order).await.expect("a stop");
    until("no pod is left", || rig.cluster.observe(&order), |seen| seen.as_ref().is_ok_and(|seen| seen.pods == 0)).await.expect("until");
    order.lab.lifecycle.generation += 1;
    order.own_secret = Some(Secret::new("second-hush".into()));
    rig.start(&order).await;
    assert_eq!(value(&rig, &order).await.as_deref(), Some("second-hush"));
    phase(&rig, &order, ObservedPhase::Ready).await;
    let seen = rig.cluster.observe(&order).await.expect("an answer");
    assert_eq!(seen.members.iter().map(|pod| pod.generation).collect::<Vec<_>>(), [1], "the pod says which secret it has");
    rig.clean(&order).await;
    assert_eq!(value(&rig, &order).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_change_or_delete_is_written_again() {
    let rig = Rig::simulated().await;
    let mut order = with_own_secret(Orders::new().plain(), "hush");
    rig.start(&order).await;
    phase(&rig, &order, ObservedPhase::Ready).await;
    order.lab.state = LabState::Running;
    change(&rig, &order).await;
    rig.cluster.keep_secret(&order).await.expect("kept");
    assert_eq!(value(&rig, &order).await.as_deref(), Some("theirs"), "not with each look");
    // The portal after a restart: another client, which knows nothing of earlier writes.
    let (next, _gate) = rig.through_a_gate().await;
    next.keep_secret(&order).await.expect("kept");
    assert_eq!(value(&rig, &order).await.as_deref(), Some("hush"));

    api(&rig, &order).delete(&name(&order), &DeleteParams::default()).await.expect("a deletion");
    let (next, _gate) = rig.through_a_gate().await;
    next.keep_secret(&order).await.expect("kept");
    assert_eq!(value(&rig, &order).await.as_deref(), Some("hush"));
    // Without the value nothing is overwritten.
    let (next, _gate) = rig.through_a_gate().await;
    next.keep_secret(&LabOrder { own_secret: None, ..order.clone() }).await.expect("nothing to do");
    assert_eq!(value(&rig, &order).await.as_deref(), Some("hush"));
}
