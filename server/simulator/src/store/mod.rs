//! The objects, one counter of resource versions, and the recent changes for watchers. Everything that writes holds `Txn`.

mod index;
pub mod journal;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::sync::watch;

use self::{index::Index, journal::Journal};
use crate::{registry::Resource, value};

/// Changes kept for watchers; whoever asks for older ones must list again.
const HISTORY: usize = 20_000;
/// Skipped at every start, so that no version a client may have seen is used again.
const GAP_AT_START: u64 = 1000;

/// An object; shared, so that a list or a watcher costs no copy.
pub type Object = Arc<Value>;

/// What names an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub resource: Resource,
    pub namespace: String,
    pub name: String,
}

impl Key {
    pub fn new(resource: Resource, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { resource, namespace: namespace.into(), name: name.into() }
    }

    pub fn of(resource: Resource, object: &Value) -> Self {
        Self::new(resource, value::namespace(object), value::name(object))
    }
}

/// One change.
#[derive(Debug, Clone)]
pub struct Change {
    pub version: u64,
    pub key: Key,
    /// Before; `None` for a new object.
    pub old: Option<Object>,
    /// After; `None` for a removed object.
    pub new: Option<Object>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    version: u64,
    objects: BTreeMap<Resource, BTreeMap<(String, String), Object>>,
    history: VecDeque<Arc<Change>>,
    /// Changes up to here are forgotten.
    forgotten: u64,
    index: Index,
}

/// The shared store.
#[derive(Debug)]
pub struct Store {
    state: Mutex<State>,
    latest: watch::Sender<u64>,
    journal: Option<Journal>,
}

impl Store {
    /// Opens the store; what the folder holds is there again.
    pub async fn open(folder: Option<&std::path::Path>) -> anyhow::Result<Arc<Self>> {
        let mut state = State::default();
        let journal = match folder {
            Some(folder) => {
                let (journal, loaded) = Journal::open(folder, journal::lock(folder).await?)?;
                state.version = loaded.version + GAP_AT_START;
                for (resource, object) in loaded.objects {
                    let object = Arc::new(object);
                    let key = Key::of(resource, &object);
                    state.index.update(&key, None, Some(&object));
                    state.objects.entry(resource).or_default().insert((key.namespace, key.name), object);
                }
                Some(journal)
            }
            None => None,
        };
        state.forgotten = state.version;
        let store = Arc::new(Self { latest: watch::Sender::new(state.version), state: Mutex::new(state), journal });
        if let Some(journal) = &store.journal {
            journal.start(&store)?;
        }
        Ok(store)
    }

    /// Locks the store for one transaction. Never held across an await.
    pub fn write(&self) -> Txn<'_> {
        // A panic in one request must not end the cluster: the state is valid between two statements.
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Txn { before: state.version, state, store: self, changes: Vec::new() }
    }

    /// Announces every new version.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    /// The changes after `version`, and the version they lead to. `Err` with the current version when they are forgotten.
    pub fn changes_after(&self, version: u64) -> Result<(Vec<Arc<Change>>, u64), u64> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if version < state.forgotten {
            return Err(state.version);
        }
        let start = state.history.partition_point(|change| change.version <= version);
        Ok((state.history.range(start..).cloned().collect(), state.version.max(version)))
    }

    /// The objects of a kind as they were at an earlier version, in order; `None` when what happened since is forgotten.
    pub fn list_at(&self, resource: Resource, namespace: &str, version: u64) -> Option<Vec<Object>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if version < state.forgotten || version > state.version {
            return None;
        }
        let mut then = state.objects.get(&resource).cloned().unwrap_or_default();
        let start = state.history.partition_point(|change| change.version <= version);
        for change in state.history.range(start..).rev().filter(|change| change.key.resource == resource) {
            let slot = (change.key.namespace.clone(), change.key.name.clone());
            match &change.old {
                Some(old) => then.insert(slot, Arc::clone(old)),
                None => then.remove(&slot),
            };
        }
        Some(then.into_iter().filter(|((of, _), _)| namespace.is_empty() || of == namespace).map(|(_, object)| object).collect())
    }

    /// Forgets what watchers could resume from, as a server does that was started anew.
    pub fn forget_history(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.history.clear();
        state.forgotten = state.version;
    }

    /// Waits until everything up to `version` has been handed to the operating system, so that a killed process finds it again.
    pub async fn flushed(&self, version: u64) {
        if let Some(journal) = &self.journal {
            journal.written(version).await;
        }
    }

    /// Writes everything out and stops the journal.
    pub async fn close(&self) {
        if let Some(journal) = &self.journal {
            journal.close().await;
        }
    }

    /// Everything at this moment: shared, so cheap.
    pub(crate) fn snapshot(&self) -> (u64, Vec<(Resource, Object)>) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let all = state.objects.iter().flat_map(|(resource, objects)| objects.values().map(|object| (*resource, Arc::clone(object))));
        (state.version, all.collect())
    }
}

