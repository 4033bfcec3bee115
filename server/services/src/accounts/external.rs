//! Signing in through the identity provider. Whoever calls has checked what the provider says; here it is decided whose account that
//! is: the one joined before, the one with the login that the provider gives, or a new one.

use domain::{
    Error, Result,
    access::{Actor, Role},
    ids::UserId,
    names,
    people::{JoinedIdentity, check_name},
};
use serde_json::json;
use storage::{
    Write,
    accounts::{identities, users},
    dialect,
};

use super::{SignedIn, about, load_actor};
use crate::{
    Caller, IdentityProvider, Origin, Services,
    audit::{self, Entry},
    error::{OrDomain, from_storage},
    logins,
};

const SIGN_IN: &str = "session.sign_in";
const LINK: &str = "identity.link";
const REMOVE: &str = "identity.remove";
const CREATE: &str = "account.create";

/// Who the provider says that somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The provider's lasting name for the person.
    pub subject: String,
    /// The claim that gives the login, as it came.
    pub login: Option<String>,
    pub name: Option<String>,
}

impl Presented {
    /// The login in its stored form.
    fn login(&self) -> Result<String> {
        let given = self.login.as_deref().unwrap_or_default();
        logins::check(given).map_err(|_| Error::NoAccount { login: shown(given) })
    }
}

/// What may be said and recorded of a login that came from outside.
fn shown(login: &str) -> String {
    names::shown(login.trim()).chars().take(64).collect()
}

/// Signs in; joins or makes the account the first time, where the settings say so.
///
/// Errors: `NoAccount`, `PrivilegedAccount`, `AccountDisabled`; `NotFound` without a provider in the settings.
pub async fn sign_in(services: &Services, origin: &Origin, presented: &Presented) -> Result<SignedIn> {
    let provider = services.settings.identity_provider.as_ref().ok_or(Error::NotFound)?;
    match enter(services, provider, origin, presented).await {
        Err(error @ (Error::NoAccount { .. } | Error::PrivilegedAccount { .. } | Error::AccountDisabled)) => {
            let login = presented.login.as_deref().map(shown);
            audit::unauthenticated(services, origin, SIGN_IN, login.as_deref(), error.code());
            Err(error)
        }
        other => other,
    }
}

/// Whether somebody has signed in as this subject of the provider before.
pub async fn is_known(services: &Services, subject: &str) -> Result<bool> {
    let Some(provider) = &services.settings.identity_provider else { return Ok(false) };
    let mut connection = services.db.read().await.or_domain()?;
    Ok(identities::by_subject(&mut connection, &provider.issuer, subject).await.or_domain()?.is_some())
}

/// Records a sign-in that ended before anybody was known, and gives the error back.
pub fn refused(services: &Services, origin: &Origin, error: Error) -> Error {
    audit::unauthenticated(services, origin, SIGN_IN, None, error.code());
    error
}

async fn enter(services: &Services, provider: &IdentityProvider, origin: &Origin, presented: &Presented) -> Result<SignedIn> {
    let now = services.clock.now();
    let issuer = provider.issuer.as_str();
    let mut write = services.db.begin_write().await.or_domain()?;
    // Of two first sign-ins at once the second finds what the first made.
    dialect::lock(&mut write, "identities").await.or_domain()?;
    let known = identities::by_subject(&mut write, issuer, &presented.subject).await.or_domain()?;
    let (user, first) = match known {
        Some(identity) => (users::by_id(&mut write, identity.user).await.or_domain()?.ok_or(Error::NotFound)?, None),
        None => find_or_make(services, &mut write, provider, presented).await?,
    };
    if user.disabled_at.is_some() {
        return Err(Error::AccountDisabled);
    }
    let caller = Caller { actor: load_actor(&mut write, &user).await?, origin: origin.clone() };
    if let Some(first) = first {
        join(services, &mut write, provider, presented, user.id).await?;
        if first == First::Made {
            let made = json!({"login": user.login, "name": user.name, "roles": [], "courses": [], "issuer": issuer});
            audit::success(services, &mut write, &caller, about(&caller, CREATE).after(made)).await?;
        }
        let joined = json!({"issuer": issuer, "subject": presented.subject});
        audit::success(services, &mut write, &caller, about(&caller, LINK).after(joined)).await?;
    }
    identities::set_used(&mut write, issuer, &presented.subject, now).await.or_domain()?;
    users::set_signed_in(&mut write, user.id, now).await.or_domain()?;
    let how = json!({"how": "openid_connect", "issuer": issuer});
    audit::success(services, &mut write, &caller, about(&caller, SIGN_IN).after(how)).await?;
    write.commit().await.or_domain()?;
    Ok(SignedIn { actor: caller.actor, credentials_version: user.credentials_version, device: None })
}

