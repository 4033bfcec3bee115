//! The last real use of each lab, as this process saw it. It is written with the counters of visits, every 15 seconds.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{access::Resource, ids::LabId, time::Timestamp};
use storage::lab_use::Use;

/// Seconds without use after which open pages of the lab hear that it is used again.
const NEWS_SECONDS: i64 = 300;
/// Seconds after its last use at which a lab is forgotten, once that is written.
const KEPT_SECONDS: i64 = 600;

#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<HashMap<LabId, Noted>>);

#[derive(Debug)]
struct Noted {
    resource: Resource,
    last: Use,
    /// When the use that is written took place.
    written: Option<Timestamp>,
}

/// A use that is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unwritten {
    pub lab: LabId,
    pub resource: Resource,
    pub last: Use,
    /// Whether open pages are to hear of it.
    pub is_news: bool,
}

impl Uses {
    fn noted(&self) -> MutexGuard<'_, HashMap<LabId, Noted>> {
        // A panic under the lock leaves at worst a use too few.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, lab: LabId, resource: Resource, last: Use) {
        let mut noted = self.noted();
        let known = noted.entry(lab).or_insert(Noted { resource, last, written: None });
        if known.last.at <= last.at {
            known.last = last;
        }
    }

    /// `None` if this process saw no use of the lab, or none for some minutes.
    pub(super) fn last(&self, lab: LabId) -> Option<Use> {
        self.noted().get(&lab).map(|noted| noted.last)
    }

    pub(super) fn unwritten(&self) -> Vec<Unwritten> {
        let noted = self.noted();
        let changed = noted.iter().filter(|(_, noted)| noted.written != Some(noted.last.at));
        changed
            .map(|(lab, noted)| Unwritten {
                lab: *lab,
                resource: noted.resource,
                last: noted.last,
                is_news: noted.written.is_none_or(|written| noted.last.at.seconds_since(written) >= NEWS_SECONDS),
            })
            .collect()
    }

    pub(super) fn wrote(&self, uses: &[Unwritten]) {
        let mut noted = self.noted();
        for each in uses {
            if let Some(known) = noted.get_mut(&each.lab) {
                known.written = Some(each.last.at);
            }
        }
    }

    /// Forgets what is written and long ago.
    pub(super) fn tidy(&self, now: Timestamp) {
        self.noted().retain(|_, noted| noted.written != Some(noted.last.at) || now.seconds_since(noted.last.at) < KEPT_SECONDS);
    }
}

#[cfg(test)]
mod tests {
    use domain::{ids::TenantId, visits::UseKind};
    use uuid::Uuid;

    use super::*;

    const LAB: LabId = LabId::from_uuid(Uuid::from_u128(7));
    const AT: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn note(uses: &Uses, seconds: i64) {
        let last = Use { at: AT.plus_seconds(seconds), kind: UseKind::Cell, user: None };
        uses.note(LAB, Resource::tenant(TenantId::from_uuid(Uuid::from_u128(1))), last);
    }

    #[test]
    fn a_use_is_written_once_and_the_next_one_again() {
        let uses = Uses::default();
        note(&uses, 10);
        note(&uses, 5);
        let first = uses.unwritten();
        assert_eq!(first.iter().map(|each| (each.last.at, each.is_news)).collect::<Vec<_>>(), [(AT.plus_seconds(10), true)], "the latest one");
        // Used again while it was written.
        note(&uses, 20);
        uses.wrote(&first);
        let second = uses.unwritten();
        assert_eq!(second.iter().map(|each| (each.last.at, each.is_news)).collect::<Vec<_>>(), [(AT.plus_seconds(20), false)]);
        uses.wrote(&second);
        assert!(uses.unwritten().is_empty());
        uses.tidy(AT.plus_seconds(600));
        assert!(uses.last(LAB).is_some());
        note(&uses, 400);
        assert!(uses.unwritten()[0].is_news, "it had not been used for minutes");
        uses.tidy(AT.plus_seconds(10_000));
        assert!(uses.last(LAB).is_some(), "not written yet");
        uses.wrote(&uses.unwritten());
        uses.tidy(AT.plus_seconds(10_000));
        assert_eq!(uses.last(LAB), None);
    }
}
