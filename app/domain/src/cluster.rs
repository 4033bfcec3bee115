//! What the portal knows of its cluster: reachable or not, nodes, their cards and what runs on them.

use serde::{Deserialize, Serialize};

use crate::{
    capacity::Pool,
    gpu::{Card, Vendor},
    ids::LabId,
    labs::ClusterEvent,
    time::Timestamp,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// Kubernetes version, `v1.33.0`; empty before the first contact.
    pub version: String,
    pub simulated: bool,
    /// Since when it does not answer.
    pub away_since: Option<Timestamp>,
    pub last_seen_at: Option<Timestamp>,
    pub nodes: Vec<Node>,
    pub pools: Vec<Pool>,
}

/// A node as Kubernetes reports it. Fields that came later have defaults: the last report is kept in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub name: String,
    pub ready: bool,
    pub cordoned: bool,
    /// Product label of its cards, as the node says it.
    pub product: String,
    /// Allocatable cards by kind.
    pub cards: Vec<(Card, u32)>,
    pub cpu_cores: u32,
    pub memory_gib: u32,
    #[serde(default)]
    pub vendor: Option<Vendor>,
    /// Version of the cards' driver: `550.54.15`; `None` when no label says it.
    #[serde(default)]
    pub driver: Option<String>,
    /// `single` or `mixed` where cards can be cut.
    #[serde(default)]
    pub mig_strategy: Option<String>,
    /// Degrees Celsius of the hottest card, where something on the node reports it.
    #[serde(default)]
    pub temperature: Option<i32>,
    /// Conditions that mean trouble: not ready, pressure. Empty for a healthy node.
    #[serde(default)]
    pub troubles: Vec<Trouble>,
    /// Pods on it that hold cards.
    #[serde(default)]
    pub holds: Vec<Hold>,
    /// Of the last hour, newest first.
    #[serde(default)]
    pub events: Vec<ClusterEvent>,
}

/// A node condition that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// `Ready`, `MemoryPressure`, `DiskPressure`, `PIDPressure`, `NetworkUnavailable`.
    pub kind: String,
    pub reason: String,
    pub message: String,
    pub since: Option<Timestamp>,
}

/// Cards that Kubernetes has given to one pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hold {
    pub namespace: String,
    pub pod: String,
    /// The lab that the pod says it belongs to.
    pub lab: Option<LabId>,
    pub card: Card,
    pub cards: u32,
}

impl Node {
    /// Whether new pods can be placed on it.
    pub const fn takes_pods(&self) -> bool {
        self.ready && !self.cordoned
    }

    /// What open pages are told of at once; temperature, holds and events change all the time and wait for the next look.
    #[must_use]
    pub fn lasting(&self) -> Self {
        Self { temperature: None, holds: Vec::new(), events: Vec::new(), ..self.clone() }
    }
}
