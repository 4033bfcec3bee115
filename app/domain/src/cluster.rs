//! What the portal knows of its cluster: reachable or not, nodes and their cards.

use serde::{Deserialize, Serialize};

use crate::{capacity::Pool, gpu::Card, time::Timestamp};

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

/// A node as Kubernetes reports it.
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
}
