//! A clock that does not follow jumps of the machine's clock: two hours that did not pass must not be billed, end labs or expire orders.
//!
//! The wall clock is compared with a monotonic counter. Small differences are followed, since time services make them. A jump is not
//! followed: the time continues as before, and operators are notified. If the wall clock keeps its new time for [`HOLD_SECONDS`], the clock
//! follows it, because a machine that was suspended or whose clock was corrected jumps too. A process that starts meanwhile continues the time
//! of the one before it.

use serde::{Deserialize, Serialize};

use crate::time::{MICROS_PER_SECOND, Timestamp};

/// Seconds by which the wall clock may differ before it counts as a jump.
pub const TOLERANCE_SECONDS: i64 = 30;
/// Seconds for which a jump is not followed.
pub const HOLD_SECONDS: i64 = 600;

/// The wall clock and the elapsed time differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockJump {
    /// When the jump was noticed, by the time before it.
    pub at: Timestamp,
    /// Size of the jump; negative when the clock was set back.
    pub seconds: i64,
    /// Whether the clock follows the new time by now.
    pub believed: bool,
}

impl ClockJump {
    /// The skipped period, once a jump ahead is followed: no usage falls into it.
    pub fn skipped(&self) -> Option<(Timestamp, Timestamp)> {
        (self.believed && self.seconds > 0).then(|| (self.at, self.at.plus_seconds(self.seconds)))
    }
}

/// Combines a wall clock and a monotonic counter.
#[derive(Debug, Clone, Default)]
pub struct SteadyClock {
    /// Wall clock and counter when they last agreed, in microseconds.
    agreed: Option<(i64, i64)>,
    jump: Option<Jumped>,
}

#[derive(Debug, Clone, Copy)]
struct Jumped {
    told: ClockJump,
    /// Value of the counter when the jump was noticed.
    since: i64,
}

impl SteadyClock {
    /// A clock that continues the time of an earlier process. `jump`: the jump ahead that the process had not followed when it ended. If
    /// the machine's clock was set right since then, the jump is forgotten.
    pub fn resume(jump: ClockJump, wall: Timestamp, counter: i64) -> Self {
        let steady = wall.micros().saturating_sub(jump.seconds.saturating_mul(MICROS_PER_SECOND));
        let earliest = jump.at.micros().saturating_sub(TOLERANCE_SECONDS * MICROS_PER_SECOND);
        if jump.believed || jump.seconds <= TOLERANCE_SECONDS || steady < earliest {
            return Self::default();
        }
        let told = ClockJump { at: Timestamp::from_micros(steady), ..jump };
        Self { agreed: Some((steady, counter)), jump: Some(Jumped { told, since: counter }) }
    }

    /// The time. `wall`: the machine's time; `counter`: microseconds of a monotonic clock.
    pub fn read(&mut self, wall: Timestamp, counter: i64) -> Timestamp {
        let Some((agreed, at)) = self.agreed else {
            self.agreed = Some((wall.micros(), counter));
            return wall;
        };
        let steady = Timestamp::from_micros(agreed.saturating_add(counter.saturating_sub(at)));
        let difference = wall.micros().saturating_sub(steady.micros());
        if difference.saturating_abs() <= TOLERANCE_SECONDS * MICROS_PER_SECOND {
            // No jump, or the clock came back before the jump was followed: nothing to report.
            self.jump = self.jump.filter(|jump| jump.told.believed);
            self.agreed = Some((wall.micros(), counter));
            return wall;
        }
        let seconds = difference / MICROS_PER_SECOND;
        let same = |jump: &Jumped| !jump.told.believed && (jump.told.seconds - seconds).abs() <= TOLERANCE_SECONDS;
        let jump = *match self.jump.filter(same) {
            Some(jump) => self.jump.insert(jump),
            None => self.jump.insert(Jumped { told: ClockJump { at: steady, seconds, believed: false }, since: counter }),
        };
        if counter.saturating_sub(jump.since) < HOLD_SECONDS * MICROS_PER_SECOND {
            return steady;
        }
        // The skipped period is at the end of the hold, when the clock moves, not at its beginning.
        self.jump = Some(Jumped { told: ClockJump { at: steady, seconds, believed: true }, ..jump });
        self.agreed = Some((wall.micros(), counter));
        wall
    }

