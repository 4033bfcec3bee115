//! How many requests and sockets one lab and one person may have open at a time, so that a page that floods takes no place of others: neither of
//! other people in its lab, nor of its visitor in other labs.

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
    /// Of one person in one lab.
    pairs: HashMap<(UserId, LabId), usize>,
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

    /// `None` while the lab or the person has as many open as they may, or the person has as many in this lab as leaves enough for other ones: one
    /// lab gets half of what the person's other labs leave.
    pub fn take(self: &Arc<Self>, lab: LabId, person: UserId) -> Option<Place> {
        let mut open = self.lock();
        let count = |now: Option<&usize>| now.copied().unwrap_or_default();
        let (of_person, in_lab) = (count(open.people.get(&person)), count(open.pairs.get(&(person, lab))));
        let left_by_others = self.per_person.saturating_sub(of_person - in_lab);
        if count(open.labs.get(&lab)) >= self.per_lab || of_person >= self.per_person || in_lab >= left_by_others.div_ceil(2) {
            return None;
        }
        *open.labs.entry(lab).or_default() += 1;
        *open.people.entry(person).or_default() += 1;
        *open.pairs.entry((person, lab)).or_default() += 1;
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
        leave(&mut open.pairs, &(self.person, self.lab));
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
    fn labs_that_flood_leave_places_of_their_visitor_for_other_labs() {
        let limits = Limits::new(512, 256);
        let mut taken = Vec::new();
        let mut flood = |number| {
            let before = taken.len();
            while let Some(place) = limits.take(lab(number), person(1)) {
                taken.push(place);
            }
            taken.len() - before
        };
        assert_eq!([flood(1), flood(2), flood(3), flood(4), flood(1)], [128, 64, 32, 16, 0]);
        assert!(limits.take(lab(5), person(1)).is_some());
        assert!(limits.take(lab(1), person(2)).is_some(), "another person's are untouched");
    }

    #[test]
    fn places_that_are_left_take_no_memory() {
        let limits = Limits::new(2, 4);
        drop((limits.take(lab(1), person(1)), limits.take(lab(1), person(1)), limits.take(lab(1), person(1))));
        let open = limits.lock();
        assert!(open.labs.is_empty() && open.people.is_empty() && open.pairs.is_empty(), "{open:?}");
    }
}
