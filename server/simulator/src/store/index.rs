//! Which object has which uid, and what it owns: for garbage collection without scans.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::Key;
use crate::value;

#[derive(Debug, Default)]
pub(super) struct Index {
    uids: HashMap<String, Key>,
    owned: HashMap<String, BTreeSet<Key>>,
}

impl Index {
    pub fn update(&mut self, key: &Key, old: Option<&Value>, new: Option<&Value>) {
        if let Some(old) = old {
            self.uids.remove(value::uid(old));
            for owner in owners(old) {
                if let Some(owned) = self.owned.get_mut(owner) {
                    owned.remove(key);
                    if owned.is_empty() {
                        self.owned.remove(owner);
                    }
                }
            }
        }
        if let Some(new) = new {
            self.uids.insert(value::uid(new).to_owned(), key.clone());
            for owner in owners(new) {
                self.owned.entry(owner.to_owned()).or_default().insert(key.clone());
            }
        }
    }

    pub fn dependents(&self, uid: &str) -> Vec<Key> {
        self.owned.get(uid).map(|keys| keys.iter().cloned().collect()).unwrap_or_default()
    }

    pub fn by_uid(&self, uid: &str) -> Option<Key> {
        self.uids.get(uid).cloned()
    }
}

fn owners(object: &Value) -> impl Iterator<Item = &str> {
    value::items(object, "/metadata/ownerReferences").iter().map(|reference| value::text(reference, "/uid"))
}
