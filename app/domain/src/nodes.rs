//! Nodes as operators see them: which card is held by whom, and what is free (A3, I2). What somebody should look at is in `findings`.

mod findings;

pub use findings::{Finding, LateStart, Severity, Stuck, findings, late_findings};
use serde::{Deserialize, Serialize};

use crate::{
    capacity::{Machine, Pool},
    cluster::{Node, sum as sum_of},
    courses::CourseRef,
    gpu::{Card, CardShare, Vendor},
    ids::LabId,
    labs::LabState,
    people::PersonRef,
    time::Timestamp,
};

/// Degrees Celsius above which a card is too hot (requirements K3).
pub const HOT_CELSIUS: i32 = 85;

/// A node with who holds its cards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeView {
    pub node: Node,
    pub kinds: Vec<KindUse>,
    pub holders: Vec<Holder>,
    /// Pod slots that no pod has; `None` if the node does not report them.
    pub machine_left: Option<Machine>,
}

/// Cards of one kind on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindUse {
    pub card: Card,
    pub total: u32,
    /// Held by labs and by others.
    pub used: u32,
    /// Cards that a lab can use: none on a node that takes no pods, or that has no core, GiB or pod slot left.
    pub free: u32,
}

/// Somebody who holds cards of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub card: Card,
    pub cards: u32,
    pub who: Who,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    Lab(Box<LabHolder>),
    /// A lab of a tenant that the reader is not of.
    OtherTenant,
    /// A pod that is no lab of this portal: `namespace/pod`.
    Pod(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabHolder {
    pub id: LabId,
    pub name: String,
    pub state: LabState,
    pub owner: PersonRef,
    pub course: CourseRef,
    pub ends_at: Option<Timestamp>,
    /// Its pod is on the node; before that its cards are only set aside there.
    pub bound: bool,
}

/// All nodes, with what somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodesView {
    /// Kubernetes version; empty before the first contact.
    pub version: String,
    pub simulated: bool,
    pub away_since: Option<Timestamp>,
    /// When the cluster was last heard.
    pub reported_at: Option<Timestamp>,
    pub nodes: Vec<NodeView>,
    pub pools: Vec<Pool>,
    pub findings: Vec<Finding>,
}

/// One node of the inventory (I2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    pub node: String,
    /// Whole cards that can be had now.
    pub gpu_free: u32,
    pub gpu_total: u32,
    pub gpu_allocated: u32,
    pub driver_version: Option<String>,
    pub temperature: Option<i32>,
    pub model: String,
    pub vendor: Option<Vendor>,
    /// Slices by kind.
    pub slices: Vec<KindUse>,
    pub ready: bool,
    pub schedulable: bool,
}

/// The nodes that have cards.
pub fn inventory(nodes: &[NodeView]) -> Vec<Inventory> {
    let of = |view: &NodeView| {
        let NodeView { node, kinds, .. } = view;
        let (whole, slices): (Vec<_>, Vec<_>) = kinds.iter().copied().partition(|kind| kind.card.share() == CardShare::WHOLE);
        let sum = |pick: fn(&KindUse) -> u32| sum_of(whole.iter().map(pick));
        Inventory {
            node: node.name.clone(),
            gpu_free: sum(|kind| kind.free),
            gpu_total: sum(|kind| kind.total),
            gpu_allocated: sum(|kind| kind.used),
            driver_version: node.driver.clone(),
            temperature: node.temperature,
            model: node.product.clone(),
            vendor: node.vendor,
            slices,
            ready: node.ready,
            schedulable: node.takes_pods(),
        }
    };
    nodes.iter().filter(|view| view.node.vendor.is_some() || !view.kinds.is_empty()).map(of).collect()
}
