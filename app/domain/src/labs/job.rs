//! Labs that run to their end: the outcome of a job, its tries, and their kept logs.

use serde::{Deserialize, Serialize};

use super::{Failure, Lab, LabEvent, LabPod, LabState, StateChange};
use crate::{catalogue::Workload, time::Timestamp};

/// How a container of a pod ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodEnd {
    pub exit_code: i32,
    /// `Completed`, `Error`, `OOMKilled`
    pub reason: String,
    pub at: Option<Timestamp>,
}

/// The progress of a job, beyond the state that every lab has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Most tries that it has.
    pub tries: u32,
    /// `None` while it runs, and if it was stopped or never ran.
    pub outcome: Option<JobOutcome>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum JobOutcome {
    Finished,
    /// `ran`: whether it was seen running, so that its cards were charged.
    Failed {
        exit_code: Option<i32>,
        ran: bool,
    },
}

impl JobOutcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Failed { .. } => "failed",
        }
    }
    pub const fn exit_code(self) -> Option<i32> {
        match self {
            Self::Finished => None,
            Self::Failed { exit_code, .. } => exit_code,
        }
    }
}

impl Job {
    /// `None` for a lab that is no job. `finished`: its last run ended by itself, and well.
    pub fn of(lab: &Lab, finished: bool) -> Option<Self> {
        let tries = match lab.spec.workload {
            Workload::BatchJob => lab.spec.retries.saturating_add(1),
            Workload::DistributedJob => 1,
            _ => return None,
        };
        let outcome = match lab.state {
            LabState::Failed => lab.failure.as_ref().and_then(|failure| failed(lab, failure)),
            LabState::Stopping | LabState::Stopped if finished => Some(JobOutcome::Finished),
            _ => None,
        };
        Some(Self { tries, outcome })
    }
}

/// `None` where no program ran: there it is a start that failed, as of any lab.
fn failed(lab: &Lab, failure: &Failure) -> Option<JobOutcome> {
    let (exit_code, ran) = (exit_code(&failure.message), lab.first_running_at.is_some());
    let ended = exit_code.is_some() || matches!(failure.reason.as_str(), "BackoffLimitExceeded" | "JobFailed" | "PodFailurePolicy");
    ended.then_some(JobOutcome::Failed { exit_code, ran })
}

/// From the cluster's message of a job that failed: `lab-7-x2x4q: exit code 1 (Error)`.
fn exit_code(message: &str) -> Option<i32> {
    let (_, rest) = message.split_once("exit code ")?;
    rest.split(|c: char| c != '-' && !c.is_ascii_digit()).next()?.parse().ok()
}

/// The number of the try that a batch job is at, from its pods; 0 before the first.
pub fn try_number(pods: &[LabPod]) -> u32 {
    u32::try_from(pods.len()).unwrap_or(u32::MAX)
}

/// Whether a job that is starting ran before in the same start: it is tried again.
pub fn is_between_tries(workload: Workload, history: &[StateChange]) -> bool {
    workload.ends() && history.last().is_some_and(|last| last.to == LabState::Starting && last.cause == LabEvent::Lost.as_str())
}

/// The end of the log of one container, kept when its pod was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptLog {
    pub pod: String,
    pub pod_uid: String,
    pub container: String,
    /// The container's place in its pod; those that end before the others begin are last.
    pub place: u32,
    /// Of the lab, when the pod was made.
    pub generation: u32,
    /// Counts from 1 in each start of the job; all ranks of a distributed job have 1.
    pub attempt: u32,
    pub exit_code: Option<i32>,
    pub ended_at: Option<Timestamp>,
    pub kept_at: Timestamp,
    /// Bytes of the text.
    pub bytes: u64,
    /// Whether earlier lines were left out.
    pub cut: bool,
    /// Why there is no text.
    pub problem: Option<LogProblem>,
}

/// Why a log could not be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogProblem {
    /// The cluster did not give it out.
    Unreachable,
    /// The pod was deleted before it was read.
    Gone,
    /// Reading took too long.
    Late,
}

impl LogProblem {
    pub const ALL: [Self; 3] = [Self::Unreachable, Self::Gone, Self::Late];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Gone => "gone",
            Self::Late => "late",
        }
    }
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::tests::lab;

    fn job() -> Lab {
        let mut lab = lab();
        (lab.spec.workload, lab.spec.retries) = (Workload::BatchJob, 2);
        lab
    }

    fn failed(message: &str) -> Lab {
        let at = Timestamp::from_seconds(1);
        Lab { state: LabState::Failed, failure: Some(Failure { reason: "BackoffLimitExceeded".into(), message: message.into(), at }), ..job() }
    }

    #[test]
    fn a_job_tells_how_it_ended() {
        assert_eq!(Job::of(&lab(), true), None, "a notebook is no job");
        assert_eq!(Job::of(&job(), false), Some(Job { tries: 3, outcome: None }));
        let stopped = Lab { state: LabState::Stopped, ..job() };
        assert_eq!(Job::of(&stopped, false).and_then(|job| job.outcome), None, "somebody stopped it");
        assert_eq!(Job::of(&stopped, true).and_then(|job| job.outcome), Some(JobOutcome::Finished));
        let outcome = |lab: &Lab| Job::of(lab, false).and_then(|job| job.outcome);
        let broken = failed("Job has reached the specified backoff limit; lab-7-x2x4q: exit code 137 (OOMKilled)");
        assert_eq!(outcome(&broken), Some(JobOutcome::Failed { exit_code: Some(137), ran: false }));
        let ran = Lab { first_running_at: Some(Timestamp::from_seconds(0)), ..failed("backoff limit") };
        assert_eq!(outcome(&ran), Some(JobOutcome::Failed { exit_code: None, ran: true }));
    }

    #[test]
    fn a_job_without_an_image_did_not_start() {
        let mut lab = failed("lab-7-x2x4q: not found");
        lab.failure.as_mut().expect("it failed").reason = "ImagePullBackOff".into();
        assert_eq!(Job::of(&lab, false).and_then(|job| job.outcome), None);
    }

    #[test]
    fn exit_codes_are_read_from_the_message() {
        assert_eq!(exit_code("a: exit code 1 (Error)"), Some(1));
        assert_eq!(exit_code("a: exit code -1073741819 (Error)"), Some(-1_073_741_819));
        assert_eq!(exit_code("a: exit code "), None);
        assert_eq!(exit_code("the deadline passed"), None);
    }
}
