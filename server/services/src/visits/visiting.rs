//! The visit of a pass that lasts, counted in memory. Its row is written again and again with the totals so far, so a write whose answer was
//! lost is repeated without counting twice.

use domain::{ids::VisitId, time::Timestamp};

/// Seconds after its last use at which a visit is over.
pub(super) const UNUSED_SECONDS: i64 = 300;

/// A visit with its totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub id: VisitId,
    pub started_at: Timestamp,
    pub last_used_at: Timestamp,
    pub bytes_in: i64,
    pub bytes_out: i64,
}

/// The visit, if one lasts, and what is written of it.
#[derive(Debug, Default)]
pub(super) struct Visiting {
    now: Option<Counted>,
    /// As it was last written; `None` before the first time.
    written: Option<Counted>,
}

impl Visiting {
    /// Counts bytes; `id` makes the id of a visit that begins by them.
    pub(super) fn count(&mut self, bytes_in: u64, bytes_out: u64, at: Timestamp, id: impl FnOnce() -> VisitId) {
        let now = self.now.get_or_insert_with(|| Counted { id: id(), started_at: at, last_used_at: at, bytes_in: 0, bytes_out: 0 });
        let add = |total: i64, more: u64| total.saturating_add(i64::try_from(more).unwrap_or(i64::MAX));
        (now.bytes_in, now.bytes_out, now.last_used_at) = (add(now.bytes_in, bytes_in), add(now.bytes_out, bytes_out), at);
    }

    pub(super) const fn now(&self) -> Option<Counted> {
        self.now
    }

    /// Whether its row is not there yet.
    pub(super) const fn is_new(&self) -> bool {
        self.now.is_some() && self.written.is_none()
    }

    /// Whether its row says something else.
    pub(super) fn is_unwritten(&self) -> bool {
        self.now != self.written
    }

    /// `written` is in the database.
    pub(super) fn wrote(&mut self, written: Counted) {
        if self.now.is_some_and(|now| now.id == written.id) {
            self.written = Some(written);
        }
    }

    /// The visit has ended in the database with the totals of `ended`, by this process or another. What was counted since begins a visit.
    pub(super) fn ended(&mut self, ended: Counted, id: impl FnOnce() -> VisitId) {
        let Some(now) = self.now.filter(|now| now.id == ended.id) else { return };
        let more = (now.bytes_in.saturating_sub(ended.bytes_in), now.bytes_out.saturating_sub(ended.bytes_out));
        *self = Self::default();
        if more != (0, 0) {
            self.now = Some(Counted { id: id(), started_at: ended.last_used_at, bytes_in: more.0, bytes_out: more.1, ..now });
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> VisitId {
        VisitId::from_uuid(Uuid::from_u128(number))
    }

    const AT: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn bytes_are_in_one_visit_until_it_ends_and_then_in_the_next() {
        let mut visiting = Visiting::default();
        visiting.count(1, 2, AT, || id(1));
        assert!(visiting.is_new());
        let first = visiting.now().expect("a visit");
        visiting.wrote(first);
        assert!(!visiting.is_new() && !visiting.is_unwritten());
        visiting.count(10, 20, AT.plus_seconds(1), || id(2));
        assert!(visiting.is_unwritten());
        let second = visiting.now().expect("the same visit");
        assert_eq!((second.id, second.bytes_in, second.bytes_out), (id(1), 11, 22));
        visiting.count(5, 0, AT.plus_seconds(2), || id(2));
        visiting.ended(second, || id(3));
        let third = visiting.now().expect("the next visit");
        assert_eq!((third.id, third.bytes_in, third.bytes_out, third.started_at), (id(3), 5, 0, AT.plus_seconds(1)));
        visiting.ended(third, || id(4));
        assert_eq!(visiting.now(), None);
    }

    #[test]
    fn what_another_process_ended_keeps_the_bytes_that_are_in_its_row() {
        let mut visiting = Visiting::default();
        visiting.count(1, 2, AT, || id(1));
        visiting.wrote(visiting.now().expect("a visit"));
        visiting.count(10, 20, AT, || id(1));
        let ended = Counted { bytes_in: 1, bytes_out: 2, ..visiting.now().expect("a visit") };
        visiting.ended(ended, || id(2));
        let next = visiting.now().expect("the next visit");
        assert_eq!((next.id, next.bytes_in, next.bytes_out), (id(2), 10, 20));
        assert!(visiting.is_new());
    }
}
