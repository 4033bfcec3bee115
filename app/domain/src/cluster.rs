//! What the portal knows of its cluster: reachable or not, nodes, their cards and what runs on them.

use serde::{Deserialize, Serialize};

use crate::{
    capacity::{Machine, Pool},
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
    /// Obstacles to the portal's work that were met lately.
    #[serde(default)]
    pub obstacles: Vec<MetObstacle>,
}

/// Why the cluster does not do what the portal asks, although it answers. Only operators can fix it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "obstacle")]
pub enum Obstacle {
    /// The portal's role in the cluster lacks a verb on a resource.
    #[error("the portal may not {verb} {resource} in the cluster")]
    MissingRight { verb: String, resource: String },
    /// The cluster does not accept the portal's credentials.
    #[error("the cluster does not accept the portal's credentials")]
    Credentials,
    /// An admission webhook does not work, so the objects that it guards cannot be changed.
    #[error("the admission webhook {name} fails: {message}")]
    Webhook { name: String, message: String },
    /// A network policy in a namespace of labs that Lectern did not make. Policies add up, so it may open what Lectern's policies close.
    #[error("the network policy {name} in the namespace {namespace} is not Lectern's, and may open the labs there")]
    ForeignPolicy { namespace: String, name: String },
}

impl Obstacle {
    fn is_about(&self, right_on: &str) -> bool {
        matches!(self, Self::MissingRight { resource, .. } if resource == right_on)
    }

    /// Seconds after which it counts as gone unless it was met again. A right to reach pods is asked for when somebody opens a terminal or a log,
    /// not by work that is retried: it counts until a call succeeds, for a day at most.
    pub fn lasts_seconds(&self) -> i64 {
        match self {
            Self::MissingRight { resource, .. } if REACH_RESOURCES.contains(&resource.as_str()) => 86_400,
            _ => OBSTACLE_SECONDS,
        }
    }

    /// The reason that the lab's own page shows: a stable word, which reveals nothing about the cluster's internals.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::MissingRight { .. } => "PermissionMissing",
            Self::Credentials => "CredentialsRefused",
            Self::Webhook { .. } => "WebhookFailed",
            Self::ForeignPolicy { .. } => "IsolationOpened",
        }
    }
}

/// An obstacle, with the first and the last time that it was met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetObstacle {
    #[serde(flatten)]
    pub obstacle: Obstacle,
    pub since: Timestamp,
    pub last: Timestamp,
}

/// Subresources of pods by which the portal reaches them.
pub const REACH_RESOURCES: [&str; 3] = ["pods/exec", "pods/log", "pods/portforward"];

/// Seconds after which an obstacle counts as gone unless it was met again: blocked work is retried at least twice as often.
pub const OBSTACLE_SECONDS: i64 = 120;

impl ClusterStatus {
    /// Notes that an obstacle was met. Returns whether to store it: it is new, or its stored last time is old.
    pub fn meet(&mut self, obstacle: &Obstacle, now: Timestamp) -> bool {
        self.obstacles.retain(|met| now.seconds_since(met.last) < met.obstacle.lasts_seconds());
        match self.obstacles.iter_mut().find(|met| same_cause(&met.obstacle, obstacle)) {
            Some(met) if now.seconds_since(met.last) < OBSTACLE_SECONDS / 4 => false,
            Some(met) => {
                met.last = now;
                true
            }
            None => {
                self.obstacles.push(MetObstacle { obstacle: obstacle.clone(), since: now, last: now });
                true
            }
        }
    }
}

impl ClusterStatus {
    /// Whether the portal was found to lack a right on this resource.
    pub fn lacks_right(&self, resource: &str) -> bool {
        self.obstacles.iter().any(|met| met.obstacle.is_about(resource))
    }

    /// A call that needs the rights on this resource succeeded. Returns whether that is news.
    pub fn has_right(&mut self, resource: &str) -> bool {
        let before = self.obstacles.len();
        self.obstacles.retain(|met| !met.obstacle.is_about(resource));
        self.obstacles.len() < before
    }
}

