//! A clock that does not follow the machine's when that jumps: two hours that never were must not be billed, end labs or expire orders.
//!
//! The wall clock is held against a counter that only goes forward. Small differences are followed, as time services make them. A jump
//! is not: the time goes on as before, and operators are told. When the wall clock keeps to its new time for [`HOLD_SECONDS`] it is
//! believed, since a machine that was suspended or whose clock was set right jumps too.

use serde::{Deserialize, Serialize};

use crate::time::{MICROS_PER_SECOND, Timestamp};

/// Seconds by which the wall clock may differ without being taken to have jumped.
pub const TOLERANCE_SECONDS: i64 = 30;
/// Seconds for which a jump is not believed.
pub const HOLD_SECONDS: i64 = 600;

/// The wall clock did not go on as time did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockJump {
    /// When it was noticed, as time went on before it.
    pub at: Timestamp,
    /// How far: below zero when it was set back.
    pub seconds: i64,
    /// Whether the new time is believed by now.
    pub believed: bool,
}

impl ClockJump {
    /// The stretch that never was, once a jump ahead is believed: no usage falls into it.
    pub fn skipped(&self) -> Option<(Timestamp, Timestamp)> {
        (self.believed && self.seconds > 0).then(|| (self.at, self.at.plus_seconds(self.seconds)))
    }
}

/// Reads two clocks as one.
#[derive(Debug, Clone, Default)]
pub struct SteadyClock {
    /// Wall clock and counter when they last agreed, in microseconds.
    agreed: Option<(i64, i64)>,
    jump: Option<Jumped>,
}

#[derive(Debug, Clone, Copy)]
struct Jumped {
    told: ClockJump,
    /// The counter when it was noticed.
    since: i64,
}

impl SteadyClock {
    /// The time. `wall`: what the machine calls it; `counter`: microseconds of a clock that only goes forward.
    pub fn read(&mut self, wall: Timestamp, counter: i64) -> Timestamp {
        let Some((agreed, at)) = self.agreed else {
            self.agreed = Some((wall.micros(), counter));
            return wall;
        };
        let steady = Timestamp::from_micros(agreed.saturating_add(counter.saturating_sub(at)));
        let difference = wall.micros().saturating_sub(steady.micros());
        if difference.saturating_abs() <= TOLERANCE_SECONDS * MICROS_PER_SECOND {
            // It never jumped, or came back: then nothing has happened.
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
        // What is skipped is the end of the time that was held, not its beginning.
        self.jump = Some(Jumped { told: ClockJump { at: steady, seconds, believed: true }, ..jump });
        self.agreed = Some((wall.micros(), counter));
        wall
    }

    /// The jump that is not believed yet, or the last one that was.
    pub fn jump(&self) -> Option<ClockJump> {
        self.jump.map(|jump| jump.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_795_000_000);

    /// After so many seconds, with the wall clock so many seconds off.
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
