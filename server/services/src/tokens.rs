//! Personal access tokens for the API (L1): `lct_` and 43 characters; the database has only their SHA-256.

use std::collections::BTreeSet;

use domain::{
    Error, Problem, Result,
    access::{Actor, Scope},
    error::FieldErrors,
    ids::{TokenId, UserId},
    tokens::{NAME_MAX, NewToken, TOKENS_MAX, TokenForm, TokenView, check_days, check_name},
};
use serde_json::json;
use storage::{
    Write,
    accounts::users,
    tokens::{self, Token},
};

use crate::{
    Caller, Origin, Services, accounts,
    audit::{self, Entry},
    digest::hex_sha256,
    error::OrDomain,
    logins, secret,
};

const PREFIX: &str = secret::TOKEN;
/// The time of use is for people who tidy up: a minute is exact enough, and spares a write on every request.
const USE_NOTED_EVERY_SECONDS: i64 = 60;

/// For `lectern token create`. Returns the secret, which is nowhere else.
///
/// Errors: `NotFound` for a login that is unknown or disabled; `Invalid` on `name`, `scopes` or `days`.
pub async fn create_for(services: &Services, origin: &Origin, login: &str, name: &str, scopes: BTreeSet<Scope>, days: u32) -> Result<String> {
    let mut errors = FieldErrors::default();
    let name = check_name(name).unwrap_or_else(|problem| {
        errors.push("name", problem);
        String::new()
    });
    if let Err(problem) = check_days(days) {
        errors.push("days", problem);
    }
    if scopes.is_empty() {
        errors.push("scopes", Problem::Missing);
    }
    errors.finish()?;

    let mut write = services.db.begin_write().await.or_domain()?;
    let user = logins::find(&mut write, login).await?;
    let user = user.filter(|user| user.disabled_at.is_none()).ok_or(Error::NotFound)?;
    let id = TokenId::from_uuid(services.entropy.uuid());
    let (token, secret) = insert(services, &mut write, id, user.id, NewToken { name, scopes, days }).await?;
    audit::by_operator(services, &mut write, origin, user.tenant, made(&token, &user.login)).await?;
    write.commit().await.or_domain()?;
    Ok(secret)
}

/// A token for the caller's own programs. Its secret waits for [`take`]; `id` is the form's, so that pressing twice makes one.
///
/// Errors: `Invalid` on `name` (also `Taken`, `TooMany`), `scopes`, `days`; `IdempotencyKeyReused` for an id that names another token.
pub async fn create(services: &Services, caller: &Caller, id: TokenId, form: &TokenForm) -> Result<()> {
    let entry = || Entry::new("token.create", "token", id, form.name.trim().chars().take(NAME_MAX as usize).collect::<String>());
    audit::recording(services, caller, entry, async {
        let wanted = form.check()?;
        let (now, owner) = (services.clock.now(), caller.actor.user);
        let mut write = services.db.begin_write().await.or_domain()?;
        if let Some(known) = tokens::by_id(&mut write, id).await.or_domain()? {
            let same = known.user == owner && known.view.name == wanted.name && known.view.scopes == wanted.scopes;
            return if same { Ok(()) } else { Err(Error::IdempotencyKeyReused { order: None }) };
        }
        let good: Vec<_> = tokens::of_user(&mut write, owner).await.or_domain()?.into_iter().filter(|token| token.view.is_good(now)).collect();
        if good.iter().any(|token| token.view.name == wanted.name) {
            return Err(Error::field("name", Problem::Taken));
        }
        if good.len() >= TOKENS_MAX as usize {
            return Err(Error::field("name", Problem::TooMany { max: TOKENS_MAX }));
        }
        let (token, secret) = insert(services, &mut write, id, owner, wanted).await?;
        audit::success(services, &mut write, caller, made(&token, &caller.actor.login)).await?;
        write.commit().await.or_domain()?;
        services.cache.tokens.keep(now, owner, id, secret);
        Ok(())
    })
    .await
}

/// The secret of a token that the caller made a moment ago; the second look finds nothing.
pub fn take(services: &Services, caller: &Caller, id: TokenId) -> Option<String> {
    services.cache.tokens.take(services.clock.now(), caller.actor.user, &id)
}

