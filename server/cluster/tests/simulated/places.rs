//! Pods go where the portal counted on their cards.

use domain::labs::ObservedPhase;

use crate::{
    scenarios::phase,
    support::{Orders, rig::Rig},
};

/// Each rank has one card, and fewest pods run on the empty nodes: without the plan the ranks would leave no node with eight free cards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ranks_of_a_job_fill_the_planned_nodes_one_after_the_other() {
    let rig = Rig::simulated().await;
    let mut job = Orders::new().training();
    job.preferred_nodes = ["dell-pro-max-aipc-03", "dell-pro-max-aipc-01"].map(Into::into).to_vec();
    rig.start(&job).await;
    let mut nodes = phase(&rig, &job, ObservedPhase::Ready).await.nodes;
    nodes.sort();
    let expected = [["dell-pro-max-aipc-01"; 4], ["dell-pro-max-aipc-03"; 4]].concat();
    assert_eq!(nodes, expected, "all four cards of the first node, and the rest on the second");
}