/// What the first sign-in found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// An account with that login.
    Known,
    /// Nothing, and an account was made.
    Made,
}

/// The account of somebody whom the provider names for the first time. Errors: `NoAccount`, `PrivilegedAccount`, `AccountDisabled`.
async fn find_or_make(
    services: &Services,
    write: &mut Write,
    provider: &IdentityProvider,
    presented: &Presented,
) -> Result<(users::User, Option<First>)> {
    let given = presented.login.as_deref().unwrap_or_default();
    let found = logins::find(write, given).await?;
    // An account from before the rule for logins is found by its login as stored.
    let login = if found.as_ref().is_some_and(|user| user.login == given) { given.to_owned() } else { presented.login()? };
    match found {
        Some(user) if user.disabled_at.is_some() => Err(Error::AccountDisabled),
        // Logins are given anew at some places: an account that is somebody else's at the provider stays theirs.
        Some(user) if provider.link_accounts => {
            if identities::of_user(write, user.id, &provider.issuer).await.or_domain()?.is_some() {
                return Err(Error::NoAccount { login });
            }
            if has_privileges(&load_actor(write, &user).await?) {
                tracing::warn!(user.login = %user.login, "an account with a role above teacher is not joined by its login: see docs/sign-in.md");
                return Err(Error::PrivilegedAccount { login: user.login });
            }
            Ok((user, Some(First::Known)))
        }
        None if provider.create_accounts => Ok((make(services, write, login, presented).await?, Some(First::Made))),
        _ => Err(Error::NoAccount { login }),
    }
}

/// Whether the person has more rights than a teacher anywhere. A provider's login alone must not open such an account.
fn has_privileges(actor: &Actor) -> bool {
    actor.roles.iter().chain(actor.department_roles.keys()).any(|role| *role != Role::Teacher)
}

/// An account without roles and without a password, in the only college. Errors: `NoAccount` where there are several.
async fn make(services: &Services, write: &mut Write, login: String, presented: &Presented) -> Result<users::User> {
    let colleges = storage::courses::tenants(write).await.or_domain()?;
    let [college] = colleges.as_slice() else {
        tracing::warn!("there are {} colleges here, so nobody knows in which one to make an account", colleges.len());
        return Err(Error::NoAccount { login });
    };
    let name = presented.name.as_deref().and_then(|name| check_name(name).ok()).unwrap_or_else(|| login.clone());
    let user = users::User::new(UserId::from_uuid(services.entropy.uuid()), college.id, login, name, services.clock.now());
    users::insert(write, &user).await.or_domain()?;
    Ok(user)
}

async fn join(services: &Services, write: &mut Write, provider: &IdentityProvider, presented: &Presented, user: UserId) -> Result<()> {
    let now = services.clock.now();
    let (issuer, subject) = (provider.issuer.clone(), presented.subject.clone());
    let identity = identities::Identity { issuer, subject, user, created_at: now, last_used_at: now };
    identities::insert(write, &identity).await.map_err(from_storage)
}

/// Whether and since when the caller's account is joined to the provider. Two statements at most.
pub async fn joined(services: &Services, caller: &Caller) -> Result<Option<JoinedIdentity>> {
    let Some(provider) = &services.settings.identity_provider else { return Ok(None) };
    let mut connection = services.db.read().await.or_domain()?;
    let user = users::by_id(&mut connection, caller.actor.user).await.or_domain()?.ok_or(Error::Unauthenticated)?;
    let identity = identities::of_user(&mut connection, user.id, &provider.issuer).await.or_domain()?;
    Ok(identity.map(|identity| JoinedIdentity {
        provider: provider.name.clone(),
        since: identity.created_at,
        last_used_at: identity.last_used_at,
        has_password: !user.password_hash.is_empty(),
    }))
}

/// Parts the caller's account from the provider. Without anything to part it is no error.
///
/// Errors: `Forbidden` for who has no password, since they could not come back.
pub async fn remove(services: &Services, caller: &Caller) -> Result<()> {
    let entry = || Entry::new(REMOVE, "user", caller.actor.user, caller.actor.login.as_str());
    audit::recording(services, caller, entry, async {
        let Some(provider) = &services.settings.identity_provider else { return Ok(()) };
        let mut write = services.db.begin_write().await.or_domain()?;
        let user = users::by_id(&mut write, caller.actor.user).await.or_domain()?.ok_or(Error::Unauthenticated)?;
        if user.password_hash.is_empty() {
            return Err(Error::Forbidden);
        }
        if identities::remove(&mut write, user.id, &provider.issuer).await.or_domain()? {
            audit::success(services, &mut write, caller, entry().before(json!({"issuer": provider.issuer}))).await?;
        }
        write.commit().await.or_domain()
    })
    .await
}

#[cfg(test)]
mod tests;
