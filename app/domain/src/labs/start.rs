//! The steps of a lab's start, with the time that each took and usually takes (B14). They are derived from the order, the lab's states and
//! what the cluster reported; nothing is measured for it.

use serde::{Deserialize, Serialize};

use super::{LabState, Observation, StateChange};
use crate::time::Timestamp;

/// In the order in which a start passes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartStep {
    /// The order waits for its approvers. Only the first start has it.
    Approval,
    /// The lab waits for cards.
    Queue,
    /// The cluster makes and binds the volume.
    Volumes,
    /// The cluster finds a node for each pod.
    Schedule,
    /// The nodes fetch the image.
    Pull,
    /// The containers start.
    Container,
    /// The application answers.
    Ready,
}

impl StartStep {
    pub const ALL: [Self; 7] = [Self::Approval, Self::Queue, Self::Volumes, Self::Schedule, Self::Pull, Self::Container, Self::Ready];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Queue => "queue",
            Self::Volumes => "volumes",
            Self::Schedule => "schedule",
            Self::Pull => "pull",
            Self::Container => "container",
            Self::Ready => "ready",
        }
    }

    /// Whether people or free cards decide how long it takes. Such a step is never late.
    pub const fn waits_for_people(self) -> bool {
        matches!(self, Self::Approval | Self::Queue)
    }
}

/// One step of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTime {
    pub step: StartStep,
    /// `None` while an earlier step lasts.
    pub from: Option<Timestamp>,
    /// `None` while it lasts or has not begun.
    pub until: Option<Timestamp>,
    /// Usual duration for this offering, in seconds; `None` before its first start.
    #[serde(default)]
    pub usual_seconds: Option<u32>,
}

/// A step is late after this long, even if it is usually shorter.
pub const LATE_SECONDS: i64 = 60;
/// A step is late when it takes so many times its usual time.
const LATE_FACTOR: i64 = 3;

impl StepTime {
    /// Seconds that it took, or has taken until now.
    pub fn seconds(&self, now: Timestamp) -> Option<i64> {
        self.from.map(|from| self.until.unwrap_or(now).seconds_since(from).max(0))
    }

    pub const fn is_current(&self) -> bool {
        self.from.is_some() && self.until.is_none()
    }

    /// Whether it still lasts and takes much longer than usual.
    pub fn is_late(&self, now: Timestamp) -> bool {
        let limit = self.usual_seconds.map(|usual| (i64::from(usual) * LATE_FACTOR).max(LATE_SECONDS));
        let seconds = self.seconds(now).filter(|_| self.is_current() && !self.step.waits_for_people());
        matches!((seconds, limit), (Some(seconds), Some(limit)) if seconds > limit)
    }
}

/// When the lab's order was submitted and decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderTimes {
    pub submitted_at: Timestamp,
    pub decided_at: Option<Timestamp>,
}

/// The steps of the lab's last start; empty if the history holds none. A step that the cluster reported nothing of takes no time. The
/// observation belongs to the last start only while the lab is starting or running, so a stopped lab has no steps.
pub fn start_steps(order: OrderTimes, history: &[StateChange], seen: &Observation) -> Vec<StepTime> {
    let Some(begin) = history.iter().rposition(|change| change.to == LabState::Pending || change.cause == "restart" || change.cause == "resize")
    else {
        return Vec::new();
    };
    let of_start = &history[begin..];
    let reached = |state: LabState| of_start.iter().skip(1).find(|change| change.to == state).map(|change| change.at);
    if of_start.iter().any(|change| !matches!(change.to, LabState::Pending | LabState::Starting | LabState::Running)) {
        return Vec::new();
    }
    let first = &of_start[0];
    let (pending, applied) = if first.to == LabState::Pending { (Some(first.at), reached(LabState::Starting)) } else { (None, Some(first.at)) };
    let running = reached(LabState::Running);
    let mut steps = Vec::new();
    let mut push = |step, from, until| steps.push(StepTime { step, from, until, usual_seconds: None });
    if begin == 0 {
        push(StartStep::Approval, Some(order.submitted_at), order.decided_at.or(pending));
    }
    if pending.is_some() {
        push(StartStep::Queue, pending, applied);
    }
    let ends = [
        (StartStep::Volumes, volumes(seen, applied)),
        (StartStep::Schedule, scheduled(seen, applied)),
        (StartStep::Pull, event(seen, applied, "Pulled")),
        (StartStep::Container, event(seen, applied, "Started")),
        (StartStep::Ready, running),
    ];
    let mut from = applied;
    for (at, (step, _)) in ends.iter().enumerate() {
        // A step is over when it is reported, or when a later one is.
        let until = ends[at..].iter().find_map(|(_, end)| *end).map(|end| running.map_or(end, |running| end.min(running)));
        let until = until.map(|end| from.map_or(end, |from| end.max(from))).filter(|_| from.is_some());
        push(*step, from, until);
        from = until;
    }
    steps
}

