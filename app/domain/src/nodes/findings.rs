//! Findings for operators, each with its evidence (H2, H3). Another thing to look for is a variant of [`Finding`] and a few lines in
//! [`findings`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{HOT_CELSIUS, NodeView, Who};
use crate::{
    capacity::WaitReason,
    catalogue::Localized,
    cluster::{IMPOSSIBLE_CARDS, MetObstacle, Node, Obstacle, sum as sum_of},
    gpu::{Card, Vendor},
    ids::LabId,
    time::Timestamp,
};

/// Something that somebody should look at, with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Finding {
    NotReady {
        node: String,
        reason: String,
        message: String,
        since: Option<Timestamp>,
    },
    Pressure {
        node: String,
        /// `MemoryPressure`, `DiskPressure`, …
        condition: String,
        message: String,
        since: Option<Timestamp>,
    },
    Hot {
        node: String,
        celsius: i32,
    },
    DriverDiffers {
        node: String,
        driver: String,
        /// What most nodes of the vendor have, and how many.
        usual: String,
        nodes: u32,
    },
    /// A number of cards that cannot be true: of the node, or of a pod on it. These cards are not counted.
    ImpossibleCards {
        node: String,
        /// The node or pod, the card and the number.
        figure: String,
    },
    /// Cards of the node that pods cannot get: they are broken, or not yet reported again.
    CardsMissing {
        node: String,
        allocatable: u32,
        capacity: u32,
    },
    /// The node's cards are time-shared: no whole card can be had, so none is counted.
    Shared {
        node: String,
        strategy: String,
        cards: u32,
        shares: u32,
    },
    /// The node has cards and a taint that labs do not tolerate.
    Tainted {
        node: String,
        cards: u32,
        taints: Vec<String>,
    },
    /// The node has unused cards and less than a core, a GiB and a pod slot for each of them.
    Crowded {
        node: String,
        /// Cards that nobody holds.
        cards: u32,
        cpu_cores: u32,
        memory_gib: u32,
        /// `None` if the node does not report how many pods it takes.
        pods: Option<u32>,
    },
    /// The portal's role in the cluster lacks a verb; the work that needs it waits.
    MissingRight {
        verb: String,
        resource: String,
        since: Timestamp,
    },
    /// The cluster does not accept the portal's credentials; all work waits.
    Credentials {
        since: Timestamp,
    },
    /// An admission webhook does not work; the work that it guards waits.
    Webhook {
        name: String,
        message: String,
        since: Timestamp,
    },
    /// A network policy that is not Lectern's may open labs.
    ForeignPolicy {
        namespace: String,
        name: String,
        since: Timestamp,
    },
    /// Cards that Kubernetes has given to pods that are no lab of this portal.
    Foreign {
        node: String,
        cards: u32,
        pods: Vec<String>,
    },
    /// Kubernetes finds no node for a lab that has its cards.
    Unschedulable {
        lab: LabId,
        name: String,
        message: String,
    },
    /// Labs whose cards are on the node take much longer than usual to start.
    LateOnNode {
        node: String,
        labs: u32,
    },
    /// Labs of the offering, on several nodes, take much longer than usual to start.
    LateOfOffering {
        offering: Localized,
        labs: u32,
    },
    /// Orders wait although enough cards are free, since no node has as many as one pod needs.
    Scattered {
        card: Card,
        per_node: u32,
        largest: u32,
        waiting: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Serious,
    Warning,
}

impl Finding {
    pub const fn severity(&self) -> Severity {
        match self {
            Self::NotReady { .. }
            | Self::Pressure { .. }
            | Self::Unschedulable { .. }
            | Self::ImpossibleCards { .. }
            | Self::CardsMissing { .. }
            | Self::MissingRight { .. }
            | Self::Credentials { .. }
            | Self::Webhook { .. }
            | Self::ForeignPolicy { .. } => Severity::Serious,
            Self::Hot { .. }
            | Self::DriverDiffers { .. }
            | Self::Foreign { .. }
            | Self::Scattered { .. }
            | Self::LateOnNode { .. }
            | Self::LateOfOffering { .. }
            | Self::Shared { .. }
            | Self::Tainted { .. }
            | Self::Crowded { .. } => Severity::Warning,
        }
    }

