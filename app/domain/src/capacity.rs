//! Cards that exist, and who holds them (C4). Quota is what a course may use; capacity is what there is.
//! Cards are counted per kind and per node: four free cards on two nodes are no place for a pod that wants four.

use serde::{Deserialize, Serialize};

use crate::{catalogue::LabSpec, gpu::Card, time::Timestamp};

/// Cards of one kind over the whole cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    pub card: Card,
    /// Allocatable on nodes that are ready and not cordoned.
    pub total: u32,
    /// Held by labs.
    pub reserved: u32,
    /// Most cards of this kind on one node that nobody holds.
    pub largest_node: u32,
}

impl Pool {
    pub const fn free(&self) -> u32 {
        self.total.saturating_sub(self.reserved)
    }

    /// Whether enough cards are free, only not on one node: `per_node` is what each pod needs.
    pub const fn is_scattered(&self, cards: u32, per_node: u32) -> bool {
        self.free() >= cards && per_node > self.largest_node
    }
}

/// Why something approved still waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// Fewer cards of the kind are free than it needs.
    NotEnough { card: Card, free: u32, needed: u32 },
    /// Enough are free, but no single node has as many as one pod needs.
    NoSingleNode { card: Card, per_node: u32, largest: u32 },
    /// Cards are free; whoever waited longer comes first.
    Turn { card: Card },
    /// It is for a lesson: its lab comes up at `at`.
    Scheduled { at: Timestamp },
}

/// The reason at this moment; `None` for a pool that the cluster never reported says that nothing is free.
pub fn wait_reason(pool: Option<&Pool>, spec: &LabSpec) -> WaitReason {
    let (card, needed) = (spec.card, spec.cards());
    match pool {
        Some(pool) if pool.is_scattered(needed, spec.cards_per_node) => {
            WaitReason::NoSingleNode { card, per_node: spec.cards_per_node, largest: pool.largest_node }
        }
        Some(pool) if pool.free() >= needed => WaitReason::Turn { card },
        pool => WaitReason::NotEnough { card, free: pool.map_or(0, Pool::free), needed },
    }
}

/// One node's cards of one kind, as far as it takes pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    pub node: String,
    pub total: u32,
    /// Neither planned for a lab nor held by somebody else's pod.
    pub free: u32,
}

/// Where `nodes` pods of `per_node` cards each would go, as node and cards; `None` when there is no place for all.
///
/// The fullest node that still fits comes first, so that whole nodes stay free for those who need many cards at once.
pub fn plan(rooms: &[Room], per_node: u32, nodes: u32) -> Option<Vec<(String, u32)>> {
    if per_node == 0 || nodes == 0 {
        return Some(Vec::new());
    }
    let mut rooms: Vec<_> = rooms.iter().filter(|room| room.free >= per_node).collect();
    rooms.sort_by(|one, two| (one.free, &one.node).cmp(&(two.free, &two.node)));
    let mut left = nodes;
    let mut places = Vec::new();
    for room in rooms {
        let pods = (room.free / per_node).min(left);
        places.push((room.node.clone(), pods * per_node));
        left -= pods;
        if left == 0 {
            return Some(places);
        }
    }
    None
}

/// Whether an empty cluster would have room: who asks for more than that waits for the cluster to grow and must hold up nobody else.
pub fn can_ever_fit(rooms: &[Room], per_node: u32, nodes: u32) -> bool {
    per_node == 0 || rooms.iter().map(|room| u64::from(room.total / per_node)).sum::<u64>() >= u64::from(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms(free: &[(u32, u32)]) -> Vec<Room> {
        free.iter().enumerate().map(|(at, (free, total))| Room { node: format!("n{at}"), total: *total, free: *free }).collect()
    }

    #[test]
    fn four_cards_on_two_nodes_are_no_place_for_a_pod_of_four() {
        assert_eq!(plan(&rooms(&[(2, 8), (2, 8)]), 4, 1), None);
        assert!(can_ever_fit(&rooms(&[(2, 8), (2, 8)]), 4, 1), "later they may be");
        assert!(!can_ever_fit(&rooms(&[(2, 3), (2, 3)]), 4, 1));
        assert_eq!(plan(&rooms(&[(2, 8), (2, 8)]), 1, 4), Some(vec![("n0".into(), 2), ("n1".into(), 2)]), "four pods of one are");
    }

    #[test]
    fn the_fullest_node_that_fits_is_taken_first() {
        assert_eq!(plan(&rooms(&[(8, 8), (3, 8), (2, 8)]), 2, 1), Some(vec![("n2".into(), 2)]));
        assert_eq!(plan(&rooms(&[(8, 8), (3, 8)]), 2, 2), Some(vec![("n1".into(), 2), ("n0".into(), 2)]));
        assert_eq!(plan(&rooms(&[]), 0, 1), Some(vec![]), "no cards are always there");
    }

    #[test]
    fn the_reason_to_wait_tells_scattered_cards_from_too_few() {
        let card: Card = "a100-80g".parse().expect("a card");
        let pool = Pool { card, total: 16, reserved: 10, largest_node: 3 };
        assert!(pool.is_scattered(4, 4) && !pool.is_scattered(4, 1) && !pool.is_scattered(7, 7));
    }
}
