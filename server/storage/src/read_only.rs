//! Connections that SQLite opened for reading only. It does so when the file cannot be written at that moment, and the connection stays so
//! after the file is writable again: every later change on it is refused. `BEGIN IMMEDIATE` does not say so, the first change does.
//!
//! An error knows no database, so refusals are counted for the whole process; each holder of a [`Watch`] acts once on each of them. A
//! database that was not meant only opens its connections anew.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

static REFUSALS: AtomicU64 = AtomicU64::new(0);

/// Records that SQLite refused a change because its connection may only read.
pub(crate) fn record() {
    REFUSALS.fetch_add(1, Ordering::Relaxed);
}

/// Whether SQLite says that it may only read.
pub(crate) fn is_refusal(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().contains("readonly database"))
}

/// The refusals that its holder has acted on.
#[derive(Debug, Clone)]
pub(crate) struct Watch(Arc<AtomicU64>);

impl Watch {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(REFUSALS.load(Ordering::Relaxed))))
    }

    /// Whether a change was refused since the last call.
    pub(crate) fn is_due(&self) -> bool {
        let now = REFUSALS.load(Ordering::Relaxed);
        self.0.swap(now, Ordering::Relaxed) != now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_watch_sees_a_refusal() {
        let (one, other) = (Watch::new(), Watch::new());
        record();
        assert!(one.is_due() && other.is_due());
    }
}