    /// The node it is about.
    pub fn node(&self) -> Option<&str> {
        match self {
            Self::NotReady { node, .. }
            | Self::Pressure { node, .. }
            | Self::Hot { node, .. }
            | Self::DriverDiffers { node, .. }
            | Self::ImpossibleCards { node, .. }
            | Self::CardsMissing { node, .. }
            | Self::Shared { node, .. }
            | Self::Tainted { node, .. }
            | Self::Crowded { node, .. }
            | Self::LateOnNode { node, .. }
            | Self::Foreign { node, .. } => Some(node),
            Self::Unschedulable { .. }
            | Self::Scattered { .. }
            | Self::LateOfOffering { .. }
            | Self::MissingRight { .. }
            | Self::Credentials { .. }
            | Self::Webhook { .. }
            | Self::ForeignPolicy { .. } => None,
        }
    }
}

impl Finding {
    /// The lines of a ClusterRole that give a right which is missing. API servers ask for `get` or `create` to reach a pod, by their version.
    pub fn role_rule(&self) -> Option<String> {
        let Self::MissingRight { verb, resource, .. } = self else { return None };
        let (name, group) = resource.split_once('.').unwrap_or((resource, ""));
        let verbs = match resource.as_str() {
            "pods/exec" | "pods/portforward" => r#""get", "create""#.to_owned(),
            _ => format!("\"{verb}\""),
        };
        Some(format!("- apiGroups: [\"{group}\"]\n  resources: [\"{name}\"]\n  verbs: [{verbs}]"))
    }
}

/// A lab that comes up and that Kubernetes finds no node for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    pub lab: LabId,
    pub name: String,
    pub message: String,
}

/// A lab whose start is late, and a node that its cards are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateStart {
    pub lab: LabId,
    pub offering: Localized,
    pub node: Option<String>,
}

/// So many late labs with the same node or offering are no chance.
const LATE_TOGETHER: usize = 3;

/// Nodes with several labs whose start is late, and then offerings with several such labs elsewhere. All are warnings.
pub fn late_findings(late: &[LateStart]) -> Vec<Finding> {
    let mut on_nodes = BTreeMap::<&str, BTreeSet<LabId>>::new();
    for start in late {
        if let Some(node) = &start.node {
            on_nodes.entry(node).or_default().insert(start.lab);
        }
    }
    on_nodes.retain(|_, labs| labs.len() >= LATE_TOGETHER);
    let explained: BTreeSet<_> = on_nodes.values().flatten().copied().collect();
    let mut of_offerings = BTreeMap::<(&str, &str), (&Localized, BTreeSet<LabId>)>::new();
    for start in late.iter().filter(|start| !explained.contains(&start.lab)) {
        let key = (start.offering.zh.as_str(), start.offering.en.as_str());
        of_offerings.entry(key).or_insert_with(|| (&start.offering, BTreeSet::new())).1.insert(start.lab);
    }
    let count = |labs: &BTreeSet<LabId>| u32::try_from(labs.len()).unwrap_or(u32::MAX);
    let nodes = on_nodes.iter().map(|(node, labs)| Finding::LateOnNode { node: (*node).to_owned(), labs: count(labs) });
    let offerings = of_offerings
        .values()
        .filter(|(_, labs)| labs.len() >= LATE_TOGETHER)
        .map(|(offering, labs)| Finding::LateOfOffering { offering: (*offering).clone(), labs: count(labs) });
    nodes.chain(offerings).collect()
}

/// All findings, serious ones first. `waits`: the reason of each order that waits for cards. `met`: the current obstacles to the portal's
/// work.
pub fn findings(nodes: &[NodeView], stuck: &[Stuck], waits: &[WaitReason], met: &[MetObstacle]) -> Vec<Finding> {
    let mut all: Vec<Finding> = met.iter().map(of_obstacle).collect();
    all.extend(nodes.iter().flat_map(of_node));
    all.extend(drivers(nodes));
    all.extend(stuck.iter().map(|stuck| Finding::Unschedulable { lab: stuck.lab, name: stuck.name.clone(), message: stuck.message.clone() }));
    let mut scattered = BTreeMap::<(Card, u32, u32), u32>::new();
    for wait in waits {
        if let WaitReason::NoSingleNode { card, per_node, largest } = wait {
            *scattered.entry((*card, *per_node, *largest)).or_default() += 1;
        }
    }
    all.extend(scattered.into_iter().map(|((card, per_node, largest), waiting)| Finding::Scattered { card, per_node, largest, waiting }));
    all.sort_by_key(Finding::severity);
    all
}

fn of_obstacle(met: &MetObstacle) -> Finding {
    let since = met.since;
    match met.obstacle.clone() {
        Obstacle::MissingRight { verb, resource } => Finding::MissingRight { verb, resource, since },
        Obstacle::Credentials => Finding::Credentials { since },
        Obstacle::Webhook { name, message } => Finding::Webhook { name, message, since },
        Obstacle::ForeignPolicy { namespace, name } => Finding::ForeignPolicy { namespace, name, since },
    }
}

