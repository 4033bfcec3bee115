//! The clock and the randomness of the door that is measured, as costly as the product's: see `server/src/outside.rs`.

use std::{
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use domain::{steady_clock::SteadyClock, time::Timestamp};
use rand::RngCore as _;
use services::ports::{Clock, Entropy};
use uuid::Uuid;

#[derive(Debug)]
pub struct Machine {
    began: Instant,
    steady: Mutex<SteadyClock>,
}

impl Machine {
    pub fn new() -> Self {
        Self { began: Instant::now(), steady: Mutex::default() }
    }
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        let mut steady = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        steady.read(Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)), counter)
    }
}

impl Entropy for Machine {
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
