//! What this process knows of passes, by the hash of their cookie, or by their own id for those of tokens. A restart forgets it: the rows are in
//! the database.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use domain::{
    ids::{LabId, TokenId, UserId},
    time::Timestamp,
};

use super::{entry::Entry, uses::Uses};

/// Labels and unknown cookies that are remembered; they are forgotten together when there are more.
const MOST: usize = 10_000;

#[derive(Default)]
pub struct Live {
    entries: Mutex<HashMap<String, Arc<Entry>>>,
    /// Hashes of cookies without a pass that could come back: a cookie is made by chance, so nobody can name one before it is made.
    unknown: Mutex<HashSet<String>>,
    labs: Mutex<HashMap<String, Named>>,
    database_away: AtomicBool,
    times: Mutex<Times>,
    pub(super) uses: Arc<Uses>,
}

/// The lab with a label, if there is one. As a label cannot be guessed before its lab is there, neither changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named(pub Option<LabId>);

/// When parts of the work of `keep` were done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Times {
    pub counters: Option<Timestamp>,
    pub sweep: Option<Timestamp>,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("entries", &self.entries().len()).finish_non_exhaustive()
    }
}

/// A panic under one of the locks leaves at worst an entry too few.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    fn entries(&self) -> MutexGuard<'_, HashMap<String, Arc<Entry>>> {
        locked(&self.entries)
    }

    pub(super) fn get(&self, cookie_hash: &str) -> Option<Arc<Entry>> {
        self.entries().get(cookie_hash).cloned()
    }

    pub(super) fn of_token(&self, token: TokenId, lab: LabId, address: Option<&str>) -> Option<Arc<Entry>> {
        self.entries().values().find(|entry| entry.is_by(token, lab, address)).cloned()
    }

    /// The entry; the one that is there if another request was quicker.
    pub(super) fn insert(&self, cookie_hash: &str, entry: Entry) -> Arc<Entry> {
        Arc::clone(self.entries().entry(cookie_hash.to_owned()).or_insert_with(|| Arc::new(entry)))
    }

    pub(super) fn all(&self) -> Vec<Arc<Entry>> {
        self.entries().values().cloned().collect()
    }

    /// Forgets the passes that are over, and those that nobody holds and nobody used for long.
    pub(super) fn tidy(&self, now: Timestamp) {
        let mut over = Vec::new();
        self.entries().retain(|cookie_hash, entry| {
            if entry.is_written_off() && entry.visiting().now().is_none() {
                over.push(cookie_hash.clone());
                return false;
            }
            Arc::strong_count(entry) > 1 || !entry.is_disused(now)
        });
        for cookie_hash in over {
            self.note_unknown(&cookie_hash);
        }
    }

    /// Whether a change of this person's access, of anybody's, or of this lab concerns a pass.
    pub(super) fn has_person(&self, user: Option<UserId>) -> bool {
        self.entries().values().any(|entry| user.is_none_or(|user| entry.person == user))
    }
    pub(super) fn has_lab(&self, lab: LabId) -> bool {
        self.entries().values().any(|entry| entry.lab == lab)
    }

    /// Whether a visit to this lab has begun that is not written yet.
    pub(super) fn has_new_visit(&self, lab: LabId) -> bool {
        self.entries().values().any(|entry| entry.lab == lab && entry.visiting().is_new())
    }

    pub(super) fn is_unknown(&self, cookie_hash: &str) -> bool {
        locked(&self.unknown).contains(cookie_hash)
    }
    pub(super) fn note_unknown(&self, cookie_hash: &str) {
        let mut unknown = locked(&self.unknown);
        if unknown.len() >= MOST {
            unknown.clear();
        }
        unknown.insert(cookie_hash.to_owned());
    }

    /// The lab with this label, if it is known whether there is one.
    pub(super) fn lab_of(&self, label: &str) -> Option<Named> {
        locked(&self.labs).get(label).copied()
    }
    pub(super) fn note_lab(&self, label: &str, lab: Named) {
        let mut labs = locked(&self.labs);
        if labs.len() >= MOST {
            labs.clear();
        }
        labs.insert(label.to_owned(), lab);
    }

    /// Whether the last look at all passes found the database away.
    pub(super) fn is_database_away(&self) -> bool {
        self.database_away.load(Ordering::Relaxed)
    }
    pub(super) fn set_database_away(&self, away: bool) {
        self.database_away.store(away, Ordering::Relaxed);
    }

    pub(super) fn times(&self) -> Times {
        *locked(&self.times)
    }
    pub(super) fn set_times(&self, times: Times) {
        *locked(&self.times) = times;
    }
}
