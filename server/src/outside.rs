//! The real clock and the real randomness behind the services' ports: the only place that asks the machine for either.

use std::{
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use domain::{
    steady_clock::{ClockJump, SteadyClock},
    time::Timestamp,
};
use rand::RngCore as _;
use services::ports::{Clock, Entropy};
use uuid::Uuid;

/// The machine's clock, unchanged.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is handed")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The machine's clock without its jumps. A server uses this clock, since it bills by it.
#[derive(Debug)]
pub struct GuardedClock {
    began: Instant,
    steady: Mutex<SteadyClock>,
}

impl GuardedClock {
    /// `pending`: the jump ahead that the process before this one had not followed.
    pub fn resuming(pending: Option<ClockJump>) -> Self {
        let steady = pending.map(|jump| SteadyClock::resume(jump, SystemClock.now(), 0)).unwrap_or_default();
        if let Some(ClockJump { seconds, .. }) = steady.jump() {
            tracing::error!(
                clock.seconds = seconds,
                "the machine's clock is still ahead and is not followed: set it right, or it is believed in ten minutes"
            );
        }
        Self { began: Instant::now(), steady: Mutex::new(steady) }
    }
}

impl Clock for GuardedClock {
    fn now(&self) -> Timestamp {
        let mut steady = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX);
        let before = steady.jump();
        let now = steady.read(SystemClock.now(), counter);
        let after = steady.jump();
        drop(steady);
        if let Some(ClockJump { seconds, believed: false, .. }) = after.filter(|_| before != after) {
            tracing::error!(
                clock.seconds = seconds,
                "the machine's clock has jumped and is not followed: set it right, or it is believed in ten minutes"
            );
        }
        now
    }

    fn jump(&self) -> Option<ClockJump> {
        self.steady.lock().unwrap_or_else(PoisonError::into_inner).jump()
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the source that everybody else is handed")]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the source that everybody else is handed")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
