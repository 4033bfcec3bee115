//! Rows behind session cookies. The key is a hash of the cookie's value, so that a copy of the table opens no session.

use domain::{ids::UserId, time::Timestamp};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// JSON data and expiry of a session that is not over at `now`.
pub async fn load(connection: &mut AnyConnection, id_hash: &str, now: Timestamp) -> Result<Option<(String, Timestamp)>> {
    let row = sqlx::query("SELECT data, expires_at FROM sessions WHERE id = $1 AND expires_at > $2")
        .bind(id_hash.to_owned())
        .bind(now.micros())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let row = Row::of("sessions", &row);
    Ok(Some((row.text("data")?, row.timestamp("expires_at")?)))
}

/// Makes or replaces.
pub async fn save(connection: &mut AnyConnection, id_hash: &str, user: Option<UserId>, data: &str, expires_at: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO sessions (id, user_id, data, expires_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, data = excluded.data, expires_at = excluded.expires_at",
    )
    .bind(id_hash.to_owned())
    .bind(user.map(|id| id.to_string()))
    .bind(data.to_owned())
    .bind(expires_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes only; `false` when the id is taken.
pub async fn create(connection: &mut AnyConnection, id_hash: &str, user: Option<UserId>, data: &str, expires_at: Timestamp) -> Result<bool> {
    let done = sqlx::query("INSERT INTO sessions (id, user_id, data, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING")
        .bind(id_hash.to_owned())
        .bind(user.map(|id| id.to_string()))
        .bind(data.to_owned())
        .bind(expires_at.micros())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Id and JSON data of a person's sessions that are not over.
pub async fn of_user(connection: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query("SELECT id, data FROM sessions WHERE user_id = $1 AND expires_at > $2")
        .bind(user.to_string())
        .bind(now.micros())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("sessions", row);
            Ok((row.text("id")?, row.text("data")?))
        })
        .collect()
}

/// Deletes a session if it is this person's: whether it was there.
pub async fn delete_own(connection: &mut AnyConnection, user: UserId, id_hash: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND id = $2")
        .bind(user.to_string())
        .bind(id_hash.to_owned())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes all of a person's but one; returns how many.
pub async fn delete_others(connection: &mut AnyConnection, user: UserId, keep: &str) -> Result<u64> {
    let done =
        sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND id <> $2").bind(user.to_string()).bind(keep.to_owned()).execute(connection).await?;
    Ok(done.rows_affected())
}

pub async fn delete(connection: &mut AnyConnection, id_hash: &str) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE id = $1").bind(id_hash.to_owned()).execute(connection).await?;
    Ok(())
}

pub async fn delete_of_user(connection: &mut AnyConnection, user: UserId) -> Result<u64> {
    Ok(sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(user.to_string()).execute(connection).await?.rows_affected())
}

pub async fn sweep(connection: &mut AnyConnection, now: Timestamp) -> Result<u64> {
    Ok(sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now.micros()).execute(connection).await?.rows_affected())
}

#[cfg(test)]
mod tests;
