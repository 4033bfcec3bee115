//! Admission webhooks that are down, slow, or refuse a change.

use std::time::Duration;

use domain::{cluster::Obstacle, labs::ObservedPhase};
use services::ports::{ClusterError, Workloads};
use simulator::faults::{Fault, Rule};

use crate::{
    scenarios::phase,
    support::{Orders, rig::Rig},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_is_down_blocks_what_it_guards_and_nothing_else() {
    let rig = Rig::simulated().await;
    let orders = Orders::new();
    rig.switch_on(Rule::new(Fault::WebhookDown("deploy.example.com".into())).on_resources(&["deployments"]));
    let blocked = rig.cluster.start(&orders.editor()).await.expect_err("its Deployment is guarded");
    let ClusterError::Blocked(Obstacle::Webhook { name, message }) = &blocked else { panic!("{blocked:?}") };
    assert_eq!(name, "deploy.example.com");
    assert!(message.contains("connection refused"), "{message}");
    rig.start(&orders.notebook()).await;
    phase(&rig, &orders.notebook(), ObservedPhase::Ready).await;
    rig.all_off();
    rig.start(&orders.editor()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_slower_than_other_calls_may_be_does_not_keep_a_lab_from_starting() {
    let rig = Rig::simulated().await;
    let order = Orders::new().plain();
    // As a webhook with `failurePolicy: Ignore` and a time-out of 10 s.
    rig.switch_on(Rule::new(Fault::Slow(Duration::from_secs(10))).on_verbs(&["patch"]).on_resources(&["statefulsets"]));
    rig.cluster.start(&order).await.expect("it only takes its time");
    rig.all_off();
    phase(&rig, &order, ObservedPhase::Ready).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_that_admission_refuses_says_why() {
    let rig = Rig::simulated().await;
    let order = Orders::new().plain();
    rig.start(&order).await;
    rig.switch_on(Rule::new(Fault::WebhookDenies("exam week".into())).on_resources(&["statefulsets"]));
    let refused = rig.cluster.stop(&order).await.expect_err("refused");
    assert!(matches!(&refused, ClusterError::Refused { message, .. } if message.contains("exam week")), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_that_are_no_longer_good_are_the_operators_matter() {
    let rig = Rig::simulated().await;
    rig.switch_on(Rule::new(Fault::Unauthorized));
    let refused = rig.cluster.start(&Orders::new().plain()).await.expect_err("401");
    assert!(matches!(refused, ClusterError::Blocked(Obstacle::Credentials)), "{refused:?}");
}
