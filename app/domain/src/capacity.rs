//! Cards that exist, and who holds them (C4). Quota is what a course may use; capacity is what there is.
//! Cards are counted per kind and per node: four free cards on two nodes are no place for a pod that wants four.

mod hand;
mod outlook;

use serde::{Deserialize, Serialize};

pub use self::{
    hand::{Hand, InLine, PASSED_MINUTES},
    outlook::{Outlook, PlannedEnd, Supply},
};
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
    /// Cards that no lab holds and none can use: other pods hold them, or their node has no processor, memory or pod slot left.
    #[serde(default)]
    pub unusable: u32,
}

impl Pool {
    /// Cards that a lab can use now.
    pub const fn free(&self) -> u32 {
        self.unreserved().saturating_sub(self.unusable)
    }

    /// Cards that no lab holds, usable or not.
    pub const fn unreserved(&self) -> u32 {
        self.total.saturating_sub(self.reserved)
    }

    /// Whether enough cards are unreserved, only not on one node: `per_node` is what each pod needs.
    pub const fn is_scattered(&self, cards: u32, per_node: u32) -> bool {
        self.unreserved() >= cards && per_node > self.largest_node
    }
}

/// Why a lab does not get the cards now that a larger size needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoRoom {
    /// Fewer are free than it needs in addition.
    #[default]
    TooFew,
    /// Enough are free, but no node has room for the lab in its new size.
    Elsewhere,
    /// They are free, and kept for orders that wait first.
    Kept,
}

/// Why something approved still waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// Fewer cards of the kind are free than it needs.
    NotEnough { card: Card, free: u32, needed: u32 },
    /// Enough are free, but no single node has as many as one pod needs.
    NoSingleNode { card: Card, per_node: u32, largest: u32 },
    /// Enough cards are free, but no node with free cards has this much processor and memory and a slot for one more pod.
    NoMachine { card: Card, cpu_cores: u32, memory_gib: u32 },
    /// Cards are free, and are for others who waited longer.
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
        Some(pool) if pool.unreserved() >= needed => WaitReason::Turn { card },
        pool => WaitReason::NotEnough { card, free: pool.map_or(0, Pool::free), needed },
    }
}

/// One node's cards of one kind, as far as it takes pods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    pub node: String,
    pub total: u32,
    /// Neither planned for a lab nor held by somebody else's pod.
    pub free: u32,
    /// All processor, memory and pod slots of the node that labs can have, and the part that no lab has been given; `None` if the node does
    /// not report them.
    pub machine: Option<Machine>,
    pub machine_free: Option<Machine>,
}

/// Processor, memory and pod slots of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub cpu_cores: u32,
    pub memory_gib: u32,
    /// `None` if the node does not report how many pods it takes.
    #[serde(default)]
    pub pods: Option<u32>,
}

impl Machine {
    #[must_use]
    pub const fn without(self, used: Self) -> Self {
        let pods = match (self.pods, used.pods) {
            (Some(pods), Some(used)) => Some(pods.saturating_sub(used)),
            (pods, _) => pods,
        };
        Self { cpu_cores: self.cpu_cores.saturating_sub(used.cpu_cores), memory_gib: self.memory_gib.saturating_sub(used.memory_gib), pods }
    }

    #[must_use]
    pub const fn with(self, more: Self) -> Self {
        let pods = match (self.pods, more.pods) {
            (Some(pods), Some(more)) => Some(pods.saturating_add(more)),
            (pods, _) => pods,
        };
        Self { cpu_cores: self.cpu_cores.saturating_add(more.cpu_cores), memory_gib: self.memory_gib.saturating_add(more.memory_gib), pods }
    }

    /// Whether so many of the smallest labs fit: each is a pod with a core and a GiB.
    pub const fn holds_labs(self, count: u32) -> bool {
        let has_slots = match self.pods {
            Some(pods) => pods >= count,
            None => true,
        };
        has_slots && self.cpu_cores >= count && self.memory_gib >= count
    }
}

