//! Labs as their readers see them: in lists, on a page of their own, and by a filter.

use serde::{Deserialize, Serialize};

use super::{FailedAttempt, Job, KeptLog, Lab, LabOptions, LabState, LabUse, Observation, StateChange, start};
use crate::{
    capacity::WaitReason,
    courses::{CourseKey, CourseRef},
    ids::OrderId,
    metering::UsageLine,
    money::Money,
    people::PersonRef,
    ssh_keys::KeysProblem,
    time::Timestamp,
};

/// A lab as its readers see it in lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "one for each thing that the reader may do, and one for the owner")]
pub struct LabView {
    pub lab: Lab,
    pub owner: PersonRef,
    /// The owner may not order for the course any more: the lab runs to its end, and the owner cannot extend or enlarge it.
    #[serde(default)]
    pub owner_left: bool,
    /// Its seat in a class: a student, or `3/30` without names.
    pub seat: Option<String>,
    pub course: CourseRef,
    /// Metered so far, volume included.
    pub cost: Money,
    pub running_since: Option<Timestamp>,
    /// 1 is next; only while it waits for cards.
    pub queue_position: Option<u32>,
    /// Why it still waits for cards; only on its own page.
    pub wait: Option<WaitReason>,
    /// The order that waits for approval to give it more time or another size.
    #[serde(default)]
    pub pending_change: Option<OrderId>,
    /// More time waits for approval, and what this reader asks for would wait too; only on its own page.
    #[serde(default)]
    pub more_time_waits: bool,
    /// Which of [`super::lifecycle::EXTENSIONS`] would wait for approval if this reader asked for them now; in lists only while the lab runs.
    #[serde(default)]
    pub more_time_asks: Vec<u32>,
    /// The change that was just asked for waits for approval as `pending_change`; only in the answer to a request for a change.
    #[serde(default)]
    pub change_filed: bool,
    pub may_start: bool,
    pub may_stop: bool,
    pub may_destroy: bool,
    /// It can be opened now, and this reader may enter it.
    #[serde(default)]
    pub may_enter: bool,
    /// The same for an operator who gives a reason.
    #[serde(default)]
    pub may_break_glass: bool,
    /// Origin of its own site; `None` where labs have none, and once it is destroyed.
    #[serde(default)]
    pub site: Option<String>,
    /// This reader may give out links to it.
    #[serde(default)]
    pub may_share: bool,
    /// Of a lab that runs to its end. It has no page to open.
    #[serde(default)]
    pub job: Option<Job>,
    pub options: LabOptions,
    /// Its use; only while it runs.
    #[serde(default)]
    pub used: Option<LabUse>,
    /// Minutes without use after which the college stops labs whose owners chose none.
    #[serde(default)]
    pub college_idle_minutes: Option<u32>,
}

impl LabView {
    /// When it stops by itself next: at the end of its time, at its daily stop, or for want of use once its owner was warned of that.
    pub fn stops_at(&self) -> Option<Timestamp> {
        let unused = self.used.as_ref().filter(|used| used.warned).and_then(|used| used.stops_at);
        self.lab.stops_at().into_iter().chain(unused).min()
    }
}

/// A lab with all that its own page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabDetail {
    pub view: LabView,
    pub history: Vec<StateChange>,
    pub observation: Observation,
    /// When the cluster last reported on it.
    pub observed_at: Option<Timestamp>,
    pub usage: Vec<UsageLine>,
    /// Every failure, the first one first.
    pub failures: Vec<FailedAttempt>,
    /// The steps of the last start; empty while the lab is down.
    #[serde(default)]
    pub start: Vec<start::StepTime>,
    /// Why it has other SSH keys than its owner's account; only while it runs.
    #[serde(default)]
    pub keys_problem: Option<KeysProblem>,
    /// By whom its SSH server is entered; `None` for a lab that is there for something else.
    #[serde(default)]
    pub ssh_user: Option<String>,
    /// Logs of a job's pods that are gone, in order of their tries.
    #[serde(default)]
    pub kept_logs: Vec<KeptLog>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "one for each condition, and all may hold together")]
pub struct LabFilter {
    pub state: Option<LabState>,
    pub course: Option<CourseKey>,
    pub mine: bool,
    /// Without those that are destroyed.
    pub live: bool,
    /// Only labs whose owner left the course.
    pub owner_left: bool,
    /// Only labs whose cards are unused: see [`LabUse::flagged`].
    pub unused: bool,
    /// Part of the lab's name, its offering's, its owner's or its course's; empty for all.
    pub text: String,
}
