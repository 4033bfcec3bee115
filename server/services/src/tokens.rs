//! Personal access tokens for the API (L1): `lct_` and 43 characters; the database has only their SHA-256.

use std::collections::BTreeSet;

use domain::{
    Error, Problem, Result,
    access::{Actor, Scope},
    error::FieldErrors,
    ids::TokenId,
    time::Timestamp,
};
use serde_json::json;
use storage::{
    accounts::users,
    tokens::{self, Token},
};

use crate::{
    Caller, Origin, Services, accounts,
    audit::{self, Entry},
    digest::hex_sha256,
    error::OrDomain,
};

const PREFIX: &str = "lct_";
const NAME_MAX: u32 = 100;
/// The time of use is for people who tidy up: a minute is exact enough, and spares a write on every request.
const USE_NOTED_EVERY_SECONDS: i64 = 60;

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TokenView {
    pub id: TokenId,
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// For `lectern token create`. Returns the secret, which is nowhere else.
///
/// Errors: `NotFound` for a login that is unknown or disabled; `Invalid` on `name` or `scopes`.
pub async fn create_for(services: &Services, origin: &Origin, login: &str, name: &str, scopes: BTreeSet<Scope>) -> Result<String> {
    let name = name.trim();
    let mut errors = FieldErrors::default();
    if name.is_empty() {
        errors.push("name", Problem::Missing);
    } else if name.chars().count() > NAME_MAX as usize {
        errors.push("name", Problem::TooLong { max: NAME_MAX });
    }
    if scopes.is_empty() {
        errors.push("scopes", Problem::Missing);
    }
    errors.finish()?;

    let secret = new_secret(services);
    let mut write = services.db.begin_write().await.or_domain()?;
    let user = users::by_login(&mut write, &login.trim().to_lowercase()).await.or_domain()?;
    let user = user.filter(|user| user.disabled_at.is_none()).ok_or(Error::NotFound)?;
    let token = Token {
        id: TokenId::from_uuid(services.entropy.uuid()),
        user: user.id,
        name: name.to_owned(),
        scopes,
        created_at: services.clock.now(),
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    };
    tokens::insert(&mut write, &token, &hash(&secret)).await.or_domain()?;
    let entry = Entry::new("token.create", "token", token.id, name).after(json!({"login": user.login, "scopes": token.scopes, "secret": "***"}));
    audit::by_operator(services, &mut write, origin, user.tenant, entry).await?;
    write.commit().await.or_domain()?;
    Ok(secret)
}

/// The person behind a bearer token, narrowed to its scopes. Errors: `Unauthenticated`, which the door records
/// (see [`audit::unauthenticated`]).
pub async fn authenticate(services: &Services, secret: &str) -> Result<Actor> {
    if !secret.starts_with(PREFIX) || secret.len() != PREFIX.len() + 43 {
        return Err(Error::Unauthenticated);
    }
    let now = services.clock.now();
    let token = {
        let mut connection = services.db.read().await.or_domain()?;
        tokens::by_secret_hash(&mut connection, &hash(secret)).await.or_domain()?
    };
    let good = |token: &Token| token.revoked_at.is_none() && token.expires_at.is_none_or(|at| at > now);
    let token = token.filter(good).ok_or(Error::Unauthenticated)?;
    let (mut actor, _) = accounts::current(services, token.user).await?.ok_or(Error::Unauthenticated)?;
    let not_since = now.plus_seconds(-USE_NOTED_EVERY_SECONDS);
    if token.last_used_at.is_none_or(|at| at <= not_since) {
        let mut write = services.db.begin_write().await.or_domain()?;
        tokens::used(&mut write, token.id, now, not_since).await.or_domain()?;
        write.commit().await.or_domain()?;
    }
    actor.scopes = Some(token.scopes);
    Ok(actor)
}

/// The caller's own, newest first.
pub async fn list(services: &Services, caller: &Caller) -> Result<Vec<TokenView>> {
    let mut connection = services.db.read().await.or_domain()?;
    let all = tokens::of_user(&mut connection, caller.actor.user).await.or_domain()?;
    Ok(all
        .into_iter()
        .map(|Token { id, user: _, name, scopes, created_at, expires_at: _, last_used_at, revoked_at }| TokenView {
            id,
            name,
            scopes,
            created_at,
            last_used_at,
            revoked_at,
        })
        .collect())
}

/// One's own; what is revoked already stays so and is no error. Errors: `NotFound`, also for somebody else's.
pub async fn revoke(services: &Services, caller: &Caller, id: TokenId) -> Result<()> {
    let entry = || Entry::new("token.revoke", "token", id, "");
    audit::recording(services, caller, entry, async {
        let mut write = services.db.begin_write().await.or_domain()?;
        let token = tokens::by_id(&mut write, id).await.or_domain()?;
        let token = token.filter(|token| token.user == caller.actor.user).ok_or(Error::NotFound)?;
        if tokens::revoke(&mut write, id, services.clock.now()).await.or_domain()? {
            audit::success(services, &mut write, caller, Entry::new("token.revoke", "token", id, token.name)).await?;
        }
        write.commit().await.or_domain()
    })
    .await
}

/// 256 random bits as 43 characters that no URL or shell changes.
fn new_secret(services: &Services) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // 43 characters of 6 bits: each takes a byte of its own, of which 6 bits are used.
    let mut bytes = [0; 43];
    services.entropy.fill(&mut bytes);
    let mut secret = String::from(PREFIX);
    secret.extend(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])));
    secret
}

/// Hexadecimal SHA-256. A fast hash is enough: the secret has 256 bits that nobody chose.
pub(crate) fn hash(secret: &str) -> String {
    hex_sha256(secret)
}

#[cfg(test)]
mod tests;
