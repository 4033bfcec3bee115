//! Secrets that were made a moment ago and wait to be shown to their maker, once: in the memory of this process alone, never in the
//! database. After a redirect to another replica the page says that it cannot be shown, and a new one is made.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use domain::{ids::UserId, time::Timestamp};

/// How long a secret waits.
const WAITING_SECONDS: i64 = 300;

pub struct Once<K, V>(Mutex<HashMap<K, (UserId, Timestamp, V)>>);

impl<K, V> Default for Once<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K, V> fmt::Debug for Once<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl<K: Eq + Hash, V> Once<K, V> {
    /// Keeps it for the page that `maker` sees next.
    pub fn keep(&self, now: Timestamp, maker: UserId, key: K, secret: V) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, (_, at, _)| now.seconds_since(*at) < WAITING_SECONDS);
        waiting.insert(key, (maker, now, secret));
    }

    /// Gives it to its maker; the second look finds nothing.
    pub fn take(&self, now: Timestamp, maker: UserId, key: &K) -> Option<V> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = waiting.get(key).is_some_and(|(user, at, _)| *user == maker && now.seconds_since(*at) < WAITING_SECONDS);
        if mine { waiting.remove(key).map(|(_, _, secret)| secret) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_maker_sees_it_once_and_soon() {
        let maker: UserId = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e".parse().expect("an id");
        let other: UserId = "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1f".parse().expect("an id");
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let once = Once::default();
        once.keep(now, maker, 1, "a");
        assert_eq!(once.take(now, other, &1), None);
        assert_eq!(once.take(now, maker, &1), Some("a"));
        assert_eq!(once.take(now, maker, &1), None);
        once.keep(now, maker, 2, "b");
        assert_eq!(once.take(now.plus_seconds(WAITING_SECONDS), maker, &2), None);
    }
}
