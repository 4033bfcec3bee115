//! Changing one's own password.

use domain::{
    Error, Problem, Result,
    error::FieldErrors,
    people::{PASSWORD_MAX, check_password},
};
use serde_json::json;
use storage::accounts::users;

use super::{Bucket, about, count_try, forgive, wait};
use crate::{
    Caller, Services,
    audit::{self, refused_with_code},
    error::OrDomain,
    password::{self, Lane},
};

const ACTION: &str = "password.change";

/// Ends every session of the person but gives the new credentials version for the one that asked. One-time links end too: a link that was made
/// for the lost password would still open the account. Tokens stay, which programs use.
///
/// Errors: `Invalid` on `current` (`Missing`, `WrongPassword`) or `new`; `RateLimited` like signing in, since it is a way to guess.
pub async fn change_password(services: &Services, caller: &Caller, current: &str, new: &str) -> Result<i64> {
    let user = caller.actor.user;
    let mut errors = FieldErrors::default();
    if current.is_empty() {
        errors.push("current", Problem::Missing);
    }
    if let Err(problem) = check_password(new) {
        errors.push("new", problem);
    }
    errors.finish()?;

    let buckets = [Bucket::Change(&caller.actor.login)];
    if let Some(limited) = limited(services, &buckets).await? {
        return Err(audit::refused(services, caller, about(caller, ACTION), limited).await);
    }
    let turn = services.hashing.turn(Lane::Known).await?;
    // Asked again: other tries may have failed while this one waited for its turn.
    if let Some(limited) = limited(services, &buckets).await? {
        drop(turn);
        return Err(audit::refused(services, caller, about(caller, ACTION), limited).await);
    }
    let stored = {
        let mut connection = services.db.read().await.or_domain()?;
        users::by_id(&mut connection, user).await.or_domain()?.ok_or(Error::Unauthenticated)?
    };
    let fits = current.chars().take(PASSWORD_MAX as usize + 1).count() <= PASSWORD_MAX as usize;
    let hash = Some(stored.password_hash.as_str()).filter(|hash| !hash.is_empty());
    let matches = fits && password::verify(&turn, current, hash).await?;
    if !matches {
        // The turn is held until the failure is counted, so the next try in the queue sees it.
        let mut write = services.db.begin_write().await.or_domain()?;
        let counted = count_try(&mut write, &buckets, services.clock.now()).await;
        write.commit().await.or_domain()?;
        drop(turn);
        if let Err(limited) = counted {
            return Err(audit::refused(services, caller, about(caller, ACTION), limited).await);
        }
        refused_with_code(services, caller, about(caller, ACTION), "wrong_password").await;
        return Err(Error::field("current", Problem::WrongPassword));
    }
    // The new password needs a turn of its own.
    drop(turn);

    let about_them = [caller.actor.login.as_str(), caller.actor.name.as_str()];
    let hash = password::hash_chosen(services, new, &about_them).await.map_err(|error| error.at("password", "new"))?;
    let mut write = services.db.begin_write().await.or_domain()?;
    let version = users::set_password(&mut write, user, &hash).await.or_domain()?;
    if version != stored.credentials_version + 1 {
        // Somebody else changed it, or disabled the account, while this one was hashed: nothing of it stays.
        write.rollback().await.or_domain()?;
        return Err(Error::Stale);
    }
    storage::links::revoke_all(&mut write, user, services.clock.now()).await.or_domain()?;
    let entry = about(caller, ACTION).before(json!({"password": "***"})).after(json!({"password": "***"}));
    audit::success(services, &mut write, caller, entry).await?;
    forgive(&mut write, &buckets).await?;
    write.commit().await.or_domain()?;
    services.access_changed(user);
    Ok(version)
}

async fn limited(services: &Services, buckets: &[Bucket<'_>]) -> Result<Option<Error>> {
    let mut connection = services.db.read().await.or_domain()?;
    wait(&mut connection, buckets, services.clock.now()).await
}
