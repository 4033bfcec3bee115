//! Entering labs. A pass is a person's right to enter one lab's site from one browser; a visit is a span of time in which the pass was used,
//! one line in the lab's connection log. What of it is real use, after which an unused lab is stopped, is in [`real_use`].

pub mod real_use;

use serde::{Deserialize, Serialize};

use crate::{
    access::{Actor, Role},
    ids::{CourseId, UserId, VisitId},
    people::PersonRef,
    time::Timestamp,
};

pub use real_use::UseKind;

/// Most characters of the reason of a break-glass visit.
pub const REASON_MAX: u32 = 500;
/// Fewest characters of it: a reason says more than a word.
pub const REASON_MIN: u32 = 10;
/// Minutes after which a break-glass pass is over: then a new reason is asked for.
pub const BREAK_GLASS_MINUTES: i64 = 60;

/// In which role a person enters a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitRole {
    Owner,
    /// Teaches the lab's course.
    Teacher,
    Manager,
    /// An operator who gave a reason.
    BreakGlass,
    /// Somebody of the college with a link of the owner's.
    Share,
}

impl VisitRole {
    pub const ALL: [Self; 5] = [Self::Owner, Self::Teacher, Self::Manager, Self::BreakGlass, Self::Share];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Teacher => "teacher",
            Self::Manager => "manager",
            Self::BreakGlass => "break_glass",
            Self::Share => "share",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// The role of somebody who may enter the lab without a reason.
    pub fn of(actor: &Actor, course: CourseId, owner: UserId) -> Self {
        if actor.user == owner {
            Self::Owner
        } else if actor.roles_in(course).contains(&Role::Manager) {
            Self::Manager
        } else {
            Self::Teacher
        }
    }
}

/// Why a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassEnd {
    /// The session of the portal ended before its time.
    SignedOut,
    /// The person is disabled or may not enter the lab any more.
    AccessLost,
    /// The session of the portal reached its end, or the time of a break-glass pass is over.
    Expired,
    LabDestroyed,
    /// The link that the person came by is over or was withdrawn, or its owner may not share the lab any more.
    ShareEnded,
    /// The lab stopped, failed or was restarted: a break-glass pass is for what runs.
    LabStopped,
}

impl PassEnd {
    pub const ALL: [Self; 6] = [Self::SignedOut, Self::AccessLost, Self::Expired, Self::LabDestroyed, Self::ShareEnded, Self::LabStopped];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::AccessLost => "access_lost",
            Self::Expired => "expired",
            Self::LabDestroyed => "lab_destroyed",
            Self::ShareEnded => "share_ended",
            Self::LabStopped => "lab_stopped",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.as_str() == text)
    }
}

/// Why a visit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitEnd {
    /// The lab was not used for some minutes.
    Left,
    LabStopped,
    PassEnded,
}

impl VisitEnd {
    pub const ALL: [Self; 3] = [Self::Left, Self::LabStopped, Self::PassEnded];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::LabStopped => "lab_stopped",
            Self::PassEnded => "pass_ended",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.as_str() == text)
    }
}

/// The way by which somebody is in a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitWay {
    /// The lab's own site.
    Browser,
    /// The terminal on the portal.
    Terminal,
    /// A program with an access token, such as `lectern ssh`.
    Ssh,
}

impl VisitWay {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Terminal => "terminal",
            Self::Ssh => "ssh",
        }
    }
}

/// A line of a lab's connection log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    pub id: VisitId,
    pub person: PersonRef,
    pub role: VisitRole,
    pub way: VisitWay,
    /// The port of the lab's pod; `None` for the lab's own.
    pub port: Option<u16>,
    /// Of a break-glass visit.
    pub reason: Option<String>,
    pub from: Timestamp,
    /// `None` while it lasts.
    pub until: Option<Timestamp>,
    pub ended_by: Option<VisitEnd>,
    /// IP address of the browser.
    pub address: Option<String>,
    /// Bytes to the lab.
    pub bytes_in: i64,
    /// Bytes from the lab.
    pub bytes_out: i64,
    pub last_used_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_names_are_read_back() {
        assert!(VisitRole::ALL.into_iter().all(|role| VisitRole::parse(role.as_str()) == Some(role)));
        assert!(PassEnd::ALL.into_iter().all(|end| PassEnd::parse(end.as_str()) == Some(end)));
        assert!(VisitEnd::ALL.into_iter().all(|end| VisitEnd::parse(end.as_str()) == Some(end)));
        assert_eq!(VisitRole::parse("Owner"), None);
    }
}
