//! Chance that repeats: everything random in a test comes from one number, which is printed.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use server::outside::SystemClock;
use services::ports::Clock as _;

pub struct Chance(StdRng);

/// The seed of this test: `LECTERN_SEED`, or another one each time.
pub fn seed(test: &str) -> u64 {
    let given = std::env::var("LECTERN_SEED").ok().map(|text| text.parse().expect("LECTERN_SEED is a number"));
    let seed = given.unwrap_or_else(|| SystemClock.now().micros().unsigned_abs());
    eprintln!("{test}: LECTERN_SEED={seed}");
    seed
}

impl Chance {
    /// `stream`: whose chance it is, so that tasks at the same time do not take from each other.
    pub fn of(seed: u64, stream: u64) -> Self {
        Self(StdRng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(stream)))
    }
    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end)
    }
    /// So many times in a hundred.
    pub fn percent(&mut self, often: u64) -> bool {
        self.below(100) < often
    }
    pub fn one_of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        let at = self.below(all.len() as u64);
        &all[usize::try_from(at).expect("an index")]
    }
}
