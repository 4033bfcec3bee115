//! The streams of events that are open. Each holds a connection for hours, so there are only so many of a session, of a person, and of all
//! together; beyond that the oldest ends. A page whose stream ended asks for another.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use domain::ids::UserId;
use tokio_util::sync::CancellationToken;

/// Of one session: a browser with that many tabs.
const OF_SESSION: usize = 24;
/// Of one person, in all their browsers.
const OF_PERSON: usize = 48;

#[derive(Debug, Default)]
pub struct Streams {
    /// Oldest first.
    open: Mutex<Vec<One>>,
    most: AtomicUsize,
}

#[derive(Debug)]
struct One {
    session: String,
    user: UserId,
    end: CancellationToken,
}

/// An open stream, until this is dropped.
#[derive(Debug)]
pub struct Open {
    streams: Arc<Streams>,
    end: CancellationToken,
}

impl Open {
    /// Ends when the stream has to make room.
    pub async fn ended(&self) {
        self.end.cancelled().await;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // Marks its entry, which is removed here or was before.
        self.end.cancel();
        self.streams.open().retain(|one| !one.end.is_cancelled());
    }
}

impl Streams {
    fn open(&self) -> MutexGuard<'_, Vec<One>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a quarter of so many connections for everything else: pages, the API, probes.
    pub fn leave_room_in(&self, connections: usize) {
        self.most.store((connections - connections / 4).max(1), Ordering::Relaxed);
    }

    /// A stream for this session and person.
    pub fn begin(self: &Arc<Self>, session: &str, user: UserId) -> Open {
        let most = self.most.load(Ordering::Relaxed);
        let end = CancellationToken::new();
        let mut open = self.open();
        end_beyond(&mut open, OF_SESSION, |one| one.session == session);
        end_beyond(&mut open, OF_PERSON, |one| one.user == user);
        // Not limited before the number of connections is known.
        if most > 0 && open.len() >= most {
            let busiest = busiest(&open);
            end_beyond(&mut open, 1, |one| Some(one.user) == busiest);
        }
        open.push(One { session: session.to_owned(), user, end: end.clone() });
        drop(open);
        Open { streams: Arc::clone(self), end }
    }
}

/// Ends the oldest of these if one more would be beyond `most`.
fn end_beyond(open: &mut Vec<One>, most: usize, is_one: impl Fn(&One) -> bool) {
    if open.iter().filter(|one| is_one(one)).count() < most {
        return;
    }
    if let Some(at) = open.iter().position(is_one) {
        open.remove(at).end.cancel();
    }
}

/// Who has most streams.
fn busiest(open: &[One]) -> Option<UserId> {
    let count = |user: UserId| open.iter().filter(|one| one.user == user).count();
    let mut people: Vec<_> = open.iter().map(|one| one.user).collect();
    people.sort_unstable();
    people.dedup();
    people.into_iter().max_by_key(|user| count(*user))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn is_open(stream: &Open) -> bool {
        !stream.end.is_cancelled()
    }

    #[test]
    fn of_a_session_and_of_a_person_the_oldest_end() {
        let streams = Arc::new(Streams::default());
        let other = streams.begin("other", user(2));
        let one: Vec<_> = (0..=OF_SESSION).map(|_| streams.begin("one", user(1))).collect();
        assert_eq!(one.iter().map(is_open).collect::<Vec<_>>(), (0..=OF_SESSION).map(|at| at > 0).collect::<Vec<_>>());
        let more: Vec<_> = (0..=OF_PERSON - OF_SESSION).map(|at| streams.begin(&at.to_string(), user(1))).collect();
        assert!(!is_open(&one[1]) && is_open(&one[2]) && more.iter().all(is_open) && is_open(&other));
        assert_eq!(streams.open().len(), OF_PERSON + 1);
        drop((one, more));
        assert_eq!(streams.open().len(), 1, "closed streams do not count");
    }

    #[test]
    fn a_quarter_of_the_connections_is_for_others_whoever_listens() {
        let streams = Arc::new(Streams::default());
        streams.leave_room_in(16);
        let few = [streams.begin("a", user(1)), streams.begin("b", user(2))];
        let many: Vec<_> = (0..20).map(|at| streams.begin(&at.to_string(), user(3))).collect();
        assert_eq!(streams.open().len(), 12);
        assert!(few.iter().all(is_open), "those of the person with most end");
        assert!(!is_open(&many[9]) && is_open(&many[10]));
    }
}
