//! Leases: one holder at a time, each with a number that grows, so that a holder that slept through its end is recognised.

use domain::time::Timestamp;
use sqlx::AnyConnection;

use crate::{
    database::{Engine, Write},
    error::Result,
    row::Row,
};

/// Takes or renews the lease until `until`: its fencing token, or `None` while somebody else holds it.
/// A renewal keeps its token; every new holding gets a larger one.
pub async fn take(connection: &mut AnyConnection, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Result<Option<i64>> {
    let row = sqlx::query(
        "INSERT INTO leases (name, holder, token, expires_at) VALUES ($1, $2, 1, $4) ON CONFLICT (name) DO UPDATE SET \
         token = CASE WHEN leases.holder = excluded.holder AND leases.expires_at > $3 THEN leases.token ELSE leases.token + 1 END, \
         holder = excluded.holder, expires_at = excluded.expires_at \
         WHERE leases.holder = excluded.holder OR leases.expires_at <= $3 RETURNING token",
    )
    .bind(name.to_owned())
    .bind(holder.to_owned())
    .bind(now.micros())
    .bind(until.micros())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(|row| Row::of("leases", row).integer("token")).transpose()
}

/// Gives the lease up, so that the next holder need not wait for its end.
pub async fn release(connection: &mut AnyConnection, name: &str, token: i64) -> Result<()> {
    sqlx::query("UPDATE leases SET expires_at = 0 WHERE name = $1 AND token = $2").bind(name.to_owned()).bind(token).execute(connection).await?;
    Ok(())
}

/// Whether `token` is still the newest. On PostgreSQL the row stays locked against a new holder until the transaction ends.
pub async fn is_newest(write: &mut Write, name: &str, token: i64) -> Result<bool> {
    let sql = match write.engine() {
        Engine::Sqlite => "SELECT token FROM leases WHERE name = $1",
        Engine::Postgres => "SELECT token FROM leases WHERE name = $1 FOR SHARE",
    };
    let row = sqlx::query(sql).bind(name.to_owned()).fetch_optional(&mut **write).await?;
    let newest = row.as_ref().map(|row| Row::of("leases", row).integer("token")).transpose()?;
    Ok(newest == Some(token))
}
