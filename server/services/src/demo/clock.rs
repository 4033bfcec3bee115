//! The clock of the demonstration term: it stands still until somebody moves it on, and never goes back.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use domain::time::{MICROS_PER_SECOND, Timestamp};
use uuid::Uuid;

use crate::ports::{Clock, Entropy};

#[derive(Debug)]
pub(super) struct TermClock(AtomicI64);

impl TermClock {
    pub(super) const fn new(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.micros()))
    }

    /// Goes on to this instant; stays where it is when that is past.
    pub(super) fn until(&self, at: Timestamp) {
        self.0.fetch_max(at.micros(), Ordering::SeqCst);
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * MICROS_PER_SECOND, Ordering::SeqCst);
    }
}

impl Clock for TermClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Identifiers by the term's clock, so that they sort as if they had been made then; secrets are real ones.
pub(super) struct TermEntropy {
    clock: Arc<TermClock>,
    secrets: Arc<dyn Entropy>,
    count: AtomicU64,
}

impl TermEntropy {
    pub(super) fn new(clock: Arc<TermClock>, secrets: Arc<dyn Entropy>) -> Self {
        Self { clock, secrets, count: AtomicU64::new(1) }
    }
}

impl Entropy for TermEntropy {
    fn uuid(&self) -> Uuid {
        let count = self.count.fetch_add(1, Ordering::SeqCst);
        let millis = u128::from(self.clock.now().micros().unsigned_abs() / 1_000);
        // Counted first, so that of one millisecond the later sorts after the earlier; then mixed, so that no two look alike.
        let tail = (u128::from(count) << 32 | u128::from(count.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32)) & ((1 << 62) - 1);
        Uuid::from_u128(millis << 80 | 0x7 << 76 | 0b10 << 62 | tail)
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.secrets.fill(bytes);
    }
}
