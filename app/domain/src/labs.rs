//! Labs: what an order becomes. Desired state is what people ask for, observed state what the cluster reports (B4, B5).

pub mod extend;
pub mod host;
pub mod idle;
pub mod job;
pub mod lifecycle;
pub mod moment;
pub mod ports;
pub mod resize;
pub mod start;
mod view;
mod volume;

use serde::{Deserialize, Serialize};

pub use idle::{LabUse, LastUse};
pub use job::{Job, JobOutcome, KeptLog, LogProblem, PodEnd};
pub use lifecycle::{Autostop, EarlierSize, Extension, FailedAttempt, LabOptions, Lifecycle, TimeOfDay};
pub use moment::Moment;
pub use view::{LabDetail, LabFilter, LabView};
pub use volume::{VOLUME_LOST, VOLUME_NOT_GROWN, Volume};

use crate::{
    catalogue::{LabSpec, Localized},
    error::Error,
    ids::{CourseId, LabId, OrderId, TenantId, UserId},
    people::PersonRef,
    time::Timestamp,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabState {
    /// Wanted; the cluster has not been told yet, or the lab waits for cards.
    Pending,
    /// The cluster has the objects; pods are not all ready.
    Starting,
    /// Every pod is ready. Only here cards are billed.
    Running,
    Stopping,
    /// No pods; the volume is kept.
    Stopped,
    Failed,
    Destroying,
    /// Nothing is left in the cluster.
    Destroyed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabEvent {
    /// A person starts it (again).
    Start,
    /// The cluster took the objects.
    Applied,
    /// Every pod is ready.
    Ready,
    /// A person has the pods made anew.
    Restart,
    /// A person gives it another size, which makes the pods anew.
    Resize,
    /// A pod that was ready is not any more.
    Lost,
    /// Every rank of a job ended well.
    Finished,
    /// The cluster reports a failure that will not heal by itself.
    Fail,
    /// A person, or the end of the ordered time, stops it.
    Stop,
    /// No pod is left.
    PodsGone,
    Destroy,
    /// No object is left.
    ObjectsGone,
}

impl LabState {
    pub const ALL: [Self; 8] =
        [Self::Pending, Self::Starting, Self::Running, Self::Stopping, Self::Stopped, Self::Failed, Self::Destroying, Self::Destroyed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Destroying => "destroying",
            Self::Destroyed => "destroyed",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The state after `event`. Errors: [`Error::InvalidTransition`].
    pub fn after(self, event: LabEvent) -> Result<Self, Error> {
        use LabEvent as E;
        Ok(match (self, event) {
            // Stopping can be thought better of: its cards are still held, and new pods come after the old ones.
            (Self::Stopping | Self::Stopped | Self::Failed, E::Start) => Self::Pending,
            (Self::Pending, E::Applied) | (Self::Running, E::Lost | E::Restart | E::Resize) => Self::Starting,
            (Self::Starting | Self::Failed, E::Ready) => Self::Running,
            (Self::Starting | Self::Running, E::Finished) => Self::Stopping,
            (Self::Pending | Self::Starting | Self::Running, E::Fail) => Self::Failed,
            (Self::Pending | Self::Starting | Self::Running | Self::Failed, E::Stop) => Self::Stopping,
            (Self::Stopping, E::PodsGone) => Self::Stopped,
            (Self::Pending | Self::Starting | Self::Running | Self::Stopping | Self::Stopped | Self::Failed, E::Destroy) => Self::Destroying,
            (Self::Destroying, E::ObjectsGone) => Self::Destroyed,
            _ => return Err(Error::InvalidTransition { state: self.as_str().into(), event: event.as_str().into() }),
        })
    }

    /// Whether a person may ask for this now: drives the buttons.
    pub fn allows(self, event: LabEvent) -> bool {
        self.after(event).is_ok()
    }

    /// Holds cards (or waits for them), so it counts against the quota for running labs.
    pub const fn holds_cards(self) -> bool {
        matches!(self, Self::Pending | Self::Starting | Self::Running | Self::Stopping | Self::Failed)
    }
}

impl LabEvent {
    pub const ALL: [Self; 12] = [
        Self::Start,
        Self::Applied,
        Self::Ready,
        Self::Restart,
        Self::Resize,
        Self::Lost,
        Self::Finished,
        Self::Fail,
        Self::Stop,
        Self::PodsGone,
        Self::Destroy,
        Self::ObjectsGone,
    ];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Applied => "applied",
            Self::Ready => "ready",
            Self::Restart => "restart",
            Self::Resize => "resize",
            Self::Lost => "lost",
            Self::Finished => "finished",
            Self::Fail => "fail",
            Self::Stop => "stop",
            Self::PodsGone => "pods_gone",
            Self::Destroy => "destroy",
            Self::ObjectsGone => "objects_gone",
        }
    }
}

/// A lab as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lab {
    pub id: LabId,
    pub order: OrderId,
    pub tenant: TenantId,
    pub course: CourseId,
    pub owner: UserId,
    /// Name of its objects in Kubernetes and of its hostname: `lab-2047`; unique for ever.
    pub name: String,
    /// The course's namespace.
    pub namespace: String,
    pub offering_name: Localized,
    pub spec: LabSpec,
    pub minutes: u32,
    pub state: LabState,
    /// Whether cards are set aside for it.
    pub reserved: bool,
    pub failure: Option<Failure>,
    pub created_at: Timestamp,
    pub first_running_at: Option<Timestamp>,
    /// When the ordered time ends; set when it first runs, or from the start for a lesson; moved by an extension.
    pub ends_at: Option<Timestamp>,
    pub lifecycle: Lifecycle,
    pub version: i64,
}

