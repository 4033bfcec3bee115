//! Labs that nobody uses: when they are warned of, stopped and flagged (B4, E7). What counts as use is in [`crate::visits::real_use`].

use serde::{Deserialize, Serialize};

use super::{Lab, LabState};
use crate::{people::PersonRef, time::Timestamp, visits::UseKind};

/// Minutes for which the cards of a running lab may be unused before the lab is flagged (E7).
pub const FLAG_MINUTES: i64 = 30;
/// Cause of the stop of an unused lab, in its life and its record: `lab.idle`.
pub const CAUSE: &str = "idle";
/// Minutes between the warning and the stop, where the lab's setting is long enough.
const LEAD_MINUTES: u32 = 10;
/// Minutes by which a stop may be late. Later, after an outage of the portal, its owner is warned anew.
const LATE_MINUTES: i64 = 5;
/// The limits of the setting, in minutes.
pub const MINUTES: std::ops::RangeInclusive<u32> = 10..=1_440;

/// The last real use of a lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUse {
    pub at: Timestamp,
    pub kind: UseKind,
    /// `None` for what no person did.
    pub person: Option<PersonRef>,
}

/// Use of a running lab, and its consequences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabUse {
    /// Unused since then: the last use, or when it became ready, if that is later.
    pub since: Timestamp,
    /// `None` if it has not been used since it became ready.
    pub last: Option<LastUse>,
    /// Minutes without use after which it is stopped; `None` if it is not.
    pub minutes: Option<u32>,
    /// When it is stopped if it is not used until then. `None` too if it should have been warned of by now and was not: then it cannot be told
    /// whether it works.
    pub stops_at: Option<Timestamp>,
    /// Its owner was warned of that.
    pub warned: bool,
    /// It has cards, which have not been used for [`FLAG_MINUTES`].
    pub flagged: bool,
}

impl LabUse {
    /// `None` for a lab that does not run. `running_since`: when it became ready; `warned`: the latest stop that was announced;
    /// `college`: the minutes that hold where the owner chose none.
    pub fn of(
        lab: &Lab,
        running_since: Option<Timestamp>,
        last: Option<LastUse>,
        warned: Option<Timestamp>,
        college: Option<u32>,
        now: Timestamp,
    ) -> Option<Self> {
        let began = running_since.filter(|_| lab.state == LabState::Running)?;
        let last = last.filter(|last| last.at >= began);
        let since = last.as_ref().map_or(began, |last| last.at);
        let minutes = lab.lifecycle.autostop.idle_minutes.or(college);
        let due = minutes.map(|minutes| since.plus_minutes(minutes.into()));
        let announced = warned.filter(|about| due.is_some_and(|due| *about >= due));
        Some(Self {
            since,
            last,
            minutes,
            stops_at: announced.or(due.filter(|due| *due > now)),
            warned: announced.is_some(),
            flagged: lab.spec.cards() > 0 && now.seconds_since(since) >= FLAG_MINUTES * 60,
        })
    }
}

/// Next step for an unused lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleStep {
    Wait,
    /// Announce that it is stopped at this instant.
    Warn(Timestamp),
    Stop,
}

/// Minutes before the stop at which the owner is warned.
pub fn lead(minutes: u32) -> u32 {
    LEAD_MINUTES.min(minutes / 2)
}

/// `since`: unused since then; `minutes`: the setting that holds; `warned`: the latest stop that was announced. A lab is stopped only at a
/// time that was announced after its last use, and never earlier than [`lead`] after the announcement.
pub fn step(since: Timestamp, minutes: u32, warned: Option<Timestamp>, now: Timestamp) -> IdleStep {
    let due = since.plus_minutes(minutes.into());
    let lead = i64::from(lead(minutes));
    match warned.filter(|about| *about >= due) {
        Some(about) if now.seconds_since(about) > LATE_MINUTES * 60 => IdleStep::Warn(now.plus_minutes(lead)),
        Some(about) if about <= now => IdleStep::Stop,
        Some(_) => IdleStep::Wait,
        None if now >= due.plus_minutes(-lead) => IdleStep::Warn(due.max(now.plus_minutes(lead))),
        None => IdleStep::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::{Autostop, tests::lab};

    const BEGAN: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn at(minutes: i64) -> Timestamp {
        BEGAN.plus_minutes(minutes)
    }

    #[test]
    fn a_lab_is_warned_of_ten_minutes_before_it_is_stopped() {
        assert_eq!(step(BEGAN, 30, None, at(19)), IdleStep::Wait);
        assert_eq!(step(BEGAN, 30, None, at(20)), IdleStep::Warn(at(30)));
        assert_eq!(step(BEGAN, 30, Some(at(30)), at(29)), IdleStep::Wait);
        assert_eq!(step(BEGAN, 30, Some(at(30)), at(30)), IdleStep::Stop);
        assert_eq!((lead(10), lead(15), lead(20), lead(1_440)), (5, 7, 10, 10));
    }

    #[test]
    fn a_use_after_the_warning_makes_another_warning_necessary() {
        let used = at(25);
        assert_eq!(step(used, 30, Some(at(30)), at(30)), IdleStep::Wait);
        assert_eq!(step(used, 30, Some(at(30)), at(45)), IdleStep::Warn(at(55)));
        assert_eq!(step(used, 30, Some(at(55)), at(55)), IdleStep::Stop);
    }

    #[test]
    fn nobody_is_stopped_without_time_after_the_warning() {
        // The setting came when the lab had been unused for hours, or the portal was down.
        assert_eq!(step(BEGAN, 30, None, at(300)), IdleStep::Warn(at(310)));
        assert_eq!(step(BEGAN, 30, Some(at(310)), at(310)), IdleStep::Stop);
        assert_eq!(step(BEGAN, 30, Some(at(30)), at(36)), IdleStep::Warn(at(46)), "too late to hold what was announced");
    }

    #[test]
    fn a_lab_is_used_since_it_became_ready_or_since_its_last_use() {
        let mut lab = lab();
        let last = |minutes| Some(LastUse { at: at(minutes), kind: UseKind::Cell, person: None });
        assert_eq!(LabUse::of(&lab, Some(BEGAN), None, None, Some(60), at(1)), None, "it does not run");
        lab.state = LabState::Running;
        let fresh = LabUse::of(&lab, Some(BEGAN), last(-5), None, Some(60), at(29)).expect("it runs");
        assert_eq!((fresh.since, fresh.last, fresh.stops_at, fresh.flagged), (BEGAN, None, Some(at(60)), false), "used before it was restarted");
        let used = LabUse::of(&lab, Some(BEGAN), last(5), Some(at(40)), None, at(35)).expect("it runs");
        assert_eq!((used.since, used.stops_at, used.warned, used.flagged), (at(5), None, false, true));
        lab.lifecycle.autostop = Autostop { idle_minutes: Some(30), daily: None };
        let own = LabUse::of(&lab, Some(BEGAN), last(5), Some(at(40)), Some(60), at(35)).expect("it runs");
        assert_eq!((own.minutes, own.stops_at, own.warned), (Some(30), Some(at(40)), true), "the owner's choice goes over the college's");
        let unknown = LabUse::of(&lab, Some(BEGAN), None, None, None, at(31)).expect("it runs");
        assert_eq!((unknown.minutes, unknown.stops_at), (Some(30), None), "nobody was warned");
        lab.spec.cards_per_node = 0;
        assert!(!LabUse::of(&lab, Some(BEGAN), None, None, None, at(90)).expect("it runs").flagged, "it has no cards");
    }
}