/// Events come again with later times; only those of this start count.
fn event(seen: &Observation, applied: Option<Timestamp>, reason: &str) -> Option<Timestamp> {
    let applied = applied?;
    seen.events.iter().filter(|event| event.reason == reason && event.at >= floor(applied)).map(|event| event.at).min()
}

/// Kubernetes counts whole seconds.
fn floor(at: Timestamp) -> Timestamp {
    Timestamp::from_seconds(at.micros().div_euclid(1_000_000))
}

fn is_met(seen: &Observation, kind: &str) -> Option<Timestamp> {
    let condition = seen.conditions.iter().find(|condition| condition.kind == kind)?;
    if condition.status == super::ConditionStatus::True { condition.since } else { None }
}

/// A claim says since when it exists, not since when it is bound; its event does.
fn volumes(seen: &Observation, applied: Option<Timestamp>) -> Option<Timestamp> {
    is_met(seen, "VolumeBound")?;
    event(seen, applied, "ProvisioningSucceeded").or(applied)
}

fn scheduled(seen: &Observation, applied: Option<Timestamp>) -> Option<Timestamp> {
    is_met(seen, "Scheduled").filter(|at| applied.is_some_and(|applied| *at >= floor(applied)))
}

/// The usual time of each step: the median of earlier starts. `earlier`: the seconds of each step of each start.
pub fn with_usual(mut steps: Vec<StepTime>, earlier: &[Vec<(StartStep, u32)>]) -> Vec<StepTime> {
    for step in &mut steps {
        let mut times: Vec<u32> =
            earlier.iter().filter_map(|start| start.iter().find(|(of, _)| *of == step.step).map(|(_, seconds)| *seconds)).collect();
        times.sort_unstable();
        step.usual_seconds = times.get(times.len() / 2).copied();
    }
    steps
}

