//! Handing out cards of one kind to those who wait, the longest wait first. An order that does not fit now may be passed by smaller ones,
//! for [`PASSED_MINUTES`]; after that nodes are kept free for it, so that many small ones cannot starve a big one.

use serde::{Deserialize, Serialize};

use super::{Pods, Room, plan};
use crate::time::Timestamp;

/// How long smaller ones may pass one that finds no place.
pub const PASSED_MINUTES: i64 = 30;

/// Somebody who waits for cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InLine {
    pub pods: Pods,
    pub since: Timestamp,
}

impl InLine {
    /// Whether nobody passes it any more.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.since.plus_minutes(PASSED_MINUTES) <= now
    }
}

/// Cards that can be handed out, node by node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    rooms: Vec<Room>,
    /// Of the kind as a whole: less than the nodes' sum where the place of a lab's cards is not known.
    free: u32,
}

impl Hand {
    pub const fn new(rooms: Vec<Room>, free: u32) -> Self {
        Self { rooms, free }
    }

    /// Where all pods go, as node and cards; they are not free any more. `None` when there is no place for one of them.
    pub fn take(&mut self, pods: Pods) -> Option<Vec<(String, u32)>> {
        let places = self.find(pods)?;
        for (node, cards) in &places {
            let here = cards.checked_div(pods.cards_per_node).unwrap_or(0);
            for room in self.rooms.iter_mut().filter(|room| room.node == *node) {
                room.free = room.free.saturating_sub(*cards);
                room.machine_free = room.machine_free.map(|machine| machine.without(pods.machine(here)));
            }
        }
        self.free = self.free.saturating_sub(pods.cards());
        Some(places)
    }

    /// Gives back the cards that such pods hold, and their processor, memory and pod slots. `places`: node and cards, as far as they are known.
    pub fn give_back(&mut self, places: &[(String, u32)], pods: Pods) {
        for (node, cards) in places {
            let here = cards.checked_div(pods.cards_per_node).unwrap_or(0);
            for room in self.rooms.iter_mut().filter(|room| room.node == *node) {
                room.free = room.free.saturating_add(*cards).min(room.total);
                room.machine_free = room.machine_free.map(|machine| machine.with(pods.machine(here)));
            }
        }
        self.free = self.free.saturating_add(pods.cards());
    }

    /// Whether all pods have a place.
    pub fn has_room(&self, pods: Pods) -> bool {
        self.find(pods).is_some()
    }

    fn find(&self, pods: Pods) -> Option<Vec<(String, u32)>> {
        if pods.cards() > self.free { None } else { plan(&self.rooms, pods) }
    }

    /// Cards that are not given to anybody yet.
    pub const fn free(&self) -> u32 {
        self.free
    }

    pub fn rooms(&self) -> &[Room] {
        &self.rooms
    }

    /// Keeps nodes for one that nobody passes any more: those with most free cards that together hold all of its pods. Nobody behind it
    /// is given cards there.
    pub fn keep_for(&mut self, pods: Pods) {
        let holds = |room: &Room| pods.fitting(room.total, room.machine);
        let mut rooms: Vec<_> = self.rooms.iter_mut().filter(|room| holds(room) > 0).collect();
        rooms.sort_by(|one, two| two.free.cmp(&one.free).then_with(|| one.node.cmp(&two.node)));
        let mut left = pods.nodes;
        for room in rooms {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(holds(room));
            self.free = self.free.saturating_sub(room.free);
            room.free = 0;
        }
    }

