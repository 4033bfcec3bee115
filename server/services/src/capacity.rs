//! Setting cards aside, node by node (C4). Everything here comes under the lock of the kind of card.

use domain::{Result, capacity, catalogue::LabSpec, gpu::Card, ids::LabId, time::Timestamp};
use storage::{Write, placement, reservations::Waiting};

use crate::error::OrDomain;

/// How far down the queue is looked for somebody whom waiting helps.
const DEEP: u32 = 200;

/// Whether every pod of it has a node with enough free cards.
pub(crate) async fn has_room(write: &mut Write, spec: &LabSpec) -> Result<bool> {
    let rooms = placement::rooms(write, spec.card).await.or_domain()?;
    Ok(capacity::plan(&rooms, spec.cards_per_node, spec.nodes).is_some())
}

/// Sets the lab's cards aside and plans their nodes; `false`, and nothing is written, when there is no place for all of its pods.
///
/// Two approvals at once come one after the other here, and the second one finds what the first has planned.
pub(crate) async fn reserve(write: &mut Write, lab: LabId, spec: &LabSpec, now: Timestamp) -> Result<bool> {
    let rooms = placement::rooms(write, spec.card).await.or_domain()?;
    let Some(places) = capacity::plan(&rooms, spec.cards_per_node, spec.nodes) else { return Ok(false) };
    if !storage::reservations::take(write, lab, spec.card, spec.cards(), now).await.or_domain()? {
        return Ok(false);
    }
    // Pods of a job go anywhere: its template can never change, and one card a pod leaves no gaps.
    let preferred = places.first().filter(|_| spec.nodes == 1).map(|(node, _)| node.as_str());
    placement::put_places(write, lab, &places, preferred).await.or_domain()?;
    Ok(true)
}

/// The head of the queue, without those that no waiting helps before the cluster grows: they must not hold up everybody else.
pub(crate) async fn waiting(write: &mut Write, card: Card, limit: usize) -> Result<Vec<Waiting>> {
    let rooms = placement::rooms(write, card).await.or_domain()?;
    let most = rooms.iter().fold(0, |sum: u32, room| sum.saturating_add(room.total));
    let mut waiting = storage::reservations::queue(write, card, most, DEEP).await.or_domain()?;
    waiting.retain(|waiting| capacity::can_ever_fit(&rooms, waiting.cards_per_node, waiting.nodes));
    waiting.truncate(limit);
    Ok(waiting)
}