/// Why a lab failed, as the cluster said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable: `ImagePullBackOff`, `BackoffLimitExceeded`, `Rejected`.
    pub reason: String,
    pub message: String,
    pub at: Timestamp,
}

/// A step in a lab's life. Metering is computed from these and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChange {
    /// Counts from 1 within the lab.
    pub seq: i64,
    pub from: Option<LabState>,
    pub to: LabState,
    /// When the change took place; usage is counted by it.
    pub at: Timestamp,
    /// When the portal noticed the change, if that was much later.
    #[serde(default)]
    pub noticed_at: Option<Timestamp>,
    /// Until when the lab's pods existed although its time was over at `at`. The time between is not charged.
    #[serde(default)]
    pub ran_until: Option<Timestamp>,
    /// What brought it: an event's name.
    pub cause: String,
    pub by: Option<PersonRef>,
}

/// One line of "what the cluster says": a condition of the lab's workload or pods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// `Scheduled`, `Ready`, `VolumeBound`, …
    pub kind: String,
    pub status: ConditionStatus,
    pub reason: String,
    pub message: String,
    pub since: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}

/// A Kubernetes Event about one of the lab's objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterEvent {
    pub at: Timestamp,
    pub warning: bool,
    pub reason: String,
    pub message: String,
    /// `Pod/lab-2047-0`
    pub object: String,
    pub count: u32,
}

/// An object that was made for the lab.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectRef {
    pub api_version: String,
    pub kind: String,
    pub namespace: String,
    pub name: String,
}

/// What the cluster reports of a lab at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Pods that exist, and that are ready.
    pub pods: u32,
    pub ready: u32,
    /// Pods of an earlier generation than the lab's: they are on their way out.
    #[serde(default)]
    pub outdated: u32,
    pub phase: ObservedPhase,
    /// Since when all of its pods are ready, by the cluster's clock; `None` if any is not.
    #[serde(default)]
    pub ready_since: Option<Timestamp>,
    /// When the lab ended, failed or lost its first pod, by the cluster's clock; `None` if none of this happened.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    pub failure: Option<(String, String)>,
    /// Node of each pod that is bound, in pod order.
    pub nodes: Vec<String>,
    pub conditions: Vec<Condition>,
    pub events: Vec<ClusterEvent>,
    pub objects: Vec<ObjectRef>,
    /// Objects that another client of the cluster changed or deleted: `NetworkPolicy/lab-7`.
    #[serde(default)]
    pub drift: Vec<String>,
    /// The lab's persistent volume, if it has one.
    #[serde(default)]
    pub volume: Option<Volume>,
    /// The lab's pods, in order of rank.
    #[serde(default)]
    pub members: Vec<LabPod>,
}

/// A pod of the lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabPod {
    pub name: String,
    /// The next pod of this name has another one.
    pub uid: String,
    /// The lab's generation when it was made.
    #[serde(default)]
    pub generation: u32,
    pub ready: bool,
    pub containers: Vec<String>,
    pub init_containers: Vec<String>,
    #[serde(default)]
    pub made_at: Option<Timestamp>,
    /// How its program ended; `None` while it runs.
    #[serde(default)]
    pub end: Option<PodEnd>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObservedPhase {
    /// No object of the lab is there.
    #[default]
    Absent,
    /// Objects without pods.
    Idle,
    /// Pods, not all ready.
    Progressing,
    /// As many ready pods as wanted.
    Ready,
    /// A job that ended well.
    Finished,
    /// Something that will not heal by itself.
    Failed,
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use uuid::Uuid;

    use super::*;
    use crate::catalogue::Workload;

    /// A notebook with one card, waiting to start.
    pub(crate) fn lab() -> Lab {
        Lab {
            id: LabId::from_uuid(Uuid::from_u128(1)),
            order: OrderId::from_uuid(Uuid::from_u128(2)),
            tenant: TenantId::from_uuid(Uuid::from_u128(3)),
            course: CourseId::from_uuid(Uuid::from_u128(4)),
            owner: UserId::from_uuid(Uuid::from_u128(5)),
            name: "lab-1".into(),
            namespace: "course-1".into(),
            offering_name: Localized { zh: "笔记本".into(), en: "Notebook".into() },
            spec: LabSpec {
                workload: Workload::Notebook,
                image: "x".into(),
                command: Vec::new(),
                port: 8_888,
                card: "a100-80g".parse().expect("a card"),
                cards_per_node: 1,
                nodes: 1,
                cpu_cores: 4,
                memory_gib: 16,
                storage_gib: 10,
                git_url: None,
                environment: BTreeMap::new(),
                secrets: BTreeMap::new(),
                retries: 0,
                health_path: None,
                app_access: None,
            },
            minutes: 90,
            state: LabState::Pending,
            reserved: true,
            failure: None,
            created_at: Timestamp::from_seconds(0),
            first_running_at: None,
            ends_at: None,
            lifecycle: Lifecycle::default(),
            version: 1,
        }
    }

    #[test]
    fn the_transition_table_allows_these_and_nothing_else() {
        let mut table = Vec::new();
        for state in LabState::ALL {
            for event in LabEvent::ALL {
                if let Ok(next) = state.after(event) {
                    table.push(format!("{} --{}--> {}", state.as_str(), event.as_str(), next.as_str()));
                }
            }
        }
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn every_state_but_the_last_can_be_destroyed() {
        for state in LabState::ALL {
            assert_eq!(state.allows(LabEvent::Destroy), !matches!(state, LabState::Destroying | LabState::Destroyed), "{state:?}");
        }
    }
}
