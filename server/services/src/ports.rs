//! Traits by which use cases reach the outside world: clock, identifiers, cluster. One implementation is real, one is for tests.
//! [`NoCluster`] is for programs that need none.

mod fleet;
mod none;
mod workloads;

use std::{sync::Arc, time::Duration};

use domain::{
    cluster::{Node, Obstacle},
    courses::Course,
    ids::LabId,
    labs::Lab,
    secret::Secret,
    steady_clock::ClockJump,
    time::Timestamp,
};
use futures::future::BoxFuture;
use uuid::Uuid;

pub use fleet::Fleet;
pub use none::NoCluster;
pub use workloads::{Connection, Duplex, Exec, ExecRequest, LogRequest, LogStream, PodLoad, PodTarget, TerminalSize, Workloads};

/// The time. Tests turn it by hand.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;

    /// A jump of the machine's clock that is not followed, or was followed with a delay; `None` if there was none.
    fn jump(&self) -> Option<ClockJump> {
        None
    }

    /// Ends after this time. A test's clock notes it and does not wait.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// Identifiers and secrets.
pub trait Entropy: Send + Sync + 'static {
    /// A UUID of version 7, so that newer ids sort after older ones.
    fn uuid(&self) -> Uuid;
    /// `N` random bytes for a secret.
    fn fill(&self, bytes: &mut [u8]);
}

/// Why the cluster did not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClusterError {
    /// No answer, or none in time: try again later, nothing is known to have changed.
    #[error("the cluster does not answer: {0}")]
    Away(String),
    /// The cluster understood and said no; trying again will not help. `reason` is Kubernetes' own (`Forbidden`, `Invalid`, …).
    #[error("the cluster refused: {reason}: {message}")]
    Refused { reason: String, message: String },
    /// Another controller's change came first, or the namespace is still ending: try again soon.
    #[error("the cluster asks to wait: {0}")]
    Busy(String),
    /// The cluster answers, but an obstacle that only operators can remove is in the way: try again later. Other labs may not be affected.
    #[error("{0}")]
    Blocked(Obstacle),
}

/// Whether a volume can grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    Allowed,
    /// The volume's storage class does not support it.
    NotSupported,
}

/// All that the objects of a lab are made from.
#[derive(Debug, Clone)]
pub struct LabOrder {
    pub lab: Lab,
    pub course: Course,
    /// Login of the owner, for labels.
    pub owner_login: String,
    /// The nodes where the portal counts on its cards, in the order in which they fill up; the cluster may choose others.
    pub preferred_nodes: Vec<String>,
    /// The portal's time when this was read.
    pub at: Timestamp,
    /// Values of the secret variables that the spec names. Filled in only for [`Workloads::start`].
    pub secrets: std::collections::BTreeMap<String, Secret>,
    /// The lab's own secret for the pods that it is to have now. Filled in only for [`Workloads::start`] and [`Workloads::keep_secret`], if the
    /// application takes one.
    pub own_secret: Option<Secret>,
    /// Annotations for the pods, from settings (tests steer simulated kubelets by them).
    pub pod_annotations: std::collections::BTreeMap<String, String>,
}

/// What the cluster is and has.
#[derive(Debug, Clone)]
pub struct ClusterInfo {
    pub version: String,
    pub nodes: Vec<Node>,
    /// Findings for operators, as far as a running watch has seen them.
    pub obstacles: Vec<Obstacle>,
}

/// Something about these labs changed: observe them. `All` after a (re)connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Lab(LabId),
    All,
    /// A node came, went or changed.
    Nodes,
    /// The watch broke; the reason is for the log.
    Away(String),
    /// The cluster answers, but does not let the portal watch it.
    Blocked(Obstacle),
}

/// The cluster: what runs there for labs, and what it is made of. A type that has both halves is a cluster.
pub trait Cluster: Workloads + Fleet {}

impl<T: Workloads + Fleet> Cluster for T {}

pub type SharedCluster = Arc<dyn Cluster>;