/// The pods that a lab needs room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pods {
    pub nodes: u32,
    /// Each pod needs this many cards on one node.
    pub cards_per_node: u32,
    pub cpu_cores: u32,
    pub memory_gib: u32,
}

impl Pods {
    pub const fn of(spec: &LabSpec) -> Self {
        Self { nodes: spec.nodes, cards_per_node: spec.cards_per_node, cpu_cores: spec.cpu_cores, memory_gib: spec.memory_gib }
    }

    /// Cards of all of them.
    pub const fn cards(self) -> u32 {
        self.cards_per_node.saturating_mul(self.nodes)
    }

    /// Processors, memory and pod slots that `count` of these pods take of their node.
    const fn machine(self, count: u32) -> Machine {
        Machine { cpu_cores: self.cpu_cores.saturating_mul(count), memory_gib: self.memory_gib.saturating_mul(count), pods: Some(count) }
    }

    /// How many of them fit where so much is.
    fn fitting(self, cards: u32, machine: Option<Machine>) -> u32 {
        let times = |there: u32, each: u32| there.checked_div(each).unwrap_or(u32::MAX);
        let by_cards = times(cards, self.cards_per_node);
        machine.map_or(by_cards, |machine| {
            let by_requests = times(machine.cpu_cores, self.cpu_cores).min(times(machine.memory_gib, self.memory_gib));
            by_cards.min(by_requests).min(machine.pods.unwrap_or(u32::MAX))
        })
    }
}

/// Where the pods would be placed, as node and cards; `None` if they do not all fit.
///
/// The fullest node that still fits comes first, so that whole nodes stay free for those who need many cards at once.
pub fn plan(rooms: &[Room], pods: Pods) -> Option<Vec<(String, u32)>> {
    if pods.cards_per_node == 0 || pods.nodes == 0 {
        return Some(Vec::new());
    }
    let fitting = |room: &Room| pods.fitting(room.free, room.machine_free);
    let mut rooms: Vec<_> = rooms.iter().filter(|room| fitting(room) > 0).collect();
    rooms.sort_by(|one, two| (one.free, &one.node).cmp(&(two.free, &two.node)));
    let mut left = pods.nodes;
    let mut places = Vec::new();
    for room in rooms {
        let here = fitting(room).min(left);
        places.push((room.node.clone(), here * pods.cards_per_node));
        left -= here;
        if left == 0 {
            return Some(places);
        }
    }
    None
}

