//! Small documents by name, each with a version that grows with every change, for caches to compare.

use serde::{Serialize, de::DeserializeOwned};
use sqlx::AnyConnection;

use crate::{
    error::Result,
    row::{Row, json},
};

/// The value and its version.
pub async fn get<T: DeserializeOwned>(connection: &mut AnyConnection, key: &str) -> Result<Option<(T, i64)>> {
    let row = sqlx::query("SELECT value, version FROM settings WHERE key = $1").bind(key.to_owned()).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    let row = Row::of("settings", &row);
    Ok(Some((row.json("value")?, row.integer("version")?)))
}

/// Makes or replaces; gives the new version.
pub async fn set<T: Serialize + Sync>(connection: &mut AnyConnection, key: &str, value: &T) -> Result<i64> {
    let row = sqlx::query(
        "INSERT INTO settings (key, value, version) VALUES ($1, $2, 1) \
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = settings.version + 1 RETURNING version",
    )
    .bind(key.to_owned())
    .bind(json(value))
    .fetch_one(connection)
    .await?;
    Row::of("settings", &row).integer("version")
}

pub async fn delete(connection: &mut AnyConnection, key: &str) -> Result<()> {
    sqlx::query("DELETE FROM settings WHERE key = $1").bind(key.to_owned()).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
