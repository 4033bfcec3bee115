//! What the use cases need from the outside world, as traits: clock, identifiers, cluster. One implementation for real, one for tests.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{
    cluster::{Node, Obstacle},
    courses::Course,
    ids::LabId,
    labs::{Lab, Observation, Volume},
    quotas::Amounts,
    secret::Secret,
    steady_clock::ClockJump,
    time::Timestamp,
};
use futures::{future::BoxFuture, stream::BoxStream};
use uuid::Uuid;

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
    /// Values of the secret variables that the spec names. Filled in only for [`Cluster::start`].
    pub secrets: std::collections::BTreeMap<String, Secret>,
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

/// Kubernetes, as far as a lab needs it. Every call may be repeated and may be cut off anywhere.
#[async_trait]
pub trait Cluster: Send + Sync + 'static {
    /// Version and nodes, with what holds their cards; from what a running watch knows where there is one.
    async fn info(&self) -> Result<ClusterInfo, ClusterError>;

    /// Makes the cluster hold what a started lab needs: namespace, quota, limits, network policy, service account, volume,
    /// service, workload. Server-side apply; unchanged objects stay as they are.
    async fn start(&self, order: &LabOrder) -> Result<(), ClusterError>;

    /// Makes the cluster end the lab's pods when its time is over, even if the portal is down then. Called after the lab's end was moved;
    /// [`Self::start`] does it too. Repeating it for the same end costs nothing.
    async fn keep_end(&self, order: &LabOrder) -> Result<(), ClusterError>;

    /// Takes the pods away and keeps the volume.
    async fn stop(&self, order: &LabOrder) -> Result<(), ClusterError>;

    /// Deletes every object of the lab, and the course's namespace when `last_of_course`. Returns how many objects are still there:
    /// 0 means that nothing is left.
    async fn destroy(&self, order: &LabOrder, last_of_course: bool) -> Result<u32, ClusterError>;

    /// The lab's volume, read from the server even while a watch runs; `None` if there is none.
    async fn volume(&self, order: &LabOrder) -> Result<Option<Volume>, ClusterError>;

    /// Whether the lab's volume can grow to `gib`: checks its storage class, and has the server validate the change by a dry run. Errors:
    /// `Refused` if the server would refuse it for another reason than the class.
    async fn check_growth(&self, order: &LabOrder, gib: u32) -> Result<Growth, ClusterError>;

    /// Restores objects of the lab that another client changed or deleted (isolation, address, pod template, number of pods), as far as a
    /// running watch has seen it. Only a restored template replaces the pods. Returns how many objects were restored.
    async fn repair(&self, order: &LabOrder) -> Result<u32, ClusterError>;

    /// Grows the lab's volume to the lab's size. `false` if there is none, or if it cannot grow and stays as it is.
    async fn grow_volume(&self, order: &LabOrder) -> Result<bool, ClusterError>;

    /// Brings the course's ResourceQuota in line with the portal's; nothing happens when the namespace is not there.
    async fn set_quota(&self, course: &Course, limits: &Amounts) -> Result<(), ClusterError>;

    /// What the cluster has of a lab now.
    async fn observe(&self, order: &LabOrder) -> Result<Observation, ClusterError>;

    /// Manifests that `start` would apply, as YAML documents, for people to read.
    fn manifests(&self, order: &LabOrder) -> String;

    /// Changes as they happen, for ever; breaks are reported as `Away` and mended inside, followed by `All`.
    fn watch(&self) -> BoxStream<'static, Change>;
}

pub type SharedCluster = Arc<dyn Cluster>;
