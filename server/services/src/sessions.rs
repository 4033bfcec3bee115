//! Rows behind the session cookie, for the store in the server.

use domain::{Result, access::Actor, ids::UserId, time::Timestamp};
use storage::{
    accounts::{attempts, devices},
    sessions,
};

use crate::{Services, accounts::devices::DAYS, error::OrDomain};

/// Data and expiry of a session that is not over. `id_hash`: hexadecimal SHA-256 of the cookie's value.
pub async fn load(services: &Services, id_hash: &str) -> Result<Option<(String, Timestamp)>> {
    let mut connection = services.db.read().await.or_domain()?;
    sessions::load(&mut connection, id_hash, services.clock.now()).await.or_domain()
}

/// Makes or replaces; `user` is set once somebody is signed in.
pub async fn save(services: &Services, id_hash: &str, user: Option<UserId>, data: &str, expires_at: Timestamp) -> Result<()> {
    let mut write = services.db.begin_write().await.or_domain()?;
    sessions::save(&mut write, id_hash, user, data, expires_at).await.or_domain()?;
    write.commit().await.or_domain()
}

/// Makes only; `false` when the id is taken.
pub async fn create(services: &Services, id_hash: &str, user: Option<UserId>, data: &str, expires_at: Timestamp) -> Result<bool> {
    let mut write = services.db.begin_write().await.or_domain()?;
    let created = sessions::create(&mut write, id_hash, user, data, expires_at).await.or_domain()?;
    write.commit().await.or_domain()?;
    Ok(created)
}

pub async fn delete(services: &Services, id_hash: &str) -> Result<()> {
    let mut write = services.db.begin_write().await.or_domain()?;
    let user = sessions::delete(&mut write, id_hash).await.or_domain()?;
    write.commit().await.or_domain()?;
    if let Some(user) = user {
        services.access_changed(user);
    }
    Ok(())
}

/// The person of a session as they are now; `None` when the session is over, when it is another's, and for somebody disabled or with
/// other credentials. One statement, past every cache.
pub async fn holder(services: &Services, id_hash: &str, user: UserId, credentials_version: i64) -> Result<Option<Actor>> {
    let mut connection = services.db.read().await.or_domain()?;
    sessions::holder(&mut connection, id_hash, user, credentials_version, services.clock.now()).await.or_domain()
}

/// Deletes sessions that are over, counted tries outside every window, and browsers that were not used for long; returns how many sessions.
pub async fn sweep(services: &Services) -> Result<u64> {
    let now = services.clock.now();
    let mut write = services.db.begin_write().await.or_domain()?;
    let swept = sessions::sweep(&mut write, now).await.or_domain()?;
    attempts::sweep(&mut write, now).await.or_domain()?;
    devices::sweep(&mut write, now.plus_minutes(-DAYS * 24 * 60)).await.or_domain()?;
    write.commit().await.or_domain()?;
    Ok(swept)
}
