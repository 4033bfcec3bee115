//! Changes as they happen, and a network that fails.

use std::sync::{Arc, Mutex};

use domain::labs::ObservedPhase;
use futures::StreamExt;
use services::ports::{Change, ClusterError, Fleet, Workloads};
use tokio::task::JoinHandle;

use super::phase;
use crate::support::{Orders, gate::Way, rig::Rig, until};

/// What a watch has reported so far.
struct Watching {
    seen: Arc<Mutex<Vec<Change>>>,
    task: JoinHandle<()>,
}

impl Watching {
    fn of(cluster: &impl Fleet) -> Self {
        let (seen, mut changes) = (Arc::<Mutex<Vec<Change>>>::default(), cluster.watch());
        let sink = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Some(change) = changes.next().await {
                sink.lock().expect("no panic").push(change);
            }
        });
        Self { seen, task }
    }

    /// Waits for such a change, and forgets it and those before it.
    async fn comes(&self, what: &str, is: impl Fn(&Change) -> bool) {
        until(what, || async { self.seen.lock().expect("no panic").clone() }, |seen| seen.iter().any(&is)).await;
        let mut seen = self.seen.lock().expect("no panic");
        let at = seen.iter().position(&is).expect("it came");
        seen.drain(..=at);
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub async fn changes_are_reported(rig: &Rig) {
    let watching = Watching::of(&rig.cluster);
    watching.comes("All", |change| *change == Change::All).await;
    let order = Orders::new().plain();
    let lab = order.lab.id;
    rig.start(&order).await;
    watching.comes("the start", |change| *change == Change::Lab(lab)).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    watching.seen.lock().expect("no panic").clear();
    rig.cluster.stop(&order).await.expect("a stop");
    watching.comes("the stop", |change| *change == Change::Lab(lab)).await;
    phase(rig, &order, ObservedPhase::Idle).await;
    // Whoever observes on each report learns of a refusal too, though no object of the lab changes.
    let refused = Orders::new().with_cards(1).notebook();
    rig.start(&refused).await;
    let lab = refused.lab.id;
    until(
        "the report after which the refusal shows",
        || async {
            watching.comes("a report", |change| *change == Change::Lab(lab)).await;
            rig.cluster.observe(&refused).await
        },
        |seen| seen.as_ref().is_ok_and(|seen| seen.phase == ObservedPhase::Failed),
    )
    .await
    .expect("until");
    rig.clean(&order).await;
    rig.clean(&refused).await;
}

pub async fn a_cluster_that_is_away_is_reported_and_so_is_its_return(rig: &Rig) {
    let order = Orders::new().plain();
    let (cluster, gate) = rig.through_a_gate().await;
    gate.set(Way::Cut);
    let error = cluster.start(&order).await.expect_err("nobody is there");
    assert!(matches!(error, ClusterError::Away(_)), "{error:?}");
    let watching = Watching::of(&cluster);
    watching.comes("Away", |change| matches!(change, Change::Away(_))).await;
    gate.set(Way::Open);
    watching.comes("All", |change| *change == Change::All).await;
    rig.start(&order).await;
    phase(rig, &order, ObservedPhase::Ready).await;
    cluster.observe(&order).await.expect("an answer");
    watching.seen.lock().expect("no panic").clear();
    gate.set(Way::Cut);
    watching.comes("Away again", |change| matches!(change, Change::Away(_))).await;
    assert!(matches!(cluster.observe(&order).await, Err(ClusterError::Away(_))));
    gate.set(Way::Open);
    watching.comes("All again", |change| *change == Change::All).await;
    assert_eq!(cluster.observe(&order).await.expect("an answer").phase, ObservedPhase::Ready);
    rig.clean(&order).await;
}

pub async fn a_connection_that_dies_silently_is_noticed(rig: &Rig) {
    let (cluster, gate) = rig.through_a_gate().await;
    let watching = Watching::of(&cluster);
    watching.comes("All", |change| *change == Change::All).await;
    gate.set(Way::Silent);
    // It does not hang, and it is not an old answer.
    assert!(matches!(cluster.info().await, Err(ClusterError::Away(_))));
    watching.comes("Away", |change| matches!(change, Change::Away(_))).await;
    // What happens meanwhile is not lost: `All` makes the reader look.
    gate.set(Way::Open);
    watching.comes("All", |change| *change == Change::All).await;
}

pub async fn a_watched_lab_is_seen_as_the_server_has_it(rig: &Rig) {
    let order = Orders::new().training();
    let (watched, gate) = rig.through_a_gate().await;
    let watching = Watching::of(&watched);
    watching.comes("All", |change| *change == Change::All).await;
    rig.provide_volume(&order).await;
    watched.start(&order).await.expect("a start");
    // What was just written is there, however far the watch is.
    let seen = watched.observe(&order).await.expect("an answer");
    assert!(seen.objects.iter().any(|object| object.kind == "Job"), "{seen:#?}");
    // The other one has no watch and asks.
    let both = || async { (watched.observe(&order).await.expect("an answer"), rig.cluster.observe(&order).await.expect("an answer")) };
    until("both see the same", both, |(watched, asked)| watched == asked && asked.phase == ObservedPhase::Ready).await;
    gate.set(Way::Silent);
    let seen = watched.observe(&order).await.expect("known without asking");
    assert_eq!((seen.phase, seen.pods), (ObservedPhase::Ready, 8));
    gate.set(Way::Open);
    let stopped = || watched.stop(&order);
    until("the way is open again", stopped, Result::is_ok).await.expect("until");
    let seen = watched.observe(&order).await.expect("an answer");
    assert_ne!(seen.phase, ObservedPhase::Ready, "a lab that was told to stop");
    until("both see it go", both, |(watched, asked)| watched == asked && asked.phase == ObservedPhase::Idle).await;
    rig.clean(&order).await;
    until("both see nothing", both, |(watched, asked)| watched.phase == asked.phase && asked.phase == ObservedPhase::Absent).await;
}

pub async fn version_and_nodes_are_read(rig: &Rig) {
    let info = rig.cluster.info().await.expect("an answer");
    assert!(info.version.starts_with("v1."), "{}", info.version);
    let node = info.nodes.iter().find(|node| !node.cards.is_empty()).expect("a node with cards");
    assert!(node.ready && !node.cordoned && node.cpu_cores > 0 && node.memory_gib > 0, "{node:?}");
    assert!(node.cards.iter().any(|(card, count)| card.id() == "a100-80g" && *count > 0), "{node:?}");
}
