//! Limits how many passwords are hashed at a time; others wait. Known people have a place of their own. All others share one queue, in
//! which no address and no login can keep the rest waiting: turns alternate between the address and the login that has waited longest for
//! one, and among tries of the same address or login the oldest comes first. So a try from a new address, or for a new login, waits for
//! about two turns of each other address, or of each other login if those are fewer, however many tries wait.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{Error, Result};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

use crate::error::internal;

/// Most unknown people who may wait at a time: every teacher of a college on the first morning. Others are asked to try again later.
const WAITING_MAX: usize = 500;
/// Those of one address or one login among them.
const WAITING_MAX_OF_ONE: usize = 250;
/// Known people who may wait at a time. A person who signs in again and again takes these places, and no more memory than that.
const WAITING_MAX_OF_KNOWN: usize = 250;
const COME_BACK_SECONDS: u32 = 5;

/// The person who wants to hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane<'a> {
    /// People who are not known, by the address that limits use and the login that they try.
    Anybody { address: &'a str, login: &'a str },
    /// People who are known: by their browser, a session or a link. One place is reserved for them, even if many others wait; a bounded number
    /// of them waits.
    Known,
}

/// The places for hashing. One for each process: [`Services`](crate::Services) holds it.
#[derive(Debug)]
pub struct Pool {
    open: Semaphore,
    kept: Semaphore,
    /// Places to wait in, for known people.
    known: Semaphore,
    queue: Mutex<Queue>,
}

impl Default for Pool {
    /// Half the cores, at least one, plus the reserved place.
    fn default() -> Self {
        Self::with_places(std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1)))
    }
}

/// The right to hash, until it is dropped.
#[derive(Debug)]
pub struct Turn<'p>(#[expect(dead_code, reason = "held for its drop")] SemaphorePermit<'p>);

impl Pool {
    fn with_places(places: usize) -> Self {
        Self { open: Semaphore::new(places), kept: Semaphore::new(1), known: Semaphore::new(WAITING_MAX_OF_KNOWN), queue: Mutex::default() }
    }

    /// Waits for a turn. Errors: `RateLimited` when too many wait: known people are counted apart.
    pub async fn turn(&self, lane: Lane<'_>) -> Result<Turn<'_>> {
        let permit = match lane {
            Lane::Known => {
                let _waits = self.known.try_acquire().map_err(|_| busy())?;
                tokio::select! {
                    biased;
                    permit = self.open.acquire() => permit,
                    permit = self.kept.acquire() => permit,
                }
            }
            Lane::Anybody { address, login } => {
                let mut place = self.join(address, login)?;
                place.called().await?;
                let permit = self.open.acquire().await;
                drop(place);
                permit
            }
        };
        permit.map(Turn).map_err(|error| internal(&error))
    }

    fn join(&self, address: &str, login: &str) -> Result<Place<'_>> {
        let (number, call) = lock(&self.queue).join(address, login)?;
        Ok(Place { queue: &self.queue, number, call })
    }

    /// How many may hash at a time without the reserved place.
    #[cfg(test)]
    pub(crate) fn places(&self) -> usize {
        self.open.available_permits()
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn busy() -> Error {
    Error::RateLimited { retry_after_seconds: COME_BACK_SECONDS }
}

/// A place in the queue, freed when the try has its turn or the client disconnects.
struct Place<'p> {
    queue: &'p Mutex<Queue>,
    number: u64,
    call: oneshot::Receiver<()>,
}

impl Place<'_> {
    /// Errors: `RateLimited` for a try that gave its place to another one.
    async fn called(&mut self) -> Result<()> {
        (&mut self.call).await.map_err(|_| busy())
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        lock(self.queue).leave(self.number);
    }
}

/// The tries that wait. One of them at most is called: it takes the next free place for hashing, and the next is called after that.
#[derive(Debug, Default)]
struct Queue {
    /// In order of arrival.
    tries: Vec<Try>,
    addresses: HashMap<String, Source>,
    logins: HashMap<String, Source>,
    /// Counts arrivals and turns.
    now: u64,
    /// Whether the next turn goes to a login, not to an address.
    by_login: bool,
}

#[derive(Debug)]
struct Try {
    number: u64,
    address: String,
    login: String,
    /// Without it the try is called.
    call: Option<oneshot::Sender<()>>,
}

/// An address or a login with tries in the queue.
#[derive(Debug)]
struct Source {
    tries: usize,
    /// Its last turn, or the arrival of its first try.
    since: u64,
}

impl Queue {
    /// Errors: `RateLimited` when too many wait: of this address or login, or of all, unless another source has more.
    fn join(&mut self, address: &str, login: &str) -> Result<(u64, oneshot::Receiver<()>)> {
        let own = self.most_of(address, login);
        if own >= WAITING_MAX_OF_ONE || (self.tries.len() >= WAITING_MAX && !self.give_way(own + 1)) {
            return Err(busy());
        }
        self.now += 1;
        let number = self.now;
        for (sources, key) in [(&mut self.addresses, address), (&mut self.logins, login)] {
            sources.entry(key.to_owned()).or_insert(Source { tries: 0, since: number }).tries += 1;
        }
        let (call, called) = oneshot::channel();
        self.tries.push(Try { number, address: address.to_owned(), login: login.to_owned(), call: Some(call) });
        self.call_next();
        Ok((number, called))
    }

    /// How many tries the address or the login has, whichever has more.
    fn most_of(&self, address: &str, login: &str) -> usize {
        let tries = |sources: &HashMap<String, Source>, key: &str| sources.get(key).map_or(0, |source| source.tries);
        tries(&self.addresses, address).max(tries(&self.logins, login))
    }

    /// Takes the newest try of the source with the most tries out of the queue, if that has more than `tries`.
    fn give_way(&mut self, tries: usize) -> bool {
        let waiting = self.tries.iter().filter(|each| each.call.is_some());
        let largest = waiting.map(|each| (self.most_of(&each.address, &each.login), each.number)).max();
        match largest {
            Some((most, number)) if most > tries => {
                self.leave(number);
                true
            }
            _ => false,
        }
    }

    /// Takes a try out of the queue. One that is not there any more is no error.
    fn leave(&mut self, number: u64) {
        let Some(at) = self.tries.iter().position(|each| each.number == number) else { return };
        let Try { address, login, .. } = self.tries.remove(at);
        for (sources, key) in [(&mut self.addresses, &address), (&mut self.logins, &login)] {
            let Some(source) = sources.get_mut(key) else { continue };
            source.tries -= 1;
            if source.tries == 0 {
                sources.remove(key);
            }
        }
        self.call_next();
    }

    /// Calls the oldest try of the address, or login, that has waited longest for a turn.
    fn call_next(&mut self) {
        if self.tries.iter().any(|each| each.call.is_none()) {
            return;
        }
        let (addresses, logins, by_login) = (&self.addresses, &self.logins, self.by_login);
        let since = |each: &Try| {
            let source = if by_login { logins.get(&each.login) } else { addresses.get(&each.address) };
            source.map_or(0, |source| source.since)
        };
        // The first of several that are equal, which is the oldest.
        let Some((at, _)) = self.tries.iter().enumerate().min_by_key(|(_, each)| since(each)) else { return };
        self.by_login = !by_login;
        self.now += 1;
        let called = &mut self.tries[at];
        for (sources, key) in [(&mut self.addresses, &called.address), (&mut self.logins, &called.login)] {
            if let Some(source) = sources.get_mut(key) {
                source.since = self.now;
            }
        }
        if let Some(call) = called.call.take() {
            _ = call.send(());
        }
    }
}

#[cfg(test)]
mod tests;
