//! When a change of a lab took place. That may be long before the portal noticed it: after an outage the portal learns what happened in the
//! cluster meanwhile. Usage is counted by these instants (E2), so an outage is not charged.

use super::{Lab, LabEvent, LabState, Observation};
use crate::time::Timestamp;

/// Delay in seconds that is normal for the portal; a longer one is reported.
pub const USUAL_SECONDS: i64 = 60;

/// The instant of a change, with the details that are worth reporting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub at: Timestamp,
    /// When the portal noticed the change, if that was more than [`USUAL_SECONDS`] later.
    pub noticed_at: Option<Timestamp>,
    /// Until when pods existed although the lab's time was over at `at`.
    pub ran_until: Option<Timestamp>,
}

impl From<Timestamp> for Moment {
    /// A change that is noticed when it takes place.
    fn from(at: Timestamp) -> Self {
        Self { at, noticed_at: None, ran_until: None }
    }
}

impl Moment {
    /// The same change, but not before `earliest`, the instant of the previous change: the clocks of the cluster and of the portal may
    /// differ.
    #[must_use]
    pub fn not_before(self, earliest: Timestamp) -> Self {
        Self { at: self.at.max(earliest), ..self }
    }
}

impl Lab {
    /// When `event` took place, given that it was noticed at `now`. `seen`: what the cluster reports, if it was asked.
    ///
    /// A lab runs from the time its pods became ready. It stops at the end of its time, or when its pods ended if that was earlier.
    pub fn moment(&self, event: LabEvent, seen: Option<&Observation>, now: Timestamp) -> Moment {
        let at = match event {
            LabEvent::Ready => seen.and_then(|seen| seen.ready_since),
            _ if self.state == LabState::Running => self.stops_at().into_iter().chain(seen.and_then(|seen| seen.ended_at)).min(),
            _ => None,
        };
        let at = at.map_or(now, |at| at.min(now));
        Moment {
            at,
            noticed_at: (now.seconds_since(at) > USUAL_SECONDS).then_some(now),
            ran_until: seen.filter(|_| self.state == LabState::Running).and_then(|seen| self.ran_until(seen, now)),
        }
    }

    /// Until when its pods ran beyond the end of its time; `None` if they did not, or if it is not known.
    fn ran_until(&self, seen: &Observation, now: Timestamp) -> Option<Timestamp> {
        let until = seen.ended_at.or_else(|| (seen.pods > 0).then_some(now))?.min(now);
        self.stops_at().filter(|end| until.seconds_since(*end) > USUAL_SECONDS).map(|_| until)
    }

    /// Until when the volume of a lab that is down or destroyed is charged; `None` while the lab is up.
    ///
    /// Files outlive the lesson (B11), so the volume of a lesson's lab is kept like that of any other lab. But it cannot be used any more,
    /// and only the lesson was ordered, so the volume is not charged until the owner keeps or extends the lab. After an outage of the
    /// portal the owner gets more time than promised, also without charge.
    pub fn kept_to(&self) -> Option<Timestamp> {
        self.lifecycle.grace_from.into_iter().chain(self.lifecycle.kept_until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::ObservedPhase;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    /// Ends at half past nine; the portal is down from nine o'clock for eight days.
    fn lab() -> Lab {
        Lab { state: LabState::Running, ends_at: Some(at("2026-11-01T09:30:00Z")), ..super::super::tests::lab() }
    }

    const BACK: &str = "2026-11-09T09:00:00Z";

    fn seen(pods: u32, ended: Option<&str>) -> Observation {
        Observation { pods, phase: ObservedPhase::Progressing, ended_at: ended.map(at), ..Observation::default() }
    }

    #[test]
    fn it_stops_at_the_end_of_its_time_or_when_its_pods_ended_whichever_is_first() {
        let end = |pods, ended| {
            let moment = lab().moment(LabEvent::Stop, Some(&seen(pods, ended)), at(BACK));
            assert_eq!(moment.noticed_at, Some(at(BACK)));
            (moment.at, moment.ran_until)
        };
        assert_eq!(end(0, None), (at("2026-11-01T09:30:00Z"), None), "the cluster ended it in time");
        assert_eq!(end(1, None), (at("2026-11-01T09:30:00Z"), Some(at(BACK))), "its pods are still there");
        assert_eq!(end(1, Some("2026-11-01T09:10:00Z")), (at("2026-11-01T09:10:00Z"), None), "its pods ended before their time");
        assert_eq!(end(1, Some("2026-11-02T09:10:00Z")), (at("2026-11-01T09:30:00Z"), Some(at("2026-11-02T09:10:00Z"))));
    }

    #[test]
    fn every_event_that_ends_the_running_is_bounded_by_the_daily_stop_too() {
        let mut lab = lab();
        lab.lifecycle.daily_stop_at = Some(at("2026-11-01T09:20:00Z"));
        for event in LabEvent::ALL.into_iter().filter(|event| LabState::Running.allows(*event)) {
            assert_eq!(lab.moment(event, None, at(BACK)).at, at("2026-11-01T09:20:00Z"), "{event:?}");
            let early = at("2026-11-01T09:05:00Z");
            assert_eq!(lab.moment(event, None, early), early.into(), "{event:?} noticed as it takes place");
        }
    }

    #[test]
    fn it_runs_from_when_its_pods_were_ready() {
        let lab = Lab { state: LabState::Starting, ends_at: None, ..lab() };
        let seen = Observation { ready_since: Some(at("2026-11-01T09:01:00Z")), ..seen(1, None) };
        assert_eq!(lab.moment(LabEvent::Ready, Some(&seen), at(BACK)).at, at("2026-11-01T09:01:00Z"));
        let ahead = Observation { ready_since: Some(at("2026-12-01T00:00:00Z")), ..seen };
        assert_eq!(lab.moment(LabEvent::Ready, Some(&ahead), at(BACK)), at(BACK).into(), "never in the future");
        assert_eq!(Moment::from(at("2026-11-01T09:00:00Z")).not_before(at(BACK)).at, at(BACK));
    }

    #[test]
    fn a_volume_is_charged_until_its_time_to_be_kept_is_over() {
        let mut lab = Lab { state: LabState::Stopped, ..lab() };
        assert_eq!(lab.kept_to(), None);
        lab.lifecycle.kept_until = Some(at("2026-11-10T09:00:00Z"));
        assert_eq!(lab.kept_to(), lab.lifecycle.kept_until);
        lab.lifecycle.grace_from = Some(at("2026-11-03T09:00:00Z"));
        assert_eq!(lab.kept_to(), lab.lifecycle.grace_from, "grace is free");
        assert_eq!(lab.moment(LabEvent::Destroy, None, at(BACK)), at(BACK).into());
    }
}