    /// Gives everybody in the line what they find, in their order: the rest is for new orders.
    pub fn serve<'l>(&mut self, line: impl IntoIterator<Item = &'l InLine>, now: Timestamp) {
        for waits in line {
            // Nobody finds anything more.
            if self.free == 0 {
                return;
            }
            if self.take(waits.pods).is_none() && waits.is_due(now) {
                self.keep_for(waits.pods);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::Machine;

    fn room(at: usize, free: u32, total: u32) -> Room {
        Room { node: format!("n{at}"), total, free, machine: None, machine_free: None }
    }

    fn hand(free: &[(u32, u32)]) -> Hand {
        let rooms: Vec<_> = free.iter().enumerate().map(|(at, (free, total))| room(at, *free, *total)).collect();
        let free = rooms.iter().map(|room| room.free).sum();
        Hand::new(rooms, free)
    }

    const fn pods(cards_per_node: u32, nodes: u32) -> Pods {
        Pods { nodes, cards_per_node, cpu_cores: 16, memory_gib: 128 }
    }

    fn waits(cards: u32, minutes_ago: i64) -> InLine {
        InLine { pods: pods(cards, 1), since: at(0).plus_minutes(-minutes_ago) }
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_seconds(1_000_000).plus_minutes(minutes)
    }

    #[test]
    fn small_ones_pass_one_that_finds_no_node_for_a_while_and_no_longer() {
        let mut early = hand(&[(2, 4), (2, 4)]);
        early.serve(&[waits(4, PASSED_MINUTES - 1)], at(0));
        assert!(early.take(pods(1, 1)).is_some() && early.take(pods(2, 1)).is_some(), "it could not run anyway");
        let mut late = hand(&[(2, 4), (3, 4)]);
        late.serve(&[waits(4, PASSED_MINUTES)], at(0));
        assert_eq!(late.take(pods(1, 1)), Some(vec![("n0".into(), 1)]), "the fuller node is open to all");
        assert_eq!(late.take(pods(1, 1)), Some(vec![("n0".into(), 1)]));
        assert_eq!(late.take(pods(1, 1)), None, "the other one is kept for it");
    }

    #[test]
    fn who_waits_and_finds_a_place_comes_before_who_comes_now() {
        let mut hand = hand(&[(2, 4)]);
        hand.serve(&[waits(2, 0)], at(0));
        assert_eq!(hand.take(pods(1, 1)), None);
    }

    #[test]
    fn a_lab_that_grows_counts_its_own_cards_and_none_that_are_kept() {
        let held = [("n0".to_owned(), 1)];
        // Somebody waits for a node of four, and passes for now.
        let grown = |minutes_ago| {
            let mut hand = hand(&[(3, 4)]);
            hand.serve(&[waits(4, minutes_ago)], at(0));
            hand.give_back(&held, pods(1, 1));
            hand.take(pods(2, 1))
        };
        assert_eq!(grown(PASSED_MINUTES - 1), Some(vec![("n0".into(), 2)]));
        assert_eq!(grown(PASSED_MINUTES), None);
        let machine = Some(Machine { cpu_cores: 32, memory_gib: 256, pods: Some(1) });
        let machine_free = Some(Machine { cpu_cores: 0, memory_gib: 0, pods: Some(0) });
        let mut hand = Hand::new(vec![Room { machine, machine_free, ..room(0, 1, 4) }], 1);
        hand.give_back(&held, pods(1, 1));
        assert!(hand.take(pods(2, 1)).is_some(), "a pod of two cards and the same processors takes its place and its slot");
    }

    #[test]
    fn processor_and_memory_are_handed_out_with_the_cards() {
        let machine = |cpu_cores| Some(Machine { cpu_cores, memory_gib: 1_024, pods: None });
        let mut hand = Hand::new(vec![Room { machine: machine(64), machine_free: machine(40), ..room(0, 4, 4) }], 4);
        assert!(hand.take(pods(1, 1)).is_some() && hand.take(pods(1, 1)).is_some());
        assert_eq!((hand.take(pods(1, 1)), hand.free()), (None, 2), "two cards are left, and no 16 cores");
        let small = Room { machine: machine(8), machine_free: machine(8), ..room(1, 4, 4) };
        let mut hand = Hand::new(vec![small, room(2, 1, 4)], 5);
        hand.keep_for(pods(4, 1));
        assert_eq!(hand.free(), 4, "a node that never has the processors is not kept");
    }

    #[test]
    fn pod_slots_are_handed_out_with_the_cards() {
        let machine = |slots| Some(Machine { cpu_cores: 128, memory_gib: 1_024, pods: Some(slots) });
        let mut hand = Hand::new(vec![Room { machine: machine(3), machine_free: machine(2), ..room(0, 4, 4) }], 4);
        assert!(hand.take(pods(1, 1)).is_some() && hand.take(pods(2, 1)).is_some());
        assert_eq!((hand.take(pods(1, 1)), hand.free()), (None, 1), "a card is left, and no slot");
        hand.give_back(&[("n0".into(), 2)], pods(2, 1));
        assert!(hand.take(pods(1, 1)).is_some(), "a lab that ends gives its slot back");
    }

    #[test]
    fn as_many_nodes_are_kept_as_its_pods_need() {
        let mut hand = hand(&[(1, 4), (2, 4), (3, 8)]);
        hand.keep_for(pods(4, 3));
        assert_eq!(hand.take(pods(1, 1)), Some(vec![("n0".into(), 1)]), "two nodes hold three pods of four cards");
        assert_eq!(hand.take(pods(1, 1)), None);
    }

    /// Small ones come for ever and each card that comes back is offered to the line first: the big one gets its node.
    #[test]
    fn a_big_one_is_not_starved_by_small_ones() {
        let mut rooms = vec![room(0, 0, 4), room(1, 0, 4)];
        let big = waits(4, 0);
        let mut now = at(0);
        // One card comes back every ten minutes, on one node after the other.
        for step in 0..60 {
            now = now.plus_minutes(10);
            rooms[step % 2].free += 1;
            let free = rooms.iter().map(|room| room.free).sum();
            let mut hand = Hand::new(rooms.clone(), free);
            if hand.take(big.pods).is_some() {
                return;
            }
            if big.is_due(now) {
                hand.keep_for(big.pods);
            }
            while let Some(places) = hand.take(pods(1, 1)) {
                for room in rooms.iter_mut().filter(|room| room.node == places[0].0) {
                    room.free -= 1;
                }
            }
        }
        panic!("the big one never ran");
    }
}
