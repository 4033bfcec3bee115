//! Time and randomness that repeat: the clock stands still until a test turns it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{
    steady_clock::ClockJump,
    time::{MICROS_PER_SECOND, Timestamp},
};
use futures::future::BoxFuture;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::ports::{Clock, Entropy};

/// Stands at 2026-11-21T10:00:00+08:00 in the beginning, a Saturday.
#[derive(Debug)]
pub struct HandClock(AtomicI64, Mutex<Option<ClockJump>>, Mutex<Vec<Duration>>);

impl Default for HandClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_795_226_400 * MICROS_PER_SECOND), Mutex::default(), Mutex::default())
    }
}

impl HandClock {
    /// Turns it forward by whole seconds.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * MICROS_PER_SECOND, Ordering::SeqCst);
    }
    /// Makes the clock jump ahead; the jump is followed.
    pub fn jump(&self, seconds: i64) {
        let jump = ClockJump { at: self.now(), seconds, believed: true };
        self.advance(seconds);
        *self.1.lock().unwrap_or_else(PoisonError::into_inner) = Some(jump);
    }
    /// Makes the machine's clock jump ahead; the jump is not followed.
    pub fn jump_unbelieved(&self, seconds: i64) {
        let jump = ClockJump { at: self.now(), seconds, believed: false };
        *self.1.lock().unwrap_or_else(PoisonError::into_inner) = Some(jump);
    }
    /// The machine's clock is right again.
    pub fn end_jump(&self) {
        *self.1.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.micros(), Ordering::SeqCst);
    }
    /// The pauses that were asked for until now, which nobody waited for.
    pub fn slept(&self) -> Vec<Duration> {
        self.2.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
    fn jump(&self) -> Option<ClockJump> {
        *self.1.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        self.2.lock().unwrap_or_else(PoisonError::into_inner).push(time);
        Box::pin(std::future::ready(()))
    }
}

/// UUIDs of version 7 that count up within the clock's millisecond, and bytes from a counted hash: never twice the same, always the same again.
#[derive(Debug)]
pub struct HandEntropy {
    clock: Arc<HandClock>,
    counter: AtomicU64,
}

impl HandEntropy {
    pub const fn new(clock: Arc<HandClock>) -> Self {
        Self { clock, counter: AtomicU64::new(1) }
    }
}

impl Entropy for HandEntropy {
    fn uuid(&self) -> Uuid {
        let count = u128::from(self.counter.fetch_add(1, Ordering::SeqCst));
        let millis = u128::from(self.clock.now().micros().unsigned_abs() / 1_000);
        Uuid::from_u128(millis << 80 | 0x7 << 76 | 0b10 << 62 | count)
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.counter.fetch_add(1, Ordering::SeqCst);
            let digest = Sha256::digest(count.to_be_bytes());
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let clock = Arc::new(HandClock::default());
        let entropy = HandEntropy::new(Arc::clone(&clock));
        let first = entropy.uuid();
        let second = entropy.uuid();
        clock.advance(1);
        let third = entropy.uuid();
        assert!(first.to_string() < second.to_string() && second.to_string() < third.to_string());
        assert_eq!(first.get_version_num(), 7);
        assert_eq!(clock.now().on_campus().time(), "10:00");
    }
}
