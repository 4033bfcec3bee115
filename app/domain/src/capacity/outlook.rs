//! When an order would get its cards, asked of the real queue: how many of its seats start now, how many an empty cluster holds at once,
//! and why and about until when the first of the others waits. The browser and the server compute it by the same code.

use serde::{Deserialize, Serialize};

use super::{Hand, InLine, Machine, Pods, Room, WaitReason};
use crate::{catalogue::LabSpec, gpu::Card, time::Timestamp};

/// Cards of one kind, who waits for them, and when they come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supply {
    pub card: Card,
    /// Of the kind as a whole.
    pub total: u32,
    pub free: u32,
    /// Node by node, under numbers instead of names. None where the cluster has not told yet on which nodes its cards are.
    pub rooms: Vec<Room>,
    /// Those that wait, the one that waited longest first.
    pub line: Vec<InLine>,
    /// More orders wait than are in `line`: a new order waits behind them.
    pub more_wait: bool,
    /// Planned ends of labs that hold such cards, the soonest first.
    pub ends: Vec<PlannedEnd>,
}

/// What a lab gives back of one node when its time is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedEnd {
    pub at: Timestamp,
    pub node: String,
    pub cards: u32,
    pub machine: Machine,
}

/// State of an order after it is approved now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    pub seats: u32,
    /// Seats that the cluster holds at once when nobody else uses it.
    pub at_once: u32,
    /// Seats that get their cards now; the others wait.
    pub now: u32,
    /// Why the first of the others waits; `None` when all start now.
    pub wait: Option<WaitReason>,
    /// About when it starts, by the planned ends of labs; `None` when it does now or no end helps it.
    pub starts_at: Option<Timestamp>,
}

impl Outlook {
    pub const fn waiting(&self) -> u32 {
        self.seats.saturating_sub(self.now)
    }

    /// Whether the cluster as it is never holds even one of them.
    pub const fn never_fits(&self) -> bool {
        self.at_once == 0
    }
}

impl Supply {
    /// State of so many labs at `now`; `None` while it is not known on which nodes the cards are.
    pub fn outlook(&self, spec: &LabSpec, seats: u32, now: Timestamp) -> Option<Outlook> {
        if self.rooms.is_empty() && self.total > 0 {
            return None;
        }
        let pods = Pods::of(spec);
        let at_once = self.at_once(pods).min(seats);
        let started = self.starting(&self.rooms, self.free, pods, seats, now);
        let wait = (started < seats).then(|| self.reason(pods, seats, started));
        let starts_at = if wait.is_some() && at_once > 0 { self.next_start(pods, started, now) } else { None };
        Some(Outlook { seats, at_once, now: started, wait, starts_at })
    }

    /// How many labs of this size an empty cluster holds.
    fn at_once(&self, pods: Pods) -> u32 {
        if pods.cards() == 0 {
            return u32::MAX;
        }
        self.rooms.iter().fold(0, |sum: u32, room| sum.saturating_add(pods.fitting(room.total, room.machine))) / pods.nodes
    }

    /// How many of `seats` get cards once everybody who waits had their turn.
    fn starting(&self, rooms: &[Room], free: u32, pods: Pods, seats: u32, now: Timestamp) -> u32 {
        if self.more_wait && pods.cards() > 0 {
            return 0;
        }
        let mut hand = Hand::new(rooms.to_vec(), free);
        hand.serve(&self.line, now);
        served(&mut hand, pods, seats)
    }