/// Cards that pods cannot get: not allocatable, time-shared, or behind a taint.
fn of_cards(node: &Node) -> Vec<Finding> {
    let name = || node.name.clone();
    let sum = |cards: &[(Card, u32)]| sum_of(cards.iter().map(|(_, count)| *count));
    let (allocatable, capacity) = (sum(&node.cards), sum(&node.capacity));
    let mut all = Vec::new();
    if let Some(sharing) = &node.sharing {
        all.push(Finding::Shared { node: name(), strategy: sharing.strategy.clone(), cards: sharing.cards, shares: sharing.shares });
    }
    if allocatable < capacity {
        all.push(Finding::CardsMissing { node: name(), allocatable, capacity });
    }
    if !node.taints.is_empty() && allocatable > 0 {
        all.push(Finding::Tainted { node: name(), cards: allocatable, taints: node.taints.clone() });
    }
    all
}

/// Cards that nobody holds beside too little processor, memory or pod slots.
fn crowded(NodeView { node, kinds, machine_left, .. }: &NodeView) -> Option<Finding> {
    let cards = sum_of(kinds.iter().map(|kind| kind.total.saturating_sub(kind.used)));
    let left = (*machine_left)?;
    let is_crowded = node.takes_pods() && cards > 0 && !left.holds_labs(cards);
    is_crowded.then(|| Finding::Crowded { node: node.name.clone(), cards, cpu_cores: left.cpu_cores, memory_gib: left.memory_gib, pods: left.pods })
}

fn of_node(view: &NodeView) -> Vec<Finding> {
    let node = &view.node;
    let mut all: Vec<_> = node
        .troubles
        .iter()
        .map(|trouble| {
            let (node, message, since) = (node.name.clone(), trouble.message.clone(), trouble.since);
            match trouble.kind.as_str() {
                "Ready" => Finding::NotReady { node, reason: trouble.reason.clone(), message, since },
                IMPOSSIBLE_CARDS => Finding::ImpossibleCards { node, figure: message },
                _ => Finding::Pressure { node, condition: trouble.kind.clone(), message, since },
            }
        })
        .collect();
    // A node that nobody has heard of for long may have no condition at all.
    if !node.ready && !node.troubles.iter().any(|trouble| trouble.kind == "Ready") {
        all.push(Finding::NotReady { node: node.name.clone(), reason: "Unknown".into(), message: String::new(), since: None });
    }
    if let Some(celsius) = node.temperature.filter(|celsius| *celsius > HOT_CELSIUS) {
        all.push(Finding::Hot { node: node.name.clone(), celsius });
    }
    all.extend(of_cards(node));
    all.extend(crowded(view));
    let (mut cards, mut pods) = (0_u32, Vec::new());
    for holder in &view.holders {
        if let Who::Pod(pod) = &holder.who {
            cards = cards.saturating_add(holder.cards);
            pods.push(pod.clone());
        }
    }
    if cards > 0 {
        all.push(Finding::Foreign { node: node.name.clone(), cards, pods });
    }
    all
}

/// Nodes whose driver is not the one that most nodes of the vendor have. Of two that are as common the newer one is the usual.
fn drivers(nodes: &[NodeView]) -> Vec<Finding> {
    let mut counts = BTreeMap::<(Vendor, &str), u32>::new();
    for node in nodes.iter().map(|view| &view.node) {
        if let (Some(vendor), Some(driver)) = (node.vendor, node.driver.as_deref()) {
            *counts.entry((vendor, driver)).or_default() += 1;
        }
    }
    let usual = |vendor: Vendor| {
        let of_vendor = counts.iter().filter(|((of, _), _)| *of == vendor).map(|((_, driver), count)| (*driver, *count));
        of_vendor.max_by_key(|(driver, count)| (*count, version(driver)))
    };
    nodes
        .iter()
        .filter_map(|view| {
            let (vendor, driver) = (view.node.vendor?, view.node.driver.as_deref()?);
            let (usual, nodes) = usual(vendor)?;
            (driver != usual).then(|| Finding::DriverDiffers { node: view.node.name.clone(), driver: driver.into(), usual: usual.into(), nodes })
        })
        .collect()
}

/// `550.54.15` as numbers, so that 1000 comes after 550.
fn version(text: &str) -> Vec<u32> {
    text.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests;
