//! In-process cache of the data that every page reads: people's roles, catalogue, price book, policy.
//! An entry lives a few seconds, so that other replicas' changes arrive; a change in this process drops it at once.
//! To cache another thing: a field of [`Cached`] (one value) or [`CachedMap`] (one per key) in [`Cache`], and `forget` after the commit.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
};

use domain::{
    Result,
    access::Actor,
    announcements::Announcement,
    cluster::ClusterStatus,
    courses::Tenant,
    delegations::Delegation,
    ids::{LinkId, OfferingId, ShareId, TenantId, TokenId, UserId},
    labs::start::StartStep,
    time::{MICROS_PER_SECOND, Timestamp},
};

use crate::once::Once;

/// How long an entry is used without asking again.
pub const LIFE_SECONDS: i64 = 5;
/// A map is emptied when it grows beyond this; people who are active at once are far fewer.
const MAP_LIMIT: usize = 10_000;

#[derive(Debug)]
pub struct Cache {
    /// The person with roles, courses and credentials version; `None` for disabled or gone.
    pub actors: CachedMap<UserId, Option<(Actor, i64)>>,
    pub tenants: CachedMap<TenantId, Option<Tenant>>,
    /// Offerings, prices and policies, by their version in the database.
    pub shelf: crate::catalogue::ShelfCache,
    /// The current announcements of every college.
    pub announcements: Cached<Vec<(TenantId, Announcement)>>,
    /// The current delegations of every college.
    pub delegations: Cached<Vec<Delegation>>,
    /// One-time links that are shown once to the person who made them; never in the database.
    pub links: Once<LinkId, crate::people::links::OneTimeLink>,
    /// Secrets of tokens, likewise.
    pub tokens: Once<TokenId, String>,
    /// Links to labs, likewise.
    pub shares: Once<ShareId, crate::shares::NewLink>,
    /// The status of the cluster.
    pub cluster: Cached<ClusterStatus>,
    /// The steps of the last starts of an offering's labs.
    pub starts: CachedMap<OfferingId, Vec<Vec<(StartStep, u32)>>>,
    /// Labs that are not ready, as their sites show them.
    pub waiting: CachedMap<crate::visits::Look, crate::visits::Waiting>,
    /// The owners of labs by cookies of passes whose link has ended, each with the label of the site.
    pub ended_links: CachedMap<(String, String), Option<String>>,
    /// Readings of the audit record within ten minutes, by reader and filter.
    pub readings: CachedMap<(UserId, String), ()>,
    /// Requests whose refusal has been recorded.
    pub recorded: crate::audit::refusals::Recorded,
    /// Refusals that are counted, and their records that wait to be written.
    pub refusals: crate::audit::refusals::RefusalCounts,
    /// New sessions of people who are not signed in.
    pub visits: crate::accounts::visits::Visits,
    /// Whether there is an account; never unset, since accounts are not deleted.
    pub set_up: AtomicBool,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            actors: CachedMap::default(),
            tenants: CachedMap::default(),
            shelf: crate::catalogue::ShelfCache::default(),
            announcements: Cached::default(),
            delegations: Cached::default(),
            links: Once::default(),
            tokens: Once::default(),
            shares: Once::default(),
            cluster: Cached::default(),
            starts: CachedMap::living(60),
            waiting: CachedMap::living(30),
            ended_links: CachedMap::living(60),
            readings: CachedMap::living(600),
            recorded: crate::audit::refusals::Recorded::default(),
            refusals: crate::audit::refusals::RefusalCounts::default(),
            visits: crate::accounts::visits::Visits::default(),
            set_up: AtomicBool::new(false),
        }
    }
}

/// One value for each key.
#[derive(Debug)]
pub struct CachedMap<K, T>(Mutex<Entries<K, T>>);

#[derive(Debug)]
struct Entries<K, T> {
    map: HashMap<K, (Arc<T>, Timestamp)>,
    /// Counts what was forgotten: a value whose loading began before that is not kept.
    generation: u64,
    life_seconds: i64,
}

impl<K, T> Default for CachedMap<K, T> {
    fn default() -> Self {
        Self::living(LIFE_SECONDS)
    }
}

impl<K, T> CachedMap<K, T> {
    /// With another life than [`LIFE_SECONDS`].
    pub fn living(life_seconds: i64) -> Self {
        Self(Mutex::new(Entries { map: HashMap::new(), generation: 0, life_seconds }))
    }
}

impl<K: Eq + Hash, T> CachedMap<K, T> {
    /// The value for `key`, from memory while it is fresh at `now`, by `load` otherwise. Errors are not kept.
    pub async fn get_or_load(&self, key: K, now: Timestamp, load: impl Future<Output = Result<T>>) -> Result<Arc<T>> {
        let generation = {
            let entries = self.entries();
            if let Some((value, at)) = entries.map.get(&key)
                && (0..entries.life_seconds * MICROS_PER_SECOND).contains(&(now.micros() - at.micros()))
            {
                return Ok(Arc::clone(value));
            }
            entries.generation
        };
        let value = Arc::new(load.await?);
        let mut entries = self.entries();
        if entries.generation == generation {
            if entries.map.len() >= MAP_LIMIT {
                entries.map.clear();
            }
            entries.map.insert(key, (Arc::clone(&value), now));
        }
        Ok(value)
    }

    /// The value in memory, however old.
    pub fn peek(&self, key: &K) -> Option<Arc<T>> {
        self.entries().map.get(key).map(|(value, _)| Arc::clone(value))
    }

    /// Drops one entry; call it after the commit of a change.
    pub fn forget(&self, key: &K) {
        let mut entries = self.entries();
        entries.generation += 1;
        entries.map.remove(key);
    }

    /// Drops everything.
    pub fn forget_all(&self) {
        let mut entries = self.entries();
        entries.generation += 1;
        entries.map.clear();
    }

    fn entries(&self) -> MutexGuard<'_, Entries<K, T>> {
        // A panic between two statements here leaves at worst an entry too few.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A single value.
#[derive(Debug)]
pub struct Cached<T>(CachedMap<(), T>);

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(CachedMap::default())
    }
}

impl<T> Cached<T> {
    pub async fn get_or_load(&self, now: Timestamp, load: impl Future<Output = Result<T>>) -> Result<Arc<T>> {
        self.0.get_or_load((), now, load).await
    }
    pub fn peek(&self) -> Option<Arc<T>> {
        self.0.peek(&())
    }
    pub fn forget(&self) {
        self.0.forget_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_value_is_kept_for_its_life_and_no_longer() {
        let cached = Cached::default();
        let start = Timestamp::from_seconds(1_000);
        assert_eq!(*cached.get_or_load(start, async { Ok(1) }).await.expect("loads"), 1);
        assert_eq!(*cached.get_or_load(start.plus_seconds(LIFE_SECONDS - 1), async { Ok(2) }).await.expect("cached"), 1);
        assert_eq!(*cached.get_or_load(start.plus_seconds(LIFE_SECONDS), async { Ok(3) }).await.expect("loads again"), 3);
        cached.forget();
        assert_eq!(*cached.get_or_load(start.plus_seconds(LIFE_SECONDS), async { Ok(4) }).await.expect("loads again"), 4);
    }

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_kept_after_it() {
        let cached = Cached::default();
        let now = Timestamp::from_seconds(1_000);
        let old = cached.get_or_load(now, async {
            // The change is committed while the old value is on its way.
            cached.forget();
            Ok("old")
        });
        assert_eq!(*old.await.expect("loads"), "old");
        assert_eq!(*cached.get_or_load(now, async { Ok("new") }).await.expect("loads again"), "new");
    }
}
