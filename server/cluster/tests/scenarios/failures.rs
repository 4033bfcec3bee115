//! What goes wrong in a cluster, and what Lectern makes of it.

use domain::{
    gpu::CardShare,
    labs::{ConditionStatus, ObservedPhase},
};
use services::ports::{ClusterError, Fleet, Workloads};

use super::{observed, phase};
use crate::support::{Orders, orders::annotated, rig::Rig};

pub async fn an_image_that_cannot_be_pulled_fails_the_lab(rig: &Rig) {
    let order = annotated(Orders::new().plain(), "waiting", "ImagePullBackOff");
    rig.start(&order).await;
    let seen = phase(rig, &order, ObservedPhase::Failed).await;
    let (reason, message) = seen.failure.expect("a failure");
    assert_eq!(reason, "ImagePullBackOff");
    assert!(message.starts_with("lab-2043-0: "), "{message}");
    let ready = seen.conditions.iter().find(|condition| condition.kind == "Ready").expect("a condition");
    assert_eq!((ready.status, ready.reason.as_str()), (ConditionStatus::False, "ImagePullBackOff"));
    rig.cluster.stop(&order).await.expect("a stop");
    assert_eq!(phase(rig, &order, ObservedPhase::Idle).await.failure, None, "a stopped lab is not a failed one");
    rig.clean(&order).await;
}

pub async fn a_job_whose_rank_dies_fails_and_can_be_started_again(rig: &Rig) {
    let order = annotated(Orders::new().training(), "fail-after", "1");
    rig.start(&order).await;
    let seen = phase(rig, &order, ObservedPhase::Failed).await;
    assert_eq!(seen.failure.expect("a failure").0, "BackoffLimitExceeded");
    let better = {
        let mut order = order.clone();
        order.pod_annotations.clear();
        order
    };
    rig.start(&better).await;
    phase(rig, &better, ObservedPhase::Ready).await;
    rig.clean(&better).await;
}

pub async fn over_the_quota_is_a_failure_that_heals_with_the_quota(rig: &Rig) {
    let order = Orders::new().with_cards(1).notebook();
    rig.start(&order).await;
    let seen = phase(rig, &order, ObservedPhase::Failed).await;
    let (reason, message) = seen.failure.expect("a failure");
    assert_eq!(reason, "QuotaExceeded");
    assert!(message.contains("requests.nvidia.com/gpu=2") && message.contains("limited: requests.nvidia.com/gpu=1"), "{message}");
    let condition = seen.conditions.iter().find(|condition| condition.kind == "PodsCreated").expect("a condition");
    assert_eq!((condition.status, condition.reason.as_str()), (ConditionStatus::False, "QuotaExceeded"));
    let mut limits = order.course.settings.limits;
    limits.cards = CardShare::whole(2);
    rig.cluster.set_quota(&order.course, &limits).await.expect("a quota");
    phase(rig, &order, ObservedPhase::Ready).await;
    rig.clean(&order).await;
}

pub async fn a_lab_that_finds_no_card_waits_and_does_not_fail(rig: &Rig) {
    let mut order = Orders::new().plain();
    order.lab.spec.cards_per_node = 31;
    rig.start(&order).await;
    let unscheduled = |seen: &domain::labs::Observation| {
        seen.conditions.iter().any(|condition| condition.kind == "Scheduled" && condition.reason == "Unschedulable")
    };
    let seen = observed(rig, &order, "a condition Scheduled", unscheduled).await;
    assert_eq!((seen.phase, seen.failure), (ObservedPhase::Progressing, None));
    let condition = seen.conditions.iter().find(|condition| condition.kind == "Scheduled").expect("a condition");
    assert!(condition.message.contains("Insufficient nvidia.com/gpu"), "{}", condition.message);
    observed(rig, &order, "an event that says so", |seen| seen.events.iter().any(|event| event.warning && event.reason == "FailedScheduling")).await;
    rig.clean(&order).await;
}

pub async fn what_the_cluster_refuses_is_said_with_its_reason(rig: &Rig) {
    let mut order = Orders::new().plain();
    order.lab.name = "Not_a_name".into();
    let error = rig.cluster.start(&order).await.expect_err("a bad name");
    let ClusterError::Refused { reason, message } = &error else { panic!("{error:?}") };
    assert_eq!(reason, "Invalid");
    assert!(message.contains("Not_a_name"), "{message}");
    rig.clean(&order).await;
}

pub async fn a_batch_job_that_fails_is_tried_again_before_the_lab_fails(rig: &Rig) {
    let mut order = annotated(Orders::new().batch(), "fail-after", "1");
    order.lab.spec.retries = 1;
    rig.start(&order).await;
    let seen = phase(rig, &order, ObservedPhase::Failed).await;
    assert_eq!(seen.failure.expect("a failure").0, "BackoffLimitExceeded");
    assert_eq!(seen.pods, 2, "the first try and one more");
    rig.clean(&order).await;
}

pub async fn a_deployment_over_the_quota_is_a_failure_that_heals(rig: &Rig) {
    let order = Orders::new().with_cards(1).inference();
    rig.start(&order).await;
    let seen = phase(rig, &order, ObservedPhase::Failed).await;
    let (reason, message) = seen.failure.expect("a failure");
    assert_eq!(reason, "QuotaExceeded");
    assert!(message.contains("requests.nvidia.com/gpu"), "{message}");
    let mut limits = order.course.settings.limits;
    limits.cards = CardShare::whole(2);
    rig.cluster.set_quota(&order.course, &limits).await.expect("a quota");
    phase(rig, &order, ObservedPhase::Ready).await;
    rig.clean(&order).await;
}
