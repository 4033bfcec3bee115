//! How many requests and sockets one lab and one person may have open at a time, so that a page that floods takes no place of others.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::ids::{LabId, UserId};

#[derive(Debug)]
pub struct Limits {
    per_lab: usize,
    per_person: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    labs: HashMap<LabId, usize>,
    people: HashMap<UserId, usize>,
}

/// The place of one request or socket, taken until this is dropped.
#[derive(Debug)]
pub struct Place {
    limits: Arc<Limits>,
    lab: LabId,
    person: UserId,
}

impl Limits {
    pub fn new(per_lab: usize, per_person: usize) -> Arc<Self> {
        Arc::new(Self { per_lab, per_person, open: Mutex::default() })
    }

    /// `None` while the lab or the person has as many open as they may.
    pub fn take(self: &Arc<Self>, lab: LabId, person: UserId) -> Option<Place> {
        let mut open = self.lock();
        let count = |now: Option<&usize>| now.copied().unwrap_or_default();
        if count(open.labs.get(&lab)) >= self.per_lab || count(open.people.get(&person)) >= self.per_person {
            return None;
        }
        *open.labs.entry(lab).or_default() += 1;
        *open.people.entry(person).or_default() += 1;
        drop(open);
        Some(Place { limits: Arc::clone(self), lab, person })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.limits.lock();
        leave(&mut open.labs, &self.lab);
        leave(&mut open.people, &self.person);
    }
}

fn leave<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const fn lab(number: u128) -> LabId {
        LabId::from_uuid(Uuid::from_u128(number))
    }
    const fn person(number: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn a_lab_and_a_person_have_so_many_places_and_no_more() {
        let limits = Limits::new(2, 3);
        let first = limits.take(lab(1), person(1)).unwrap();
        let _second = limits.take(lab(1), person(2)).unwrap();
        assert!(limits.take(lab(1), person(3)).is_none(), "the lab is full");
        let _others = [limits.take(lab(2), person(1)).unwrap(), limits.take(lab(3), person(1)).unwrap()];
        assert!(limits.take(lab(4), person(1)).is_none(), "the person has enough");
        drop(first);
        assert!(limits.take(lab(4), person(1)).is_some() && limits.take(lab(1), person(3)).is_some());
    }

    #[test]
    fn places_that_are_left_take_no_memory() {
        let limits = Limits::new(2, 2);
        drop((limits.take(lab(1), person(1)), limits.take(lab(1), person(1)), limits.take(lab(1), person(1))));
        let open = limits.lock();
        assert!(open.labs.is_empty() && open.people.is_empty(), "{open:?}");
    }
}
