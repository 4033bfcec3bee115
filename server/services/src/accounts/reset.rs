//! A new password for somebody who lost theirs, and an account shut: for whoever owns the machine, when nobody can sign in.

use domain::{Error, Result, ids::UserId};
use serde_json::json;
use storage::{
    Write,
    accounts::{devices, users},
    links, sessions, tokens,
};

use crate::{
    Origin, Services,
    audit::{self, Entry},
    error::OrDomain,
    logins, password,
};

/// Sets a random password and returns it; only its hash is stored. Every session, token and one-time link of the person ends.
///
/// Errors: `NotFound` for an unknown login.
pub async fn reset_password(services: &Services, origin: &Origin, login: &str) -> Result<String> {
    // Hashing takes long on purpose: not inside the transaction.
    let (new, hash) = password::random(services).await?;
    let mut write = services.db.begin_write().await.or_domain()?;
    let user = logins::find(&mut write, login).await?.ok_or(Error::NotFound)?;
    users::set_password(&mut write, user.id, &hash).await.or_domain()?;
    let revoked = end_access(services, &mut write, user.id).await?;
    let entry = Entry::new("password.reset", "user", user.id, user.login.as_str())
        .before(json!({"password": "***"}))
        .after(json!({"password": "***", "tokens_revoked": revoked}));
    audit::by_operator(services, &mut write, origin, user.tenant, entry).await?;
    write.commit().await.or_domain()?;
    services.access_changed(user.id);
    Ok(new)
}

/// Ends everything that acts as this person or lets somebody in as them: sessions, tokens, known browsers and one-time links. Returns how
/// many tokens were valid.
pub(crate) async fn end_access(services: &Services, write: &mut Write, user: UserId) -> Result<u64> {
    let now = services.clock.now();
    sessions::delete_of_user(write, user).await.or_domain()?;
    devices::forget(write, user).await.or_domain()?;
    links::revoke_all(write, user, now).await.or_domain()?;
    tokens::revoke_all(write, user, now).await.or_domain()
}

/// Ends every session, token and one-time link at once. Disabling again is no error.
///
/// Errors: `NotFound` for an unknown login.
pub async fn disable(services: &Services, origin: &Origin, login: &str) -> Result<()> {
    let now = services.clock.now();
    let mut write = services.db.begin_write().await.or_domain()?;
    let user = logins::find(&mut write, login).await?.ok_or(Error::NotFound)?;
    if user.disabled_at.is_some() {
        return Ok(());
    }
    users::set_disabled(&mut write, user.id, Some(now)).await.or_domain()?;
    let revoked = end_access(services, &mut write, user.id).await?;
    let entry = Entry::new("people.disable", "user", user.id, user.login.as_str())
        .before(json!({"disabled": false}))
        .after(json!({"disabled": true, "tokens_revoked": revoked}));
    audit::by_operator(services, &mut write, origin, user.tenant, entry).await?;
    write.commit().await.or_domain()?;
    services.access_changed(user.id);
    Ok(())
}
