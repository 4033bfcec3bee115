//! All shells of this process. Their places are taken before they begin, so that a person who asks for many at once gets no more than one
//! who asks for them in turn.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::ids::{LabId, UserId};
use tokio::sync::mpsc;

use super::shell::Attach;
use crate::Services;

pub(super) const OF_PERSON: usize = 8;
pub(super) const OF_LAB: usize = 32;

#[derive(Debug, Default)]
pub struct Shells(Mutex<Vec<One>>);

/// Whose shell it is: it is given back to the same person in the same session only.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub lab: LabId,
    pub person: UserId,
    /// Stored id of the portal's session.
    pub session: String,
    pub token_hash: String,
}

struct One {
    key: Key,
    links: mpsc::Sender<Attach>,
}

impl std::fmt::Debug for One {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("One").field("lab", &self.key.lab).field("person", &self.key.person).finish_non_exhaustive()
    }
}

/// Which bound is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    OfPerson,
    OfLab,
}

/// A shell's place, until this is dropped.
pub(super) struct Place {
    services: Services,
    token_hash: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.services.shells.all().retain(|one| one.key.token_hash != self.token_hash);
    }
}

impl Shells {
    fn all(&self) -> MutexGuard<'_, Vec<One>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all().len()
    }

    /// A place for a shell that is reached by `links`.
    pub(super) fn reserve(&self, services: &Services, key: Key, links: mpsc::Sender<Attach>) -> Result<Place, Full> {
        let mut all = self.all();
        if all.iter().filter(|one| one.key.person == key.person).count() >= OF_PERSON {
            return Err(Full::OfPerson);
        }
        if all.iter().filter(|one| one.key.lab == key.lab).count() >= OF_LAB {
            return Err(Full::OfLab);
        }
        let token_hash = key.token_hash.clone();
        all.push(One { key, links });
        drop(all);
        Ok(Place { services: services.clone(), token_hash })
    }

    /// Connects a browser to the shell with this key; gives the browser back if there is none any more.
    pub(super) async fn attach(&self, key: &Key, browser: Attach) -> Result<(), Attach> {
        let links = self.all().iter().find(|one| one.key == *key).map(|one| one.links.clone());
        match links {
            Some(links) => links.send(browser).await.map_err(|lost| lost.0),
            None => Err(browser),
        }
    }
}
