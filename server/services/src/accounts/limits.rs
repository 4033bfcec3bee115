//! How often somebody may try to sign in. Failures are counted by account and by address; after some free ones each further try has a
//! pause. The pair of account and address is refused until its pause is over, up to a minute. The failures of others, at the same account
//! or from the same address, only slow a try by some seconds (see [`super::slowing`]), since a whole college may be behind one address.
//! A browser in which the person has signed in before is counted by itself (see [`super::devices`]), so that guesses from elsewhere do
//! not keep its owner waiting.
//! To limit another thing that can be guessed: a [`Bucket`] with its [`Rule`], [`wait`] before the work and [`count`] when it was wrong.

use std::time::Duration;

use domain::{Error, Result, time::Timestamp};
use storage::{
    AnyConnection, Write,
    accounts::attempts::{self, Recent},
    dialect,
};

use crate::error::OrDomain;

/// Key by which failures are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bucket<'a> {
    /// The account, in a browser that it has signed in with before.
    Device { login: &'a str, device: &'a str },
    /// In any other browser: the account from this address,
    Pair { login: &'a str, address: &'a str },
    /// the account from all addresses,
    Account(&'a str),
    /// and the address for all accounts; it may be that of a whole college.
    Address(&'a str),
    /// The account, for wrong current passwords when the password is changed.
    Change(&'a str),
    /// The set-up code.
    SetUp,
}

/// Free failures within [`attempts::WINDOW_SECONDS`], and the longest wait after them.
#[derive(Debug, Clone, Copy)]
struct Rule {
    free: i64,
    longest: i64,
}

impl Bucket<'_> {
    fn key(self) -> String {
        match self {
            Self::Device { login, device } => format!("device:{device}:{login}"),
            Self::Pair { login, address } => format!("pair:{address}:{login}"),
            Self::Account(login) => format!("account:{login}"),
            Self::Address(address) => format!("address:{address}"),
            Self::Change(login) => format!("change:{login}"),
            Self::SetUp => "setup".to_owned(),
        }
    }

    const fn rule(self) -> Rule {
        match self {
            Self::Device { .. } | Self::Change(_) | Self::SetUp => Rule { free: 10, longest: 60 },
            Self::Pair { .. } => Rule { free: 5, longest: 60 },
            // Many addresses guess together before this one asks for a pause.
            Self::Account(_) => Rule { free: 50, longest: 5 },
            // A class that mistypes behind one address costs nothing; a program that tries every account waits.
            Self::Address(_) => Rule { free: 300, longest: 5 },
        }
    }

    /// Whether its pause slows a try instead of refusing it: others than the one who tries may have failed.
    const fn slows(self) -> bool {
        matches!(self, Self::Account(_) | Self::Address(_))
    }
}

impl Rule {
    /// Seconds to wait from `now`: 1, 2, 4, ... after each failure beyond the free ones, counted from the last failure.
    fn wait(self, recent: Recent, now: Timestamp) -> i64 {
        let beyond = recent.failures - self.free;
        if beyond < 0 {
            return 0;
        }
        let pause = 1_i64.checked_shl(u32::try_from(beyond).unwrap_or(u32::MAX)).filter(|pause| *pause > 0).unwrap_or(i64::MAX).min(self.longest);
        (recent.last + pause - now.seconds()).clamp(0, self.longest)
    }
}

/// Longest pause of each kind that the buckets require of a try, in seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    refuse: i64,
    slow: i64,
    /// Key of the bucket that slows most.
    slowed_by: String,
}

impl Asked {
    pub(super) fn refusal(&self) -> Option<Error> {
        (self.refuse > 0).then(|| Error::RateLimited { retry_after_seconds: u32::try_from(self.refuse).unwrap_or(u32::MAX) })
    }

    /// The pause before the try is looked at, and the key of the queue for it.
    pub(super) fn pause(&self) -> Option<(Duration, &str)> {
        (self.slow > 0).then(|| (Duration::from_secs(self.slow.unsigned_abs()), self.slowed_by.as_str()))
    }
}

/// One statement.
pub(super) async fn ask(connection: &mut AnyConnection, buckets: &[Bucket<'_>], now: Timestamp) -> Result<Asked> {
    let keys: Vec<_> = buckets.iter().map(|bucket| bucket.key()).collect();
    let failures = attempts::recent(connection, &keys, now).await.or_domain()?;
    let mut asked = Asked::default();
    for (bucket, key) in buckets.iter().zip(keys) {
        let seconds = failures.get(&key).map_or(0, |recent| bucket.rule().wait(*recent, now));
        if bucket.slows() {
            if seconds > asked.slow {
                asked.slow = seconds;
                asked.slowed_by = key;
            }
        } else {
            asked.refuse = asked.refuse.max(seconds);
        }
    }
    Ok(asked)
}

/// [`Error::RateLimited`] when any of the buckets refuses. One statement.
pub(crate) async fn wait(connection: &mut AnyConnection, buckets: &[Bucket<'_>], now: Timestamp) -> Result<Option<Error>> {
    Ok(ask(connection, buckets, now).await?.refusal())
}

/// Counts a failure in all buckets, in the transaction that refuses the try.
pub(crate) async fn count(write: &mut Write, buckets: &[Bucket<'_>], now: Timestamp) -> Result<()> {
    lock(write, buckets).await?;
    for bucket in buckets {
        attempts::add(write, &bucket.key(), now).await.or_domain()?;
    }
    Ok(())
}

/// Counts a failure unless a wait is required, in the transaction that refuses the try. Errors: `RateLimited`.
pub(crate) async fn count_try(write: &mut Write, buckets: &[Bucket<'_>], now: Timestamp) -> Result<()> {
    lock(write, buckets).await?;
    if let Some(limited) = wait(write, buckets, now).await? {
        return Err(limited);
    }
    count(write, buckets, now).await
}

/// Forgets the failures of a person who signed in: those in this browser, or from this address.
pub(crate) async fn forgive(write: &mut Write, buckets: &[Bucket<'_>]) -> Result<()> {
    for bucket in buckets.iter().filter(|bucket| matches!(bucket, Bucket::Device { .. } | Bucket::Pair { .. } | Bucket::Change(_))) {
        attempts::clear(write, &bucket.key()).await.or_domain()?;
    }
    Ok(())
}

/// Locks the buckets, always in the same order.
async fn lock(write: &mut Write, buckets: &[Bucket<'_>]) -> Result<()> {
    for bucket in buckets {
        dialect::lock(write, &bucket.key()).await.or_domain()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let rule = Bucket::Pair { login: "li", address: "10.0.0.1" }.rule();
        let waits = |failures, ago| rule.wait(Recent { failures, last: now.seconds() - ago }, now);
        let after_each: Vec<_> = (0..14).map(|failures| waits(failures, 0)).collect();
        assert_eq!(after_each, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!((waits(8, 3), waits(8, 8), waits(8, 500), waits(1_000_000, 0)), (5, 0, 0, 60));
        assert_eq!(waits(1_000, -30), 60, "a clock that went back asks for no more than the longest wait");
    }
}
