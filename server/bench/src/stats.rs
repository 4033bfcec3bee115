//! Figures out of many measurements. Times are milliseconds.

use std::time::Duration;

/// Times of one kind of thing, put in order.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<f64>);

impl Times {
    pub fn of(times: impl IntoIterator<Item = f64>) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_by(f64::total_cmp);
        Self(times)
    }
    /// By nearest rank: of 327 times the p99 is the 324th. Not a number when nothing was measured.
    pub fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or(f64::NAN)
    }
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self::of(self.0.into_iter().chain(other.0))
    }
    pub fn median(&self) -> f64 {
        self.percentile(50)
    }
    pub fn max(&self) -> f64 {
        self.percentile(100)
    }
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// The middle one of a few runs' figures.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    Times::of(figures).median()
}

/// A time as people read it: `0.8 ms`, `182 ms`, `3.4 s`.
pub fn time(milliseconds: f64) -> String {
    match milliseconds {
        time if time.is_nan() => "not measured".into(),
        time if time < 10.0 => format!("{time:.1} ms"),
        time if time < 1_000.0 => format!("{time:.0} ms"),
        time => format!("{:.1} s", time / 1_000.0),
    }
}

/// Bytes as people read them: `28 kB`, `145 MB`. Thousands, not 1,024s.
#[expect(clippy::cast_precision_loss, reason = "a figure to read")]
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times = Times::of((1..=327).rev().map(f64::from));
        assert_eq!([0, 50, 99, 100].map(|percent| times.percentile(percent).to_string()), ["1", "164", "324", "327"]);
        assert_eq!((times.median(), times.max(), times.len()), (164.0, 327.0, 327));
        assert!(Times::default().median().is_nan());
    }

    #[test]
    fn figures_are_read_by_people() {
        assert_eq!([0.84, 181.6, 3_440.0].map(time), ["0.8 ms", "182 ms", "3.4 s"]);
        assert_eq!([999, 28_440, 145_000_000].map(bytes), ["999 B", "28.4 kB", "145.0 MB"]);
    }
}
