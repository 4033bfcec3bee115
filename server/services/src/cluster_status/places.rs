//! Where the cards of labs are, node by node: where the cluster has put their pods, and where the others are still expected.

use std::collections::BTreeMap;

use domain::{
    Result,
    capacity::{Pods, Room, plan},
    cluster::{Node, sum},
    gpu::Card,
    ids::LabId,
};
use storage::{
    Write,
    placement::{self, NodeCards, Reserved},
};

use crate::error::OrDomain;

/// Pods may ask for any number of cards.
fn add(to: &mut u32, cards: u32) {
    *to = to.saturating_add(cards);
}

/// Cards by node.
type Places = BTreeMap<String, u32>;

/// The cards of one lab.
#[derive(Debug)]
struct Placed {
    per_pod: u32,
    /// Of pods that have their node.
    bound: Places,
    /// Of the other pods, as planned.
    expected: Places,
    /// Of pods for which no node is planned.
    unplanned: u32,
}

impl Placed {
    fn of(lab: &Reserved, bound: Places) -> Self {
        let mut left = lab.cards.saturating_sub(sum(bound.values().copied()));
        let mut expected = Places::new();
        for (node, cards) in &lab.places {
            let here = cards.saturating_sub(bound.get(node).copied().unwrap_or_default()).min(left);
            if here > 0 {
                expected.insert(node.clone(), here);
            }
            left -= here;
        }
        Self { per_pod: lab.per_pod.max(1), bound, expected, unplanned: left }
    }

    /// By name of the node.
    fn places(&self) -> Vec<(String, u32)> {
        let mut places = self.bound.clone();
        for (node, cards) in &self.expected {
            add(places.entry(node.clone()).or_default(), *cards);
        }
        places.into_iter().collect()
    }

    /// Plans the pods that no node is planned for, if there is room for all of them.
    fn plan_rest(&mut self, rooms: &mut [Room]) {
        let cards_per_node = self.per_pod.min(self.unplanned);
        let Some(nodes) = self.unplanned.checked_div(cards_per_node) else { return };
        let pods = Pods { nodes, cards_per_node, cpu_cores: 0, memory_gib: 0 };
        for (node, cards) in plan(rooms, pods).into_iter().flatten() {
            for room in rooms.iter_mut().filter(|room| room.node == node) {
                room.free = room.free.saturating_sub(cards);
            }
            add(self.expected.entry(node).or_default(), cards);
            self.unplanned = self.unplanned.saturating_sub(cards);
        }
    }
}

/// Writes down what each node has, and where the cards of labs are. Under the locks of all these kinds of card.
pub(super) async fn put(write: &mut Write, nodes: &[Node], cards: impl Iterator<Item = Card>) -> Result<()> {
    let reserved = placement::places(write).await.or_domain()?;
    for card in cards {
        let there = of_card(nodes, card, &reserved);
        placement::put_nodes(write, card, &there).await.or_domain()?;
        let mut bound = bound(nodes, card);
        let of_card = reserved.iter().filter(|(_, lab)| lab.card == card);
        let mut labs: BTreeMap<_, _> = of_card.map(|(id, lab)| (*id, Placed::of(lab, bound.remove(id).unwrap_or_default()))).collect();
        replan(&there, &mut labs);
        for (id, placed) in labs {
            let places = placed.places();
            if reserved.get(&id).is_some_and(|lab| lab.places != places) {
                placement::put_places(write, id, &places).await.or_domain()?;
            }
        }
    }
    Ok(())
}

/// The nodes that take pods, with what they have of one kind.
fn of_card(nodes: &[Node], card: Card, reserved: &BTreeMap<LabId, Reserved>) -> Vec<NodeCards> {
    let of_node = |node: &Node| {
        let (_, total) = node.cards.iter().find(|(of, _)| *of == card)?;
        let foreign = node.holds.iter().filter(|hold| hold.card == card && hold.lab.is_none_or(|lab| !reserved.contains_key(&lab)));
        // A lab without a known place, such as one without cards, is counted by its pods.
        let machine = node.machine(|lab| reserved.get(&lab).is_some_and(|lab| !lab.places.is_empty()));
        Some(NodeCards { node: node.name.clone(), total: *total, others: sum(foreign.map(|hold| hold.cards)), machine })
    };
    nodes.iter().filter(|node| node.takes_pods()).filter_map(of_node).collect()
}

/// Cards of one kind of each lab's pods that have their node.
fn bound(nodes: &[Node], card: Card) -> BTreeMap<LabId, Places> {
    let mut bound = BTreeMap::<LabId, Places>::new();
    for node in nodes {
        for hold in node.holds.iter().filter(|hold| hold.card == card) {
            if let Some(lab) = hold.lab {
                add(bound.entry(lab).or_default().entry(node.name.clone()).or_default(), hold.cards);
            }
        }
    }
    bound
}

