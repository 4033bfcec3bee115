//! Signing in with a local account. Every failure takes the same time and gets the same answer; failures are counted by account and by
//! address, successes are not, so that a whole class behind one address can sign in together.

use domain::{Error, Result, access::Actor, people::PASSWORD_MAX, time::Timestamp};
use storage::{
    AnyConnection, Write,
    accounts::{attempts, users},
    dialect,
};

use super::{about, load_actor};
use crate::{
    Caller, Origin, Services,
    audit::{self, count_refusal},
    error::OrDomain,
    password,
};

/// Failed tries that an account, and an address, may have within any 60 seconds.
pub const TRIES_PER_MINUTE: i64 = 10;
const ACTION: &str = "session.sign_in";

#[derive(Debug, Clone)]
pub struct SignedIn {
    pub actor: Actor,
    /// A session remembers it; another number ends the session.
    pub credentials_version: i64,
}

/// What tries are counted by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bucket<'a> {
    Account(&'a str),
    Address(&'a str),
    /// The set-up code.
    SetUp,
}

impl Bucket<'_> {
    fn key(self) -> String {
        match self {
            Self::Account(login) => format!("account:{login}"),
            Self::Address(address) => format!("address:{address}"),
            Self::SetUp => "setup".to_owned(),
        }
    }
}

/// Local account (argon2id). Same time and same answer for every failure; at most 10 failed tries within a minute per account and per
/// address, on all replicas together (L1).
///
/// Errors: `SignInFailed`, `RateLimited`, `Unavailable`.
pub async fn sign_in(services: &Services, origin: &Origin, login: &str, password: &str) -> Result<SignedIn> {
    let login = typed(login);
    let mut buckets = vec![Bucket::Account(&login)];
    buckets.extend(origin.address.as_deref().map(Bucket::Address));
    let now = services.clock.now();

    // Looked at before the costly hash, and again where it counts.
    let (waiting, user) = {
        let mut connection = services.db.read().await.or_domain()?;
        let waiting = wait(&mut connection, &buckets, now).await?;
        (waiting, users::by_login(&mut connection, &login).await.or_domain()?)
    };
    if let Some(limited) = waiting {
        audit::unauthenticated(services, origin, ACTION, Some(&login), limited.code()).await;
        return Err(limited);
    }

    let user = user.filter(|user| user.disabled_at.is_none());
    // Longer input cannot be right and is not hashed, but takes as long.
    let fits = password.chars().take(PASSWORD_MAX as usize + 1).count() <= PASSWORD_MAX as usize;
    let hash = user.as_ref().map(|user| user.password_hash.as_str()).filter(|hash| fits && !hash.is_empty());
    let matches = {
        let turn = password::turn().await?;
        password::verify(&turn, if fits { password } else { "" }, hash).await?
    };

    let now = services.clock.now();
    let mut write = services.db.begin_write().await.or_domain()?;
    lock(&mut write, &buckets).await?;
    // Of tries at the same time only ten get an answer, also a right one: the others learn nothing.
    if let Some(limited) = wait(&mut write, &buckets, now).await? {
        count_refusal(services, &mut write, origin, ACTION, Some(&login), limited.code()).await?;
        write.commit().await.or_domain()?;
        return Err(limited);
    }
    let user = match user.filter(|_| matches) {
        // Unless the password was changed, or the account disabled, while it was hashed.
        Some(user) => users::by_id(&mut write, user.id)
            .await
            .or_domain()?
            .filter(|now| now.credentials_version == user.credentials_version && now.disabled_at.is_none()),
        None => None,
    };
    let Some(user) = user else {
        for bucket in &buckets {
            attempts::add(&mut write, &bucket.key(), now).await.or_domain()?;
        }
        count_refusal(services, &mut write, origin, ACTION, Some(&login), Error::SignInFailed.code()).await?;
        write.commit().await.or_domain()?;
        return Err(Error::SignInFailed);
    };
    users::set_signed_in(&mut write, user.id, now).await.or_domain()?;
    let actor = load_actor(&mut write, &user).await?;
    let caller = Caller { actor, origin: origin.clone() };
    audit::success(services, &mut write, &caller, about(&caller, ACTION)).await?;
    write.commit().await.or_domain()?;
    Ok(SignedIn { actor: caller.actor, credentials_version: user.credentials_version })
}

/// As it is compared and counted: lower case, no control characters, no longer than a login can be.
fn typed(login: &str) -> String {
    login.trim().to_lowercase().chars().filter(|c| !c.is_control()).take(64).collect()
}

/// [`Error::RateLimited`] when any of the buckets is full.
pub(crate) async fn wait(connection: &mut AnyConnection, buckets: &[Bucket<'_>], now: Timestamp) -> Result<Option<Error>> {
    let mut longest = 0;
    for bucket in buckets {
        let used = attempts::used(connection, &bucket.key(), TRIES_PER_MINUTE, now).await.or_domain()?;
        longest = longest.max(used.wait_seconds);
    }
    Ok((longest > 0).then_some(Error::RateLimited { retry_after_seconds: longest }))
}

/// Always in the same order: account before address.
async fn lock(write: &mut Write, buckets: &[Bucket<'_>]) -> Result<()> {
    for bucket in buckets {
        dialect::lock(write, &bucket.key()).await.or_domain()?;
    }
    Ok(())
}

/// Counts a failed try unless the buckets are full, in the transaction that refuses. Errors: `RateLimited`.
pub(crate) async fn count_try(write: &mut Write, buckets: &[Bucket<'_>], now: Timestamp) -> Result<()> {
    lock(write, buckets).await?;
    if let Some(limited) = wait(write, buckets, now).await? {
        return Err(limited);
    }
    for bucket in buckets {
        attempts::add(write, &bucket.key(), now).await.or_domain()?;
    }
    Ok(())
}
