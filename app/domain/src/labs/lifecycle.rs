//! What owners may still do with a lab that exists: stop it by the clock, give it more time, keep it, try again after a failure (B4).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Failure, Observation, idle::MINUTES};
use crate::{
    catalogue::LabSpec,
    error::{Error, Problem},
    money::Money,
    time::Timestamp,
};

/// Minutes before a lab stops by itself at which its owner is warned, the earliest first.
pub const WARN_MINUTES: [u32; 2] = [15, 5];
/// The extensions that are one click away: half an hour, and a lesson.
pub const EXTENSIONS: [u32; 2] = [30, 45];

/// The state of a lab that its order does not hold: everything that people change later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// How many times its pods were to be made anew: by a start, a restart or a resize. Pods of an earlier generation are taken away.
    pub generation: u32,
    pub autostop: Autostop,
    /// When the daily stop comes next; only while the lab is up or coming up.
    pub daily_stop_at: Option<Timestamp>,
    /// When a lab that is down is destroyed by itself.
    pub kept_until: Option<Timestamp>,
    /// From here its volume is kept without charge: from the end of its lesson, or from the time when it was due to be destroyed, if the
    /// portal was down then and gives the owner another day.
    #[serde(default)]
    pub grace_from: Option<Timestamp>,
}

/// When a lab stops by itself besides the end of its time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Autostop {
    /// Minutes without use, 10 to 1440, after which it is stopped (E7): see [`super::idle`]. `None`: the college's setting holds, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_minutes: Option<u32>,
    /// Every day at this time on campus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily: Option<TimeOfDay>,
}

impl Autostop {
    /// Errors: `Invalid` on `idle_minutes`.
    pub fn check(self) -> Result<Self, Error> {
        match self.idle_minutes {
            Some(minutes) if !MINUTES.contains(&minutes) => Err(Error::field("idle_minutes", Problem::OutOfRange { min: 10, max: 1_440 })),
            _ => Ok(self),
        }
    }
}

/// A time on the campus wall clock: `22:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    pub const fn new(hour: u16, minute: u16) -> Option<Self> {
        if hour < 24 && minute < 60 { Some(Self(hour * 60 + minute)) } else { None }
    }
    /// The first instant after `now` at which campus clocks show it.
    pub fn next_after(self, now: Timestamp) -> Timestamp {
        let today = now.start_of_campus_day().plus_minutes(self.0.into());
        if today > now { today } else { today.plus_minutes(24 * 60) }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time of day like 22:00")]
pub struct NotATimeOfDay;

impl FromStr for TimeOfDay {
    type Err = NotATimeOfDay;
    fn from_str(text: &str) -> Result<Self, NotATimeOfDay> {
        let (hour, minute) = text.split_once(':').ok_or(NotATimeOfDay)?;
        let two_digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !two_digits(hour) || !two_digits(minute) {
            return Err(NotATimeOfDay);
        }
        let number = |text: &str| text.parse().map_err(|_| NotATimeOfDay);
        Self::new(number(hour)?, number(minute)?).ok_or(NotATimeOfDay)
    }
}
impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}
impl TryFrom<String> for TimeOfDay {
    type Error = NotATimeOfDay;
    fn try_from(text: String) -> Result<Self, NotATimeOfDay> {
        text.parse()
    }
}

/// How much longer somebody wants a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Extension {
    /// So many minutes more.
    Minutes(u32),
    /// Until this instant; a lab that has not run yet has no end to move.
    Until(Timestamp),
}

/// One failure of a lab, with what the cluster showed when it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedAttempt {
    /// Counts from 1 within the lab.
    pub attempt: u32,
    pub failure: Failure,
    /// `None` when the cluster refused before there was anything to see.
    pub evidence: Option<Observation>,
}

/// The size of a lab until an instant. After the last of these instants the lab has its own size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierSize {
    pub until: Timestamp,
    pub spec: LabSpec,
}

/// Actions that a reader may take on a lab, besides start, stop and destroy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "one for each button")]
pub struct LabOptions {
    pub may_restart: bool,
    pub may_extend: bool,
    pub may_resize: bool,
    pub may_retry: bool,
    pub may_keep: bool,
    pub may_autostop: bool,
    /// What an hour costs now; `None` when the price book lacks a price.
    pub per_hour: Option<Money>,
    /// Minutes that may still be added by the offering; `None` when it is no longer on sale.
    pub more_minutes: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_comes_round_once_a_day_on_campus() {
        let at = |text| Timestamp::parse_rfc3339(text).expect("a time");
        let ten: TimeOfDay = "22:00".parse().expect("a time of day");
        assert_eq!(ten.next_after(at("2026-11-22T21:59:59+08:00")), at("2026-11-22T22:00:00+08:00"));
        assert_eq!(ten.next_after(at("2026-11-22T22:00:00+08:00")), at("2026-11-23T22:00:00+08:00"));
        assert_eq!(ten.to_string(), "22:00");
        for bad in ["24:00", "22:60", "2:00", "22", "", "+1:00", "２２:００"] {
            assert!(bad.parse::<TimeOfDay>().is_err(), "{bad}");
        }
    }

    #[test]
    fn autostop_reads_what_was_stored_before_it_had_fields() {
        assert_eq!(serde_json::from_str::<Autostop>("{}").expect("reads"), Autostop::default());
        assert!(Autostop { idle_minutes: Some(5), daily: None }.check().is_err());
    }
}
