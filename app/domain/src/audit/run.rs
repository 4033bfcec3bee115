//! The state of the chains, and runs that verify them (F3).

use serde::{Deserialize, Serialize};

use super::{Broken, Chain, Hash};
use crate::{ids::AuditRunId, people::PersonRef, time::Timestamp};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Asked for; begins within a second.
    Waiting,
    Running,
    /// Every record and every link is as it was written.
    Good,
    /// A chain is broken.
    Broken,
}

impl RunState {
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Running, Self::Good, Self::Broken];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Good => "good",
            Self::Broken => "broken",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Good | Self::Broken)
    }
}

/// The result of verifying one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainResult {
    pub chain: Chain,
    /// Records that were checked.
    pub checked: i64,
    /// The fault of the first bad record.
    pub broken: Option<Broken>,
}

/// A verification that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub id: AuditRunId,
    pub asked_by: PersonRef,
    pub asked_at: Timestamp,
    pub state: RunState,
    /// Records checked so far, of `total` that were sealed when it began.
    pub checked: i64,
    pub total: i64,
    pub finished_at: Option<Timestamp>,
    /// Empty until it is over.
    pub chains: Vec<ChainResult>,
}

/// How far one chain is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainState {
    pub chain: Chain,
    /// Place and hash of the last sealed record; zeros before the first.
    pub sealed: i64,
    pub head: Hash,
    /// Records that are not sealed yet: usually none, for a second at most.
    pub unsealed: i64,
}

/// The chains as an auditor sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainCard {
    /// The tenant's, then the system's.
    pub chains: Vec<ChainState>,
    /// The last run that is over.
    pub last: Option<Run>,
    /// One that is not.
    pub current: Option<Run>,
}

impl ChainCard {
    /// Whether the last run found a chain broken.
    pub fn is_broken(&self) -> bool {
        self.last.as_ref().is_some_and(|run| run.state == RunState::Broken)
    }
}
