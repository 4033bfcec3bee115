//! Chance that repeats: the same seed always gives the same: the demo's term, and tests' operations.

/// A small generator (SplitMix64); not for secrets.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let range = (high - low + 1).max(1).unsigned_abs();
        low + i64::try_from(self.next() % range).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, share: i64) -> bool {
        self.between(1, 100) <= share
    }

    /// Below `end`.
    #[cfg(test)]
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.between(0, i64::from(end) - 1)).unwrap_or(0)
    }

    pub(crate) fn of<'t, T>(&mut self, things: &'t [T]) -> &'t T {
        let last = i64::try_from(things.len()).unwrap_or(1) - 1;
        &things[usize::try_from(self.between(0, last)).unwrap_or(0)]
    }
}
