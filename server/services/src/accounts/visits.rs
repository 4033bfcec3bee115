//! Sessions of visitors: state of a form, or of the way to the identity provider, before anybody has signed in. New ones are limited
//! for each source, so that nobody fills the database without an account.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::{Error, Result, time::Timestamp};

use crate::Origin;

/// New sessions of one source in a minute; a whole college may be behind one address.
pub const MOST: u32 = 400;
/// Sources that are counted at a time. Further ones share one count.
const MOST_SOURCES: usize = 4_096;

/// The new sessions of this minute.
#[derive(Debug, Default)]
pub struct Visits(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    /// By [`Origin::source`].
    made: HashMap<String, u32>,
}

impl Visits {
    /// Counts a session that is about to be made. Errors: `RateLimited`.
    pub fn admit(&self, origin: &Origin, now: Timestamp) -> Result<()> {
        let number = now.seconds().div_euclid(60);
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.number != number {
            *minute = Minute { number, made: HashMap::new() };
        }
        let source = origin.source().unwrap_or_default();
        let has_own = minute.made.len() < MOST_SOURCES || minute.made.contains_key(&source);
        let made = minute.made.entry(if has_own { source } else { String::new() }).or_default();
        if *made >= MOST {
            let left = 60 - now.seconds().rem_euclid(60);
            return Err(Error::RateLimited { retry_after_seconds: u32::try_from(left).unwrap_or(60) });
        }
        *made += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestWorld;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn a_source_begins_so_many_sessions_in_a_minute_and_others_go_on() {
        let visits = Visits::default();
        let (flood, other) = (TestWorld::origin_at("10.0.0.7"), TestWorld::origin_at("10.0.0.8"));
        for _ in 0..MOST {
            visits.admit(&flood, NOW).expect("within the limit");
        }
        assert_eq!(visits.admit(&flood, NOW.plus_seconds(20)), Err(Error::RateLimited { retry_after_seconds: 40 }));
        visits.admit(&other, NOW).expect("another source");
        visits.admit(&flood, NOW.plus_seconds(60)).expect("another minute");
    }

    #[test]
    fn sources_without_end_share_a_count() {
        let visits = Visits::default();
        for index in 0..10_000_u32 {
            let _ = visits.admit(&TestWorld::origin_at(&std::net::Ipv4Addr::from(0x0a00_0000 + index).to_string()), NOW);
        }
        assert_eq!(visits.0.lock().expect("a lock").made.len(), MOST_SOURCES + 1);
        visits.admit(&TestWorld::origin_at("10.0.0.1"), NOW).expect("it has a count of its own");
        assert!(visits.admit(&TestWorld::origin_at("192.0.2.1"), NOW).is_err());
    }
}
