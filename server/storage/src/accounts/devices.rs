//! Browsers that people have signed in with, by the SHA-256 of a secret in their cookie. A row grants no rights: it only decides whose
//! tries are counted separately.

use domain::{ids::UserId, time::Timestamp};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// The people who signed in with this browser; empty for an unknown browser.
pub async fn users(connection: &mut AnyConnection, device: &str, not_before: Timestamp) -> Result<Vec<UserId>> {
    let rows = sqlx::query("SELECT user_id FROM known_devices WHERE device = $1 AND last_used_at > $2 ORDER BY user_id")
        .bind(device.to_owned())
        .bind(not_before.micros())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Row::of("known_devices", row).parse("user_id")).collect()
}

/// Notes that the person signed in with this browser.
pub async fn used(connection: &mut AnyConnection, device: &str, user: UserId, at: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO known_devices (device, user_id, last_used_at) VALUES ($1, $2, $3) \
         ON CONFLICT (device, user_id) DO UPDATE SET last_used_at = $3",
    )
    .bind(device.to_owned())
    .bind(user.to_string())
    .bind(at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets all browsers of a person.
pub async fn forget(connection: &mut AnyConnection, user: UserId) -> Result<()> {
    sqlx::query("DELETE FROM known_devices WHERE user_id = $1").bind(user.to_string()).execute(connection).await?;
    Ok(())
}

/// Deletes browsers that were not used since then; returns how many rows.
pub async fn sweep(connection: &mut AnyConnection, not_before: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM known_devices WHERE last_used_at <= $1").bind(not_before.micros()).execute(connection).await?;
    Ok(done.rows_affected())
}
