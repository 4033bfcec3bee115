//! A new password for somebody who lost theirs, and an account shut: for whoever owns the machine, when nobody can sign in.

use domain::{Error, Result};
use serde_json::json;
use storage::{accounts::users, sessions, tokens};

use crate::{
    Origin, Services,
    audit::{self, Entry},
    error::OrDomain,
    password,
};

/// Gives a random password, which is nowhere else; every session of the person ends.
///
/// Errors: `NotFound` for an unknown login.
pub async fn reset_password(services: &Services, origin: &Origin, login: &str) -> Result<String> {
    let new = password::random(services);
    // Hashing takes long on purpose: not inside the transaction.
    let hash = password::hash(services, &new).await?;
    let mut write = services.db.begin_write().await.or_domain()?;
    let user = users::by_login(&mut write, &login.trim().to_lowercase()).await.or_domain()?.ok_or(Error::NotFound)?;
    users::set_password(&mut write, user.id, &hash).await.or_domain()?;
    sessions::delete_of_user(&mut write, user.id).await.or_domain()?;
    let entry =
        Entry::new("password.reset", "user", user.id, user.login.as_str()).before(json!({"password": "***"})).after(json!({"password": "***"}));
    audit::by_operator(services, &mut write, origin, user.tenant, entry).await?;
    write.commit().await.or_domain()?;
    services.cache.actors.forget(&user.id);
    Ok(new)
}

/// Ends every session and token at once. Disabling again is no error.
///
/// Errors: `NotFound` for an unknown login.
pub async fn disable(services: &Services, origin: &Origin, login: &str) -> Result<()> {
    let now = services.clock.now();
    let mut write = services.db.begin_write().await.or_domain()?;
    let user = users::by_login(&mut write, &login.trim().to_lowercase()).await.or_domain()?.ok_or(Error::NotFound)?;
    if user.disabled_at.is_some() {
        return Ok(());
    }
    users::set_disabled(&mut write, user.id, Some(now)).await.or_domain()?;
    sessions::delete_of_user(&mut write, user.id).await.or_domain()?;
    let revoked = tokens::revoke_all(&mut write, user.id, now).await.or_domain()?;
    let entry = Entry::new("people.disable", "user", user.id, user.login.as_str())
        .before(json!({"disabled": false}))
        .after(json!({"disabled": true, "tokens_revoked": revoked}));
    audit::by_operator(services, &mut write, origin, user.tenant, entry).await?;
    write.commit().await.or_domain()?;
    services.cache.actors.forget(&user.id);
    Ok(())
}
