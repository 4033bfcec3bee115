//! Nodes that operators drain under a lab.

use domain::labs::{Observation, ObservedPhase};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Node, Pod},
};
use kube::{
    Api, ResourceExt as _,
    api::{EvictParams, ListParams},
};

use crate::{
    scenarios::{observed, phase},
    support::{Orders, rig::Rig, until},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drains_use_up_no_retry_of_a_batch_lab() {
    let rig = Rig::simulated().await;
    let mut order = Orders::new().batch();
    // A single failure that counts would end it.
    order.lab.spec.retries = 0;
    rig.start(&order).await;
    phase(&rig, &order, ObservedPhase::Ready).await;
    let (namespace, name) = (order.lab.namespace.as_str(), order.lab.name.as_str());
    let pods = Api::<Pod>::namespaced(rig.client.clone(), namespace);
    let nodes = Api::<Node>::all(rig.client.clone());
    let selected = ListParams::default().labels(&format!("batch.kubernetes.io/job-name={name}"));
    for _ in 0..2 {
        let mut list = pods.list(&selected).await.expect("an answer").items;
        let (Some(pod), None) = (list.pop(), list.pop()) else { panic!("one pod runs") };
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).expect("it runs somewhere");
        nodes.cordon(&node).await.expect("the node is closed");
        pods.evict(&pod.name_any(), &EvictParams::default()).await.expect("the pod is evicted");
        let is_other = |other: &Pod| other.uid() != pod.uid() && other.metadata.deletion_timestamp.is_none();
        until(
            "only a new pod is there",
            || pods.list(&selected),
            |list| list.as_ref().is_ok_and(|list| list.items.len() == 1 && list.items.iter().all(&is_other)),
        )
        .await
        .expect("until");
        let elsewhere = |seen: &Observation| seen.phase == ObservedPhase::Ready && !seen.nodes.is_empty() && !seen.nodes.contains(&node);
        let seen = observed(&rig, &order, "it runs elsewhere", elsewhere).await;
        assert_eq!(seen.failure, None);
        nodes.uncordon(&node).await.expect("the node is open again");
    }
    let job = Api::<Job>::namespaced(rig.client.clone(), namespace).get(name).await.expect("the job");
    assert_eq!(job.status.and_then(|status| status.failed), None, "nothing was counted");
}
