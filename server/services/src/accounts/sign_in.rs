//! Signing in with a local account. Every failure takes the same time and gets the same answer. Failures are counted (see [`super::limits`]),
//! successes are not, so that a whole class behind one address can sign in together. The limit is asked before the queue for a hash, since
//! hashing is costly, and after it, since others may have failed meanwhile. A try that is slowed waits before that queue.

use domain::{Error, Result, access::Actor, people::PASSWORD_MAX};
use storage::accounts::users::{self, User};

use super::{
    about,
    devices::{self, NewDevice},
    limits::{self, Bucket},
    load_actor,
};
use crate::{
    Caller, Origin, Services,
    audit::{self, count_refusal},
    error::OrDomain,
    logins,
    password::{self, Lane, Turn},
};

const ACTION: &str = "session.sign_in";

#[derive(Debug, Clone)]
pub struct SignedIn {
    pub actor: Actor,
    /// A session remembers it; another number ends the session.
    pub credentials_version: i64,
    /// The browser's new secret, by which it is known at the next sign-in.
    pub device: Option<NewDevice>,
}

/// Signs in with a local account (argon2id). Every failure takes the same time and gets the same answer; repeated failures wait longer and
/// longer, counted over all replicas (L1).
///
/// Errors: `SignInFailed`, `RateLimited`, `Unavailable`.
pub async fn sign_in(services: &Services, origin: &Origin, login: &str, password: &str) -> Result<SignedIn> {
    let typed = logins::typed(login);
    let (user, known) = {
        let mut connection = services.db.read().await.or_domain()?;
        let user = logins::find(&mut connection, &typed).await?;
        let known = devices::is_known(&mut connection, origin, user.as_ref(), services.clock.now()).await?;
        (user, known)
    };
    let counted = user.as_ref().map_or_else(|| logins::fold(&typed), |user| user.login.clone());
    let source = origin.source();
    let buckets = buckets(origin, source.as_deref(), &counted, known);
    let lane = if known { Lane::Known } else { Lane::Anybody { address: source.as_deref().unwrap_or_default(), login: &counted } };
    let turn = match turn(services, &buckets, lane).await {
        Ok(turn) => turn,
        Err(error @ Error::RateLimited { .. }) => {
            audit::unauthenticated(services, origin, ACTION, Some(&typed), error.code());
            return Err(error);
        }
        Err(other) => return Err(other),
    };
    let user = user.filter(|user| user.disabled_at.is_none());
    if matches(&turn, user.as_ref(), password).await?
        && let Some(user) = user
        && let Some(signed_in) = enter(services, origin, &user, &buckets).await?
    {
        return Ok(signed_in);
    }
    // The turn is held until the failure is counted, so the next try in the queue sees it.
    let mut write = services.db.begin_write().await.or_domain()?;
    limits::count(&mut write, &buckets, services.clock.now()).await?;
    count_refusal(services, &mut write, origin, ACTION, Some(&typed), Error::SignInFailed.code()).await?;
    write.commit().await.or_domain()?;
    drop(turn);
    Err(Error::SignInFailed)
}

/// What this try is counted by when it fails.
fn buckets<'a>(origin: &'a Origin, source: Option<&'a str>, login: &'a str, known: bool) -> Vec<Bucket<'a>> {
    if let Some(device) = origin.device.as_deref().filter(|_| known) {
        return vec![Bucket::Device { login, device }];
    }
    let mut buckets = vec![Bucket::Account(login)];
    buckets.extend(source.into_iter().flat_map(|address| [Bucket::Pair { login, address }, Bucket::Address(address)]));
    buckets
}

/// The turn to hash, unless it is refused before the queue or after it. Errors: `RateLimited`.
async fn turn<'s>(services: &'s Services, buckets: &[Bucket<'_>], lane: Lane<'_>) -> Result<Turn<'s>> {
    let ask = async || {
        let mut connection = services.db.read().await.or_domain()?;
        let asked = limits::ask(&mut connection, buckets, services.clock.now()).await?;
        asked.refusal().map_or(Ok(asked), Err)
    };
    let asked = ask().await?;
    if let Some((pause, key)) = asked.pause() {
        let _place = services.slowed.begin(key)?;
        services.clock.sleep(pause).await;
    }
    let turn = services.hashing.turn(lane).await?;
    ask().await?;
    Ok(turn)
}

async fn matches(turn: &Turn<'_>, user: Option<&User>, password: &str) -> Result<bool> {
    // A longer password cannot be right and is not hashed, but the check takes as long.
    let fits = password.chars().take(PASSWORD_MAX as usize + 1).count() <= PASSWORD_MAX as usize;
    let hash = user.map(|user| user.password_hash.as_str()).filter(|hash| fits && !hash.is_empty());
    password::verify(turn, if fits { password } else { "" }, hash).await
}

/// Completes the sign-in after the password was right. `None` if the password was changed or the account disabled during hashing.
async fn enter(services: &Services, origin: &Origin, checked: &User, buckets: &[Bucket<'_>]) -> Result<Option<SignedIn>> {
    let mut write = services.db.begin_write().await.or_domain()?;
    let user = users::by_id(&mut write, checked.id).await.or_domain()?;
    let Some(user) = user.filter(|now| now.credentials_version == checked.credentials_version && now.disabled_at.is_none()) else {
        return Ok(None);
    };
    limits::forgive(&mut write, buckets).await?;
    users::set_signed_in(&mut write, user.id, services.clock.now()).await.or_domain()?;
    let device = devices::remember(services, &mut write, origin, &user).await?;
    let caller = Caller { actor: load_actor(&mut write, &user).await?, origin: origin.clone() };
    audit::success(services, &mut write, &caller, about(&caller, ACTION)).await?;
    write.commit().await.or_domain()?;
    Ok(Some(SignedIn { actor: caller.actor, credentials_version: user.credentials_version, device }))
}
