//! The bounded queue of tries to sign in that wait a moment because many others failed, at the same account or from the same address.
//! Nobody is refused for the failures of others, unless more wait already than the queue holds.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{Error, Result};

/// Tries that wait at once, and those of one account or address among them.
const MOST: usize = 1_024;
const MOST_OF_ONE: usize = 256;
const COME_BACK_SECONDS: u32 = 5;

/// How many wait, by account or address.
#[derive(Debug, Default)]
pub struct Slowed(Mutex<HashMap<String, usize>>);

/// A place in the queue, given back when the try goes on or its client leaves.
#[derive(Debug)]
pub(super) struct Place<'s> {
    slowed: &'s Slowed,
    key: String,
}

impl Slowed {
    fn waiting(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Errors: `RateLimited` when the queue is full.
    pub(super) fn begin(&self, key: &str) -> Result<Place<'_>> {
        let mut waiting = self.waiting();
        let (all, of_key) = (waiting.values().sum::<usize>(), waiting.get(key).copied().unwrap_or_default());
        if all >= MOST || of_key >= MOST_OF_ONE {
            return Err(Error::RateLimited { retry_after_seconds: COME_BACK_SECONDS });
        }
        waiting.insert(key.to_owned(), of_key + 1);
        Ok(Place { slowed: self, key: key.to_owned() })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.slowed.waiting();
        match waiting.get_mut(&self.key) {
            Some(many) if *many > 1 => *many -= 1,
            _ => {
                waiting.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_bounded_for_one_and_for_all_and_places_come_free() {
        let slowed = Slowed::default();
        let full = Error::RateLimited { retry_after_seconds: COME_BACK_SECONDS };
        let mut places: Vec<_> = (0..MOST_OF_ONE).map(|_| slowed.begin("account:li").expect("a place")).collect();
        assert_eq!(slowed.begin("account:li").expect_err("full for this account"), full);
        places.extend((MOST_OF_ONE..MOST).map(|index| slowed.begin(&format!("address:{index}")).expect("a place")));
        assert_eq!(slowed.begin("account:wang").expect_err("full for all"), full);
        places.pop();
        drop(slowed.begin("account:wang").expect("a place is free"));
        drop(places);
        assert!(slowed.waiting().is_empty(), "nothing is kept of those that went on");
    }
}