/// The wording of a webhook's failure differs each time, so the message is not compared.
fn same_cause(one: &Obstacle, other: &Obstacle) -> bool {
    match (one, other) {
        (Obstacle::Webhook { name: one, .. }, Obstacle::Webhook { name: other, .. }) => one == other,
        _ => one == other,
    }
}

/// Most cards or slices of one kind that a node can have. A larger figure is not true, so it is not counted.
pub const MOST_CARDS: u32 = 1_024;

/// Kind of the [`Trouble`] of a node that reports, or that has a pod with, a number of cards that cannot be true.
pub const IMPOSSIBLE_CARDS: &str = "ImpossibleCards";

/// The sum of figures that come from the cluster, which may be anything.
pub fn sum(counts: impl IntoIterator<Item = u32>) -> u32 {
    counts.into_iter().fold(0, u32::saturating_add)
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
    /// How many pods it takes; `None` when it does not report that.
    #[serde(default)]
    pub pods: Option<u32>,
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
    /// Cards of each kind that the node has, whether or not they can be given to pods now.
    #[serde(default)]
    pub capacity: Vec<(Card, u32)>,
    /// The node's cards are time-shared, so no whole card can be had.
    #[serde(default)]
    pub sharing: Option<Sharing>,
    /// Taints that labs do not tolerate: `key=value:effect`.
    #[serde(default)]
    pub taints: Vec<String>,
    /// The pods on the node and what they request.
    #[serde(default)]
    pub loads: Vec<Load>,
    /// Pods on it that hold cards.
    #[serde(default)]
    pub holds: Vec<Hold>,
    /// Of the last hour, newest first.
    #[serde(default)]
    pub events: Vec<ClusterEvent>,
}

/// How a node's cards are divided into shares that are not isolated from each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharing {
    /// `time-slicing`, `mps`.
    pub strategy: String,
    /// Physical cards; 0 when the node does not say how many.
    pub cards: u32,
    /// Shares that Kubernetes counts instead of cards.
    pub shares: u32,
}

/// Pods on a node, and the processor and memory that they request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Load {
    /// The lab that the pods belong to; `None` for the sum of all other pods.
    pub lab: Option<LabId>,
    /// Thousandths of a core.
    pub cpu_millis: u64,
    pub memory_mib: u64,
    #[serde(default)]
    pub pods: u32,
}

/// A node condition that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// `Ready`, `MemoryPressure`, `DiskPressure`, `PIDPressure`, `NetworkUnavailable`, or [`IMPOSSIBLE_CARDS`].
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
    /// Whether pods of labs can be placed on it.
    pub const fn takes_pods(&self) -> bool {
        self.ready && !self.cordoned && self.taints.is_empty()
    }

    /// Processor, memory and pod slots that labs can have; `None` if the node reports none of them. `is_planned`: whether the portal's plan
    /// counts the lab, and not its pods.
    pub fn machine(&self, is_planned: impl Fn(LabId) -> bool) -> Option<Machine> {
        if self.cpu_cores == 0 && self.memory_gib == 0 && self.pods.is_none() {
            return None;
        }
        let others = self.loads.iter().filter(|load| load.lab.is_none_or(|lab| !is_planned(lab)));
        let sum = |(cpu, memory, pods): (u64, u64, u32), load: &Load| {
            (cpu.saturating_add(load.cpu_millis), memory.saturating_add(load.memory_mib), pods.saturating_add(load.pods))
        };
        let (cpu_millis, memory_mib, pods) = others.fold((0, 0, 0), sum);
        let whole = |amount: u64, unit: u64| u32::try_from(amount.div_ceil(unit)).unwrap_or(u32::MAX);
        let all = Machine { cpu_cores: self.cpu_cores, memory_gib: self.memory_gib, pods: self.pods };
        Some(all.without(Machine { cpu_cores: whole(cpu_millis, 1_000), memory_gib: whole(memory_mib, 1_024), pods: Some(pods) }))
    }

    /// What open pages are told of at once; temperature, holds and events change all the time and wait for the next look.
    #[must_use]
    pub fn lasting(&self) -> Self {
        Self { temperature: None, loads: Vec::new(), holds: Vec::new(), events: Vec::new(), ..self.clone() }
    }
}