    /// The jump that is not followed yet, or the last one that was.
    pub fn jump(&self) -> Option<ClockJump> {
        self.jump.map(|jump| jump.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_795_000_000);

    /// Reads the clock `after` seconds from the start, with the wall clock `off` seconds wrong.
    fn read(clock: &mut SteadyClock, after: i64, off: i64) -> i64 {
        clock.read(START.plus_seconds(after + off), after * MICROS_PER_SECOND).seconds_since(START)
    }

    #[test]
    fn a_clock_that_jumps_two_hours_ahead_and_back_is_never_followed() {
        let mut clock = SteadyClock::default();
        assert_eq!(read(&mut clock, 0, 0), 0);
        assert_eq!(read(&mut clock, 60, 0), 60);
        assert_eq!(read(&mut clock, 61, 7_200), 61);
        assert_eq!(clock.jump(), Some(ClockJump { at: START.plus_seconds(61), seconds: 7_200, believed: false }));
        assert_eq!(read(&mut clock, 300, 7_200), 300);
        assert_eq!(read(&mut clock, 301, 0), 301);
        assert_eq!(clock.jump(), None, "nothing has happened");
    }

    #[test]
    fn a_clock_that_stays_at_its_new_time_is_believed_and_the_jump_is_told() {
        let mut clock = SteadyClock::default();
        read(&mut clock, 0, 0);
        assert_eq!(read(&mut clock, 10, 7_200), 10);
        assert_eq!(read(&mut clock, 609, 7_200), 609);
        assert_eq!(read(&mut clock, 610, 7_200), 610 + 7_200);
        let jump = clock.jump().expect("a jump");
        assert_eq!(jump.skipped(), Some((START.plus_seconds(610), START.plus_seconds(610 + 7_200))));
        assert_eq!(read(&mut clock, 620, 7_200), 620 + 7_200);
        assert_eq!(clock.jump(), Some(jump), "it is told until the next one");
        assert_eq!(read(&mut clock, 630, 0), 630 + 7_200, "and back again is another");
        assert_eq!(clock.jump().map(|jump| (jump.seconds, jump.believed)), Some((-7_200, false)));
        assert_eq!(clock.jump().and_then(|jump| jump.skipped()), None);
    }

    #[test]
    fn a_restart_continues_the_time_of_a_jump_that_is_not_believed() {
        let mut before = SteadyClock::default();
        read(&mut before, 0, 0);
        assert_eq!(read(&mut before, 61, 7_200), 61);
        let jump = before.jump().expect("a jump");
        // The new process starts three minutes later, with a counter of its own.
        let mut clock = SteadyClock::resume(jump, START.plus_seconds(240 + 7_200), 0);
        let mut after = |seconds: i64, off: i64| {
            let wall = START.plus_seconds(240 + seconds + off);
            (clock.read(wall, seconds * MICROS_PER_SECOND).seconds_since(START), clock.jump())
        };
        let resumed = ClockJump { at: START.plus_seconds(240), seconds: 7_200, believed: false };
        assert_eq!(after(0, 7_200), (240, Some(resumed)));
        assert_eq!(after(599, 7_200), (839, Some(resumed)), "the hold begins again");
        let (now, believed) = after(600, 7_200);
        assert_eq!(now, 840 + 7_200);
        assert_eq!(believed.and_then(|jump| jump.skipped()), Some((START.plus_seconds(840), START.plus_seconds(840 + 7_200))));
    }

    #[test]
    fn a_restart_forgets_a_jump_that_was_corrected_or_believed() {
        let jump = ClockJump { at: START, seconds: 7_200, believed: false };
        let resumed = |jump: ClockJump, wall: i64| {
            let wall = START.plus_seconds(wall);
            let mut clock = SteadyClock::resume(jump, wall, 0);
            (clock.read(wall, 0).seconds_since(START), clock.jump())
        };
        assert_eq!(resumed(jump, 300), (300, None), "the machine's clock was set right");
        assert_eq!(resumed(ClockJump { believed: true, ..jump }, 8_000), (8_000, None));
        assert_eq!(resumed(ClockJump { seconds: -7_200, ..jump }, 300), (300, None), "time never runs ahead of the machine's");
    }

    #[test]
    fn small_corrections_are_followed_and_nothing_overflows() {
        let mut clock = SteadyClock::default();
        read(&mut clock, 0, 0);
        assert_eq!(read(&mut clock, 10, -5), 5);
        assert_eq!(read(&mut clock, 20, 20), 40);
        assert_eq!(clock.jump(), None);
        clock.read(Timestamp::from_micros(i64::MAX), 30);
        clock.read(Timestamp::from_micros(i64::MIN), i64::MAX);
    }

    #[test]
    fn a_clock_that_wanders_is_not_believed() {
        let mut clock = SteadyClock::default();
        read(&mut clock, 0, 0);
        for step in 1..100 {
            assert_eq!(read(&mut clock, step * 60, step * 3_600), step * 60, "each is another jump");
        }
    }
}