/// Keeps every node from being given more than it has. Pods may be bound elsewhere than planned; those that are still expected on a node that
/// is full by now are planned on another one, or on none if there is no room for them.
fn replan(there: &[NodeCards], labs: &mut BTreeMap<LabId, Placed>) {
    let mut rooms = Vec::with_capacity(there.len());
    for NodeCards { node, total, others, machine: _ } in there {
        let of_lab = |placed: &Placed| sum([&placed.bound, &placed.expected].into_iter().filter_map(|places| places.get(node).copied()));
        let mut taken = others.saturating_add(sum(labs.values().map(of_lab)));
        // The youngest lab gives way.
        for placed in labs.values_mut().rev() {
            if taken <= *total {
                break;
            }
            let cards = placed.expected.remove(node).unwrap_or_default();
            add(&mut placed.unplanned, cards);
            taken = taken.saturating_sub(cards);
        }
        rooms.push(Room { node: node.clone(), total: *total, free: total.saturating_sub(taken), machine: None, machine_free: None });
    }
    for placed in labs.values_mut() {
        placed.plan_rest(&mut rooms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, total: u32) -> NodeCards {
        NodeCards { node: name.into(), total, others: 0, machine: None }
    }

    fn places(places: &[(&str, u32)]) -> Vec<(String, u32)> {
        places.iter().map(|(node, cards)| ((*node).to_owned(), *cards)).collect()
    }

    fn lab(number: u128) -> LabId {
        LabId::from_uuid(uuid::Uuid::from_u128(number))
    }

    /// A lab of so many cards in pods of `per_pod`, planned and bound there.
    fn placed(cards: u32, per_pod: u32, planned: &[(&str, u32)], bound: &[(&str, u32)]) -> Placed {
        let card = "a100-80g".parse().expect("a card");
        let reserved = Reserved { card, cards, per_pod, places: places(planned) };
        Placed::of(&reserved, places(bound).into_iter().collect())
    }

    fn replanned(there: &[NodeCards], labs: Vec<Placed>) -> Vec<Vec<(String, u32)>> {
        let mut labs: BTreeMap<_, _> = (1..).zip(labs).map(|(number, placed)| (lab(number), placed)).collect();
        replan(there, &mut labs);
        labs.values().map(Placed::places).collect()
    }

    /// Eight ranks of one card spread over two nodes instead of filling the first one: six cards on one node are nowhere left.
    #[test]
    fn a_node_is_never_given_more_cards_than_it_has() {
        let nodes = [node("n1", 8), node("n2", 8)];
        let (six, two) = (placed(6, 6, &[("n1", 6)], &[]), placed(2, 2, &[("n2", 2)], &[("n2", 2)]));
        let job = placed(8, 1, &[("n1", 2), ("n2", 6)], &[("n1", 4), ("n2", 4)]);
        let after = replanned(&nodes, vec![six, job, two]);
        assert_eq!(after, [places(&[]), places(&[("n1", 4), ("n2", 4)]), places(&[("n2", 2)])]);
    }

    #[test]
    fn a_lab_that_no_node_was_planned_for_is_planned_once_there_is_room() {
        let nodes = [node("n1", 8), node("n2", 8)];
        let after = replanned(&nodes, vec![placed(6, 6, &[], &[]), placed(2, 2, &[("n2", 2)], &[("n2", 2)])]);
        assert_eq!(after, [places(&[("n2", 6)]), places(&[("n2", 2)])]);
    }

    #[test]
    fn pods_that_are_expected_on_a_full_node_are_planned_on_another_one() {
        let nodes = [node("n1", 2), node("n2", 1)];
        let elsewhere = placed(1, 1, &[("n2", 1)], &[("n1", 1)]);
        let after = replanned(&nodes, vec![elsewhere, placed(1, 1, &[("n1", 1)], &[]), placed(1, 1, &[("n1", 1)], &[])]);
        assert_eq!(after, [places(&[("n1", 1)]), places(&[("n1", 1)]), places(&[("n2", 1)])], "the youngest gives way");
        let foreign = [NodeCards { others: 2, ..node("n1", 2) }, node("n2", 1)];
        assert_eq!(replanned(&foreign, vec![placed(1, 1, &[("n1", 1)], &[])]), [places(&[("n2", 1)])]);
    }

    #[test]
    fn ranks_without_a_node_are_expected_where_the_plan_has_cards_left() {
        let job = placed(8, 1, &[("n1", 6), ("n2", 2)], &[("n1", 3), ("n2", 3)]);
        assert_eq!(job.expected, [("n1".to_owned(), 2)].into());
        assert_eq!(job.places(), places(&[("n1", 5), ("n2", 3)]));
        let unbound = placed(2, 2, &[("n1", 2)], &[]);
        assert_eq!((unbound.places(), unbound.unplanned), (places(&[("n1", 2)]), 0), "nothing is bound yet: the plan stands");
    }
}