/// The seconds of each step of a start that is over; `None` while one lasts.
pub fn durations(steps: &[StepTime]) -> Option<Vec<(StartStep, u32)>> {
    let seconds = |step: &StepTime| {
        let (from, until) = (step.from?, step.until?);
        Some((step.step, u32::try_from(until.seconds_since(from).max(0)).ok()?))
    };
    (!steps.is_empty()).then(|| steps.iter().map(seconds).collect()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::{ClusterEvent, Condition, ConditionStatus};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000 + seconds)
    }

    fn change(from: Option<LabState>, to: LabState, seconds: i64, cause: &str) -> StateChange {
        StateChange { seq: 1, from, to, at: at(seconds), noticed_at: None, ran_until: None, cause: cause.into(), by: None }
    }

    fn order() -> OrderTimes {
        OrderTimes { submitted_at: at(0), decided_at: Some(at(60)) }
    }

    fn event(reason: &str, seconds: i64) -> ClusterEvent {
        ClusterEvent { at: at(seconds), warning: false, reason: reason.into(), message: String::new(), object: "Pod/lab-1-0".into(), count: 1 }
    }

    fn met(kind: &str, seconds: i64) -> Condition {
        Condition { kind: kind.into(), status: ConditionStatus::True, reason: String::new(), message: String::new(), since: Some(at(seconds)) }
    }

    fn times(steps: &[StepTime]) -> Vec<(&'static str, Option<i64>)> {
        let seconds = |step: &StepTime| step.until.and_then(|until| step.from.map(|from| until.seconds_since(from)));
        steps.iter().map(|step| (step.step.as_str(), seconds(step))).collect()
    }

    fn running() -> Vec<StateChange> {
        vec![
            change(None, LabState::Pending, 60, "approve"),
            change(Some(LabState::Pending), LabState::Starting, 90, "applied"),
            change(Some(LabState::Starting), LabState::Running, 190, "ready"),
        ]
    }

    fn seen() -> Observation {
        Observation {
            conditions: vec![met("VolumeBound", 90), met("Scheduled", 97)],
            events: vec![event("Started", 170), event("Pulled", 165), event("Pulling", 98), event("ProvisioningSucceeded", 95)],
            ..Observation::default()
        }
    }

    #[test]
    fn each_step_of_a_start_has_its_time() {
        let steps = start_steps(order(), &running(), &seen());
        let expected = [
            ("approval", Some(60)),
            ("queue", Some(30)),
            ("volumes", Some(5)),
            ("schedule", Some(2)),
            ("pull", Some(68)),
            ("container", Some(5)),
            ("ready", Some(20)),
        ];
        assert_eq!(times(&steps), expected);
        assert_eq!(durations(&steps).map(|all| all.len()), Some(7));
    }

    #[test]
    fn the_step_that_lasts_has_no_end_and_later_ones_no_beginning() {
        let seen = Observation { events: vec![event("ProvisioningSucceeded", 95)], ..seen() };
        let steps = start_steps(order(), &running()[..2], &seen);
        assert_eq!(times(&steps)[3..], [("schedule", Some(2)), ("pull", None), ("container", None), ("ready", None)]);
        assert!(steps[4].is_current());
        assert_eq!((steps[5].from, steps[6].from), (None, None));
        assert_eq!(durations(&steps), None, "it is not over");
    }

    #[test]
    fn a_step_that_was_not_reported_takes_no_time() {
        let steps = start_steps(order(), &running(), &Observation::default());
        assert_eq!(
            times(&steps)[2..],
            [("volumes", Some(100)), ("schedule", Some(0)), ("pull", Some(0)), ("container", Some(0)), ("ready", Some(0))]
        );
    }

    #[test]
    fn a_restart_has_no_approval_and_reads_no_events_of_the_start_before() {
        let mut history = running();
        history.push(change(Some(LabState::Running), LabState::Starting, 1_000, "restart"));
        let steps = start_steps(order(), &history, &seen());
        let begun: Vec<_> = steps.iter().map(|step| (step.step.as_str(), step.is_current())).collect();
        assert_eq!(begun, [("volumes", false), ("schedule", true), ("pull", false), ("container", false), ("ready", false)]);
    }

    #[test]
    fn a_lab_that_is_down_has_no_steps() {
        let mut history = running();
        history.push(change(Some(LabState::Running), LabState::Stopping, 1_000, "stop"));
        assert_eq!(start_steps(order(), &history, &seen()), []);
        assert_eq!(start_steps(order(), &[], &seen()), []);
    }

    #[test]
    fn usual_is_the_median_and_late_is_three_times_that() {
        let earlier: Vec<_> = [10, 40, 30].into_iter().map(|seconds| vec![(StartStep::Pull, seconds)]).collect();
        let seen = Observation { events: Vec::new(), ..seen() };
        let steps = with_usual(start_steps(order(), &running()[..2], &seen), &earlier);
        let pull = steps[4];
        assert_eq!((pull.step, pull.usual_seconds), (StartStep::Pull, Some(30)));
        assert!(!pull.is_late(at(97 + 90)));
        assert!(pull.is_late(at(97 + 91)));
        assert!(!steps[3].is_late(at(10_000)), "nothing is known of it");
    }
}