/// Whether an empty cluster would have room: who asks for more than that waits for the cluster to grow and must hold up nobody else.
pub fn can_ever_fit(rooms: &[Room], pods: Pods) -> bool {
    pods.cards_per_node == 0 || rooms.iter().map(|room| u64::from(pods.fitting(room.total, room.machine))).sum::<u64>() >= u64::from(pods.nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms(free: &[(u32, u32)]) -> Vec<Room> {
        let room = |(at, (free, total)): (usize, &(u32, u32))| Room {
            node: format!("n{at}"),
            total: *total,
            free: *free,
            machine: None,
            machine_free: None,
        };
        free.iter().enumerate().map(room).collect()
    }

    /// `nodes` pods with `cards_per_node` cards each.
    const fn pods(cards_per_node: u32, nodes: u32) -> Pods {
        Pods { nodes, cards_per_node, cpu_cores: 16, memory_gib: 128 }
    }

    #[test]
    fn a_free_card_on_a_node_without_processor_or_memory_is_no_place() {
        let machine = |cpu_cores, memory_gib| Some(Machine { cpu_cores, memory_gib, pods: None });
        let room = |node: &str, machine_free| Room { node: node.into(), total: 8, free: 4, machine: machine(128, 1_024), machine_free };
        let full = [room("n0", machine(15, 1_024)), room("n1", machine(128, 127))];
        assert_eq!(plan(&full, pods(1, 1)), None);
        assert!(can_ever_fit(&full, pods(1, 1)), "when others end");
        let one = [full[0].clone(), room("n2", machine(40, 1_024))];
        assert_eq!(plan(&one, pods(1, 2)), Some(vec![("n2".into(), 2)]), "two pods of 16 cores in 40");
        assert_eq!(plan(&one, pods(1, 3)), None);
        let large = Pods { cpu_cores: 129, ..pods(1, 1) };
        assert!(!can_ever_fit(&one, large), "no node is as large");
    }

    #[test]
    fn a_free_card_on_a_node_that_takes_no_more_pods_is_no_place() {
        let machine = |slots| Some(Machine { cpu_cores: 128, memory_gib: 1_024, pods: Some(slots) });
        let room =
            |node: &str, slots, free_slots| Room { node: node.into(), total: 8, free: 8, machine: machine(slots), machine_free: machine(free_slots) };
        let never = [room("n0", 0, 0)];
        assert!(plan(&never, pods(1, 1)).is_none() && !can_ever_fit(&never, pods(1, 1)));
        let full = [room("n0", 110, 0)];
        assert!(plan(&full, pods(1, 1)).is_none() && can_ever_fit(&full, pods(1, 1)), "when others end");
        let few = [room("n0", 110, 1), room("n1", 110, 2)];
        assert_eq!(plan(&few, pods(1, 3)), Some(vec![("n0".into(), 1), ("n1".into(), 2)]), "each rank of a job is a pod");
        assert_eq!(plan(&few, pods(1, 4)), None);
        assert_eq!(plan(&few, pods(8, 1)), Some(vec![("n0".into(), 8)]), "one pod with all cards takes one slot");
    }

    #[test]
    fn cards_that_no_lab_can_use_are_not_free() {
        let card: Card = "a100-80g".parse().expect("a card");
        let pool = Pool { card, total: 16, reserved: 4, largest_node: 8, unusable: 8 };
        assert_eq!((pool.free(), pool.unreserved()), (4, 12));
        let left = Machine { cpu_cores: 8, memory_gib: 8, pods: Some(1) };
        assert!(left.holds_labs(1) && !left.holds_labs(2) && Machine { pods: None, ..left }.holds_labs(8));
    }

    #[test]
    fn four_cards_on_two_nodes_are_no_place_for_a_pod_of_four() {
        assert_eq!(plan(&rooms(&[(2, 8), (2, 8)]), pods(4, 1)), None);
        assert!(can_ever_fit(&rooms(&[(2, 8), (2, 8)]), pods(4, 1)), "later they may be");
        assert!(!can_ever_fit(&rooms(&[(2, 3), (2, 3)]), pods(4, 1)));
        assert_eq!(plan(&rooms(&[(2, 8), (2, 8)]), pods(1, 4)), Some(vec![("n0".into(), 2), ("n1".into(), 2)]), "four pods of one are");
    }

    #[test]
    fn the_fullest_node_that_fits_is_taken_first() {
        assert_eq!(plan(&rooms(&[(8, 8), (3, 8), (2, 8)]), pods(2, 1)), Some(vec![("n2".into(), 2)]));
        assert_eq!(plan(&rooms(&[(8, 8), (3, 8)]), pods(2, 2)), Some(vec![("n1".into(), 2), ("n0".into(), 2)]));
        assert_eq!(plan(&rooms(&[]), pods(0, 1)), Some(vec![]), "no cards are always there");
    }

    #[test]
    fn the_reason_to_wait_tells_scattered_cards_from_too_few() {
        let card: Card = "a100-80g".parse().expect("a card");
        let pool = Pool { card, total: 16, reserved: 10, largest_node: 3, unusable: 0 };
        assert!(pool.is_scattered(4, 4) && !pool.is_scattered(4, 1) && !pool.is_scattered(7, 7));
    }
}
