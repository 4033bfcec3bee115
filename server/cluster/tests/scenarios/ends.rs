//! A lab ends at its time even if the portal is down.

use domain::{labs::ObservedPhase, time::Timestamp};
use k8s_openapi::api::batch::v1::Job;
use kube::Api;
use services::ports::{LabOrder, Workloads};

use super::{observed, phase};
use crate::support::{Orders, rig::Rig};

/// The lab, with an end that the cluster enforces `seconds` after the start: the cluster waits 15 seconds beyond the lab's own end.
fn ending_in(order: &LabOrder, seconds: i64) -> LabOrder {
    let mut order = order.clone();
    order.lab.ends_at = Some(order.at.plus_seconds(seconds - 15));
    order
}

pub async fn pods_go_at_their_time_and_the_volume_stays(rig: &Rig) {
    let course = Orders::new();
    for order in [course.notebook(), course.editor()] {
        rig.start(&ending_in(&order, 3_600)).await;
        phase(rig, &order, ObservedPhase::Ready).await;
        rig.cluster.keep_end(&ending_in(&order, 1)).await.expect("an end");
        let seen = observed(rig, &order, "nothing runs", |seen| seen.phase == ObservedPhase::Idle && seen.pods == 0).await;
        assert_eq!(seen.failure, None);
        let kinds: Vec<_> = seen.objects.iter().map(|object| object.kind.as_str()).collect();
        assert!(kinds.contains(&"PersistentVolumeClaim"), "{kinds:?}");
        // The owner extends the lab and starts it again.
        let order = ending_in(&order, 3_600);
        rig.start(&order).await;
        phase(rig, &order, ObservedPhase::Ready).await;
        rig.clean(&order).await;
    }
}

pub async fn a_job_ends_at_its_time_and_says_so(rig: &Rig) {
    let order = Orders::new().batch();
    rig.start(&ending_in(&order, 3_600)).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    rig.cluster.keep_end(&ending_in(&order, 1)).await.expect("an end");
    let seen = phase(rig, &order, ObservedPhase::Failed).await;
    assert_eq!(seen.failure.map(|(reason, _)| reason).as_deref(), Some("DeadlineExceeded"));
    assert!(seen.ended_at.is_some(), "and when");
    rig.clean(&order).await;
}

pub async fn the_end_is_moved_both_ways(rig: &Rig) {
    let course = Orders::new();
    for (order, timer) in [(course.plain(), "-end"), (course.batch(), "")] {
        let name = format!("{}{timer}", order.lab.name);
        let deadline = async || {
            let job = Api::<Job>::namespaced(rig.client.clone(), &order.lab.namespace).get(&name).await.expect("the Job");
            job.spec.and_then(|spec| spec.active_deadline_seconds).expect("a deadline")
        };
        // The lab begins to run; from then on its end is known.
        rig.start(&order).await;
        let seen = phase(rig, &order, ObservedPhase::Ready).await;
        assert!(seen.ready_since.is_some_and(|since| since > Timestamp::from_seconds(0)));
        assert!(deadline().await > 90 * 60, "time to come up");
        for seconds in [600, 1_200] {
            rig.cluster.keep_end(&ending_in(&order, seconds)).await.expect("an end");
            assert_eq!(deadline().await, seconds);
        }
        rig.cluster.keep_end(&ending_in(&order, 1)).await.expect("an end");
        observed(rig, &order, "it has ended", |seen| matches!(seen.phase, ObservedPhase::Idle | ObservedPhase::Failed) && seen.pods == 0).await;
        rig.clean(&order).await;
    }
}