    /// Why not all of `seats` start now.
    fn reason(&self, pods: Pods, seats: u32, started: u32) -> WaitReason {
        let card = self.card;
        let mut alone = Hand::new(self.rooms.clone(), self.free);
        if served(&mut alone, pods, started + 1) > started {
            // There would be room, but for those who came before.
            return WaitReason::Turn { card };
        }
        // The cards that remain beside those orders that fit.
        let largest = alone.rooms().iter().map(|room| room.free).max().unwrap_or_default();
        if alone.free() < pods.cards() {
            WaitReason::NotEnough { card, free: self.free, needed: pods.cards().saturating_mul(seats) }
        } else if pods.cards_per_node > largest {
            WaitReason::NoSingleNode { card, per_node: pods.cards_per_node, largest }
        } else {
            WaitReason::NoMachine { card, cpu_cores: pods.cpu_cores, memory_gib: pods.memory_gib }
        }
    }

    /// The first planned end after which one more than `started` would run.
    fn next_start(&self, pods: Pods, started: u32, now: Timestamp) -> Option<Timestamp> {
        let (mut rooms, mut free) = (self.rooms.clone(), self.free);
        self.ends.iter().find_map(|PlannedEnd { at, node, cards, machine }| {
            for room in rooms.iter_mut().filter(|room| room.node == *node) {
                room.free = room.free.saturating_add(*cards).min(room.total);
                room.machine_free = room.machine_free.map(|free| free.with(*machine));
            }
            free = free.saturating_add(*cards);
            // A lab whose time is over is about to stop.
            let at = (*at).max(now);
            (self.starting(&rooms, free, pods, started + 1, at) > started).then_some(at)
        })
    }
}