/// The locked store.
pub struct Txn<'a> {
    state: MutexGuard<'a, State>,
    store: &'a Store,
    before: u64,
    /// For the journal, which has all of them or none.
    changes: Vec<Arc<Change>>,
}

impl Txn<'_> {
    pub fn version(&self) -> u64 {
        self.state.version
    }

    pub fn get(&self, key: &Key) -> Option<Object> {
        self.state.objects.get(&key.resource)?.get(&(key.namespace.clone(), key.name.clone())).cloned()
    }

    /// The objects of a kind, in one namespace or (with `""`) everywhere, in order of namespace and name.
    pub fn list(&self, resource: Resource, namespace: &str) -> Vec<Object> {
        self.iter(resource, namespace).cloned().collect()
    }

    pub fn iter(&self, resource: Resource, namespace: &str) -> impl Iterator<Item = &Object> {
        self.iter_from(resource, namespace, "")
    }

    /// The same, from a name on.
    pub fn iter_from(&self, resource: Resource, namespace: &str, name: &str) -> impl Iterator<Item = &Object> {
        let start = (namespace.to_owned(), name.to_owned());
        let everywhere = namespace.is_empty();
        let namespace = namespace.to_owned();
        let objects = self.state.objects.get(&resource);
        objects
            .into_iter()
            .flat_map(move |objects| objects.range(start.clone()..))
            .take_while(move |((in_namespace, _), _)| everywhere || *in_namespace == namespace)
            .map(|(_, object)| object)
    }

    /// What refers to this uid as its owner.
    pub fn dependents(&self, uid: &str) -> Vec<Key> {
        self.state.index.dependents(uid)
    }

    /// The object with this uid.
    pub fn by_uid(&self, uid: &str) -> Option<Key> {
        self.state.index.by_uid(uid)
    }

    /// Stores an object under a new version, which it also carries.
    pub fn put(&mut self, resource: Resource, mut object: Value) -> Object {
        self.state.version += 1;
        value::set(&mut object, &["metadata", "resourceVersion"], self.state.version.to_string());
        let object = Arc::new(object);
        let key = Key::of(resource, &object);
        let slot = (key.namespace.clone(), key.name.clone());
        let old = self.state.objects.entry(resource).or_default().insert(slot, Arc::clone(&object));
        self.record(key, old, Some(Arc::clone(&object)));
        object
    }

    /// Removes an object; its last form carries the version of the removal.
    pub fn remove(&mut self, key: &Key) -> Option<Object> {
        let old = self.state.objects.get_mut(&key.resource)?.remove(&(key.namespace.clone(), key.name.clone()))?;
        self.state.version += 1;
        self.record(key.clone(), Some(Arc::clone(&old)), None);
        Some(old)
    }

    fn record(&mut self, key: Key, old: Option<Object>, new: Option<Object>) {
        let state = &mut *self.state;
        state.index.update(&key, old.as_deref(), new.as_deref());
        let change = Arc::new(Change { version: state.version, key, old, new });
        if self.store.journal.is_some() {
            self.changes.push(Arc::clone(&change));
        }
        state.history.push_back(change);
        if state.history.len() > HISTORY
            && let Some(gone) = state.history.pop_front()
        {
            state.forgotten = gone.version;
        }
    }
}

impl Drop for Txn<'_> {
    fn drop(&mut self) {
        // While the lock is held, so that the journal has the transactions in their order.
        if let Some(journal) = &self.store.journal
            && !self.changes.is_empty()
        {
            journal.append(std::mem::take(&mut self.changes));
        }
        if self.state.version != self.before {
            self.store.latest.send_replace(self.state.version);
        }
    }
}
