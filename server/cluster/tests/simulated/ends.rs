//! Replicas of the portal that tell the cluster in turn when a lab ends.

use domain::labs::ObservedPhase;
use k8s_openapi::api::batch::v1::Job;
use kube::Api;
use services::ports::Workloads;

use crate::{
    scenarios::phase,
    support::{Orders, rig::Rig},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_another_replica_moved_meanwhile_is_told_again() {
    let rig = Rig::simulated().await;
    let (other, _gate) = rig.through_a_gate().await;
    let order = Orders::new().plain();
    rig.start(&order).await;
    phase(&rig, &order, ObservedPhase::Ready).await;
    let jobs = Api::<Job>::namespaced(rig.client.clone(), &order.lab.namespace);
    // The owner sets a daily stop and takes it away again; the background work moves to the other replica and back.
    for (version, replica, seconds) in [(2, &rig.cluster, 3_600), (3, &other, 600), (4, &rig.cluster, 3_600)] {
        let mut moved = order.clone();
        moved.lab.version = version;
        moved.lab.ends_at = Some(order.at.plus_seconds(seconds - 15));
        replica.keep_end(&moved).await.expect("an end");
        let timer = jobs.get(&format!("{}-end", order.lab.name)).await.expect("the timer");
        assert_eq!(timer.spec.and_then(|spec| spec.active_deadline_seconds), Some(seconds), "version {version}");
    }
}