/// How many of `seats` find a place, one after the other.
fn served(hand: &mut Hand, pods: Pods, seats: u32) -> u32 {
    (0..seats).take_while(|_| hand.take(pods).is_some()).fold(0, |count, _| count + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_seconds(1_000_000).plus_minutes(minutes)
    }

    fn spec(cards_per_node: u32) -> LabSpec {
        LabSpec {
            workload: crate::catalogue::Workload::Notebook,
            image: "x".into(),
            command: Vec::new(),
            port: 8888,
            card: "a100-80g".parse().expect("a card"),
            cards_per_node,
            nodes: 1,
            cpu_cores: 1,
            memory_gib: 1,
            storage_gib: 0,
            git_url: None,
            environment: std::collections::BTreeMap::new(),
            secrets: std::collections::BTreeMap::new(),
            retries: 0,
            health_path: None,
            app_access: None,
        }
    }

    fn supply(free: &[(u32, u32)], line: &[u32], ends: &[(i64, u32, u32)]) -> Supply {
        let room =
            |(at, (free, total)): (u32, &(u32, u32))| Room { node: at.to_string(), total: *total, free: *free, machine: None, machine_free: None };
        let rooms: Vec<_> = (0..).zip(free).map(room).collect();
        let machine = Machine { cpu_cores: 1, memory_gib: 1, pods: Some(1) };
        let end = |(minutes, node, cards): &(i64, u32, u32)| PlannedEnd { at: at(*minutes), node: node.to_string(), cards: *cards, machine };
        Supply {
            card: "a100-80g".parse().expect("a card"),
            total: rooms.iter().map(|room| room.total).sum(),
            free: rooms.iter().map(|room| room.free).sum(),
            rooms,
            line: line.iter().map(|cards| InLine { pods: Pods::of(&spec(*cards)), since: at(0) }).collect(),
            more_wait: false,
            ends: ends.iter().map(end).collect(),
        }
    }

    fn outlook(supply: &Supply, cards: u32, seats: u32, minutes: i64) -> Outlook {
        supply.outlook(&spec(cards), seats, at(minutes)).expect("its nodes are known")
    }

    #[test]
    fn a_class_learns_how_many_of_its_seats_the_cluster_holds() {
        let outlook = outlook(&supply(&[(7, 7), (7, 7)], &[], &[]), 1, 30, 0);
        assert_eq!((outlook.seats, outlook.at_once, outlook.now, outlook.waiting()), (30, 14, 14, 16));
        assert!(matches!(outlook.wait, Some(WaitReason::NotEnough { free: 14, needed: 30, .. })), "{outlook:?}");
        assert_eq!(outlook.starts_at, None, "who holds the cards is this class itself");
    }

    #[test]
    fn free_cards_that_others_wait_for_are_no_promise() {
        // Two of three free cards are for the one that waits; its own two are scattered.
        let queue = supply(&[(2, 4), (1, 4)], &[2], &[(20, 0, 2), (40, 1, 3)]);
        let one = outlook(&queue, 1, 1, 0);
        assert_eq!((one.now, one.wait, one.starts_at), (1, None, None), "the third card is nobody's");
        let two = outlook(&queue, 2, 1, 0);
        assert!(matches!(two.wait, Some(WaitReason::Turn { .. })), "{two:?}");
        assert_eq!((two.now, two.starts_at), (0, Some(at(20))));
    }

    #[test]
    fn one_that_fits_no_single_node_does_not_stop_small_ones_until_it_waited_too_long() {
        let queue = supply(&[(2, 4), (2, 4)], &[4], &[(50, 0, 2)]);
        assert_eq!(outlook(&queue, 1, 4, 0).now, 4, "it cannot run now whatever the others do");
        let later = outlook(&queue, 1, 4, 30);
        assert_eq!((later.now, later.wait), (2, Some(WaitReason::Turn { card: queue.card })), "one node is kept for it");
        let big = outlook(&supply(&[(2, 4), (2, 4)], &[], &[(50, 0, 2)]), 4, 1, 0);
        assert!(matches!(big.wait, Some(WaitReason::NoSingleNode { per_node: 4, largest: 2, .. })), "{big:?}");
        assert_eq!(big.starts_at, Some(at(50)));
        assert!(outlook(&supply(&[(2, 2)], &[], &[]), 4, 1, 0).never_fits());
    }

    #[test]
    fn cards_without_processors_are_waited_for_until_a_lab_gives_some_back() {
        let machine = |cpu_cores| Some(Machine { cpu_cores, memory_gib: 64, pods: None });
        let mut supply = supply(&[(2, 4)], &[], &[(50, 0, 1)]);
        supply.rooms[0].machine = machine(3);
        supply.rooms[0].machine_free = machine(1);
        let outlook = outlook(&supply, 1, 2, 0);
        assert_eq!((outlook.at_once, outlook.now, outlook.starts_at), (2, 1, Some(at(50))));
        assert!(matches!(outlook.wait, Some(WaitReason::NoMachine { cpu_cores: 1, .. })), "{outlook:?}");
    }

    #[test]
    fn a_pod_slot_is_waited_for_until_a_lab_gives_it_back() {
        let machine = |slots| Some(Machine { cpu_cores: 64, memory_gib: 64, pods: Some(slots) });
        let mut supply = supply(&[(2, 4)], &[], &[(50, 0, 1)]);
        (supply.rooms[0].machine, supply.rooms[0].machine_free) = (machine(2), machine(1));
        let outlook = outlook(&supply, 1, 2, 0);
        assert_eq!((outlook.at_once, outlook.now, outlook.starts_at), (2, 1, Some(at(50))));
        assert!(matches!(outlook.wait, Some(WaitReason::NoMachine { .. })), "{outlook:?}");
    }

    #[test]
    fn nothing_is_foretold_of_unknown_nodes_and_nothing_is_free_behind_a_long_queue() {
        let unknown = Supply { rooms: Vec::new(), ..supply(&[(4, 4)], &[], &[]) };
        assert_eq!(unknown.outlook(&spec(1), 1, at(0)), None);
        assert!(outlook(&Supply { total: 0, free: 0, ..unknown }, 1, 1, 0).never_fits(), "the cluster has none any more");
        let long = outlook(&Supply { more_wait: true, ..supply(&[(4, 4)], &[], &[]) }, 1, 1, 0);
        assert!(matches!((long.now, long.wait), (0, Some(WaitReason::Turn { .. }))), "{long:?}");
    }
}
