//! Encrypted values, and the fingerprints of their keys. No value is stored unencrypted, and no key is stored.

pub mod clear;

use std::collections::BTreeMap;

use domain::{ids::SecretId, time::Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::{error::Result, ids_list, row::Row};

/// The owner of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub kind: OwnerKind,
    pub id: String,
}

/// Another kind of owner needs a variant here and a value in the column's check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerKind {
    Offering,
    /// A value that was typed into an order, before offerings refused that.
    Order,
    /// All labs together: what their own secrets are derived from. There is one row.
    Labs,
}

impl OwnerKind {
    const ALL: [Self; 3] = [Self::Offering, Self::Order, Self::Labs];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offering => "offering",
            Self::Order => "order",
            Self::Labs => "labs",
        }
    }
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A stored secret. `sealed` can be decrypted only with this id, owner and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSecret {
    pub id: SecretId,
    pub owner: Owner,
    pub name: String,
    pub key_id: String,
    pub sealed: String,
    /// Whether it was stored unencrypted before.
    pub was_clear: bool,
    pub created_at: Timestamp,
}

const COLUMNS: &str = "id, owner_kind, owner_id, name, key_id, sealed, was_clear, created_at";

fn read(row: &sqlx::any::AnyRow) -> Result<StoredSecret> {
    let row = Row::of("secrets", row);
    Ok(StoredSecret {
        id: row.parse("id")?,
        owner: Owner { kind: row.state("owner_kind", OwnerKind::parse)?, id: row.text("owner_id")? },
        name: row.text("name")?,
        key_id: row.text("key_id")?,
        sealed: row.text("sealed")?,
        was_clear: row.flag("was_clear")?,
        created_at: row.timestamp("created_at")?,
    })
}

pub async fn insert(connection: &mut AnyConnection, secret: &StoredSecret) -> Result<()> {
    let StoredSecret { id, owner, name, key_id, sealed, was_clear, created_at } = secret;
    sqlx::query(
        "INSERT INTO secrets (id, owner_kind, owner_id, name, key_id, sealed, was_clear, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id.to_string())
    .bind(owner.kind.as_str())
    .bind(owner.id.clone())
    .bind(name.clone())
    .bind(key_id.clone())
    .bind(sealed.clone())
    .bind(i64::from(*was_clear))
    .bind(created_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Those of these ids that exist.
pub async fn several(connection: &mut AnyConnection, ids: impl IntoIterator<Item = SecretId>) -> Result<BTreeMap<SecretId, StoredSecret>> {
    let sql = format!("SELECT {COLUMNS} FROM secrets WHERE $1 LIKE '%' || id || '%'");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(ids_list::list(ids)).fetch_all(connection).await?;
    rows.iter().map(|row| read(row).map(|secret| (secret.id, secret))).collect()
}

/// All secrets of an owner, the oldest first.
pub async fn of_owner(connection: &mut AnyConnection, owner: &Owner) -> Result<Vec<StoredSecret>> {
    let sql = format!("SELECT {COLUMNS} FROM secrets WHERE owner_kind = $1 AND owner_id = $2 ORDER BY created_at, id");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(owner.kind.as_str()).bind(owner.id.clone()).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

/// Removes an owner's secrets except these.
pub async fn retain(connection: &mut AnyConnection, owner: &Owner, kept: impl IntoIterator<Item = SecretId>) -> Result<u64> {
    let done = sqlx::query("DELETE FROM secrets WHERE owner_kind = $1 AND owner_id = $2 AND NOT ($3 LIKE '%' || id || '%')")
        .bind(owner.kind.as_str())
        .bind(owner.id.clone())
        .bind(ids_list::list(kept))
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Secrets that are encrypted with other keys than this one, at most `limit`.
pub async fn under_other_keys(connection: &mut AnyConnection, key_id: &str, limit: u32) -> Result<Vec<StoredSecret>> {
    let sql = format!("SELECT {COLUMNS} FROM secrets WHERE key_id <> $1 ORDER BY id LIMIT $2");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(key_id.to_owned()).bind(i64::from(limit)).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

/// Replaces the ciphertext of a re-encrypted secret; does nothing if the secret was changed meanwhile.
pub async fn reseal(connection: &mut AnyConnection, before: &StoredSecret, key_id: &str, sealed: &str) -> Result<()> {
    sqlx::query("UPDATE secrets SET key_id = $3, sealed = $4 WHERE id = $1 AND sealed = $2")
        .bind(before.id.to_string())
        .bind(before.sealed.clone())
        .bind(key_id.to_owned())
        .bind(sealed.to_owned())
        .execute(connection)
        .await?;
    Ok(())
}

/// Fingerprints of the needed keys: the current one, and those of all stored secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    pub current: Option<String>,
    /// The number of secrets by key.
    pub in_use: BTreeMap<String, i64>,
}

pub async fn keys(connection: &mut AnyConnection) -> Result<Keys> {
    let row = sqlx::query("SELECT id FROM secret_keys WHERE is_current = 1").fetch_optional(&mut *connection).await?;
    let current = row.map(|row| Row::of("secret_keys", &row).text("id")).transpose()?;
    let rows = sqlx::query("SELECT key_id, COUNT(*) AS secrets FROM secrets GROUP BY key_id").fetch_all(connection).await?;
    let used = |row| {
        let row = Row::of("secrets", row);
        Ok((row.text("key_id")?, row.integer("secrets")?))
    };
    Ok(Keys { current, in_use: rows.iter().map(used).collect::<Result<_>>()? })
}

/// Makes this key the current one. Errors: not unique if another process made one current at the same time.
pub async fn set_current_key(connection: &mut AnyConnection, id: &str, now: Timestamp) -> Result<()> {
    sqlx::query("UPDATE secret_keys SET is_current = 0 WHERE is_current = 1 AND id <> $1").bind(id.to_owned()).execute(&mut *connection).await?;
    sqlx::query("INSERT INTO secret_keys (id, is_current, created_at) VALUES ($1, 1, $2) ON CONFLICT (id) DO UPDATE SET is_current = 1")
        .bind(id.to_owned())
        .bind(now.micros())
        .execute(connection)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