/// The row, and the secret that is nowhere else.
async fn insert(services: &Services, write: &mut Write, id: TokenId, user: UserId, wanted: NewToken) -> Result<(Token, String)> {
    let NewToken { name, scopes, days } = wanted;
    let created_at = services.clock.now();
    let expires_at = Some(created_at.plus_minutes(i64::from(days) * 24 * 60));
    let secret = secret::random(&*services.entropy, PREFIX);
    let view = TokenView { id, name, scopes, created_at, expires_at, last_used_at: None, revoked_at: None };
    let token = Token { user, view };
    tokens::insert(write, &token, &hash(&secret)).await.or_domain()?;
    Ok((token, secret))
}

fn made(token: &Token, login: &str) -> Entry {
    let token = &token.view;
    let after = json!({"login": login, "scopes": token.scopes, "expires_at": token.expires_at, "secret": "***"});
    Entry::new("token.create", "token", token.id, token.name.clone()).after(after)
}

/// The person behind a bearer token, narrowed to its scopes. Errors: `Unauthenticated`, which the door records
/// (see [`audit::unauthenticated`]).
pub async fn authenticate(services: &Services, secret: &str) -> Result<Actor> {
    Ok(identify(services, secret).await?.0)
}

/// The same with the token's id, for answers and connections that last.
pub async fn identify(services: &Services, secret: &str) -> Result<(Actor, TokenId)> {
    if !secret.starts_with(PREFIX) || secret.len() != PREFIX.len() + 43 {
        return Err(Error::Unauthenticated);
    }
    let now = services.clock.now();
    let token = {
        let mut connection = services.db.read().await.or_domain()?;
        tokens::by_secret_hash(&mut connection, &hash(secret)).await.or_domain()?
    };
    let Token { user, view: token } = token.filter(|token| token.view.is_good(now)).ok_or(Error::Unauthenticated)?;
    let (mut actor, _) = accounts::current(services, user).await?.ok_or(Error::Unauthenticated)?;
    let not_since = now.plus_seconds(-USE_NOTED_EVERY_SECONDS);
    if token.last_used_at.is_none_or(|at| at <= not_since) {
        let mut write = services.db.begin_write().await.or_domain()?;
        tokens::used(&mut write, token.id, now, not_since).await.or_domain()?;
        write.commit().await.or_domain()?;
    }
    actor.scopes = Some(token.scopes);
    Ok((actor, token.id))
}

/// The person of a token as they are now, narrowed to its scopes; `None` once it is revoked or over, and for somebody disabled. Past every cache.
pub async fn holder(services: &Services, id: TokenId) -> Result<Option<Actor>> {
    let now = services.clock.now();
    let mut connection = services.db.read().await.or_domain()?;
    let token = tokens::by_id(&mut connection, id).await.or_domain()?;
    let Some(Token { user, view: token }) = token.filter(|token| token.view.is_good(now)) else { return Ok(None) };
    let user = users::by_id(&mut connection, user).await.or_domain()?;
    let Some(user) = user.filter(|user| user.disabled_at.is_none()) else { return Ok(None) };
    let actor = accounts::load_actor(&mut connection, &user).await?;
    Ok(Some(Actor { scopes: Some(token.scopes), ..actor }))
}

/// The caller's own, newest first.
pub async fn list(services: &Services, caller: &Caller) -> Result<Vec<TokenView>> {
    let mut connection = services.db.read().await.or_domain()?;
    Ok(tokens::of_user(&mut connection, caller.actor.user).await.or_domain()?.into_iter().map(|token| token.view).collect())
}

/// One's own; what is revoked already stays so and is no error. Errors: `NotFound`, also for somebody else's.
pub async fn revoke(services: &Services, caller: &Caller, id: TokenId) -> Result<()> {
    let entry = || Entry::new("token.revoke", "token", id, "");
    audit::recording(services, caller, entry, async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let token = tokens::by_id(&mut write, id).await.or_domain()?;
        let token = token.filter(|token| token.user == caller.actor.user).ok_or(Error::NotFound)?;
        if tokens::revoke(&mut write, id, services.clock.now()).await.or_domain()? {
            audit::success(services, &mut write, caller, Entry::new("token.revoke", "token", id, token.view.name)).await?;
        }
        write.commit().await.or_domain()?;
        // What goes on by it ends now: followed logs, connections into labs.
        services.access_changed(caller.actor.user);
        Ok(())
    })
    .await
}

/// Hexadecimal SHA-256. A fast hash is enough: the secret has 256 bits that nobody chose.
pub(crate) fn hash(secret: &str) -> String {
    hex_sha256(secret)
}

#[cfg(test)]
mod tests;
