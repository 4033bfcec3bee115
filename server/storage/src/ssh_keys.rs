//! People's public keys for SSH, and how they come into labs.

use domain::{
    ids::{LabId, SshKeyId, UserId},
    ssh_keys::{KeysProblem, SshKey, VARIABLE},
    time::Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{Write, dialect, error::Result, row::Row};

fn read(row: &AnyRow) -> Result<SshKey> {
    let row = Row::of("ssh_keys", row);
    Ok(SshKey {
        id: row.parse("id")?,
        name: row.text("name")?,
        public_key: row.text("public_key")?,
        fingerprint: row.text("fingerprint")?,
        created_at: row.timestamp("created_at")?,
    })
}

/// Makes another change of this person's keys wait until this transaction ends.
pub async fn lock(write: &mut Write, user: UserId) -> Result<()> {
    dialect::lock(write, &format!("ssh_keys:{user}")).await
}

pub async fn insert(connection: &mut AnyConnection, user: UserId, key: &SshKey) -> Result<()> {
    let SshKey { id, name, public_key, fingerprint, created_at } = key;
    sqlx::query("INSERT INTO ssh_keys (id, user_id, name, public_key, fingerprint, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(id.to_string())
        .bind(user.to_string())
        .bind(name.clone())
        .bind(public_key.clone())
        .bind(fingerprint.clone())
        .bind(created_at.micros())
        .execute(connection)
        .await?;
    Ok(())
}

/// A person's, newest first.
pub async fn of_user(connection: &mut AnyConnection, user: UserId) -> Result<Vec<SshKey>> {
    let query = sqlx::query("SELECT id, name, public_key, fingerprint, created_at FROM ssh_keys WHERE user_id = $1 ORDER BY id DESC");
    query.bind(user.to_string()).fetch_all(connection).await?.iter().map(read).collect()
}

/// `false` if it was not there.
pub async fn delete(connection: &mut AnyConnection, id: SshKeyId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM ssh_keys WHERE id = $1").bind(id.to_string()).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

/// Notes a key that its owner has no more. Noting it again changes nothing.
pub async fn note_removed(connection: &mut AnyConnection, user: UserId, public_key: &str, now: Timestamp) -> Result<()> {
    sqlx::query("INSERT INTO ssh_keys_removed (user_id, public_key, removed_at) VALUES ($1, $2, $3) ON CONFLICT (user_id, public_key) DO NOTHING")
        .bind(user.to_string())
        .bind(public_key.to_owned())
        .bind(now.micros())
        .execute(connection)
        .await?;
    Ok(())
}

/// Keys that this person removed, also those that were added again.
pub async fn removed(connection: &mut AnyConnection, user: UserId) -> Result<Vec<String>> {
    let query = sqlx::query("SELECT public_key FROM ssh_keys_removed WHERE user_id = $1 ORDER BY public_key");
    query.bind(user.to_string()).fetch_all(connection).await?.iter().map(|row| Row::of("ssh_keys_removed", row).text("public_key")).collect()
}

/// The running labs of this person whose order has [`VARIABLE`].
pub async fn labs_of(connection: &mut AnyConnection, owner: UserId) -> Result<Vec<LabId>> {
    sqlx::query("SELECT id FROM labs WHERE owner_id = $1 AND state = 'running' AND spec LIKE $2 ORDER BY id")
        .bind(owner.to_string())
        .bind(format!("%\"{VARIABLE}\":%"))
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| Row::of("labs", row).parse("id"))
        .collect()
}

/// Notes how the last try to bring the keys into the lab ended.
pub async fn note_try(connection: &mut AnyConnection, lab: LabId, now: Timestamp, problem: Option<KeysProblem>) -> Result<()> {
    sqlx::query(
        "INSERT INTO lab_ssh_keys (lab_id, tried_at, problem) VALUES ($1, $2, $3) \
         ON CONFLICT (lab_id) DO UPDATE SET tried_at = excluded.tried_at, problem = excluded.problem",
    )
    .bind(lab.to_string())
    .bind(now.micros())
    .bind(problem.map(KeysProblem::as_str))
    .execute(connection)
    .await?;
    Ok(())
}

/// Why the lab may have other keys than the account; `None` if nothing is wrong.
pub async fn problem(connection: &mut AnyConnection, lab: LabId) -> Result<Option<KeysProblem>> {
    let query = sqlx::query("SELECT problem FROM lab_ssh_keys WHERE lab_id = $1 AND problem IS NOT NULL");
    let found = query.bind(lab.to_string()).fetch_optional(connection).await?;
    found.map(|row| Row::of("lab_ssh_keys", &row).state("problem", KeysProblem::named)).transpose()
}

/// Running labs whose last try was before this time, the longest ago first, without those that keep no file of keys.
pub async fn tried_before(connection: &mut AnyConnection, before: Timestamp, limit: u32) -> Result<Vec<LabId>> {
    sqlx::query(
        "SELECT k.lab_id FROM lab_ssh_keys k JOIN labs l ON l.id = k.lab_id \
         WHERE l.state = 'running' AND k.tried_at < $1 AND COALESCE(k.problem, '') <> $2 ORDER BY k.tried_at, k.lab_id LIMIT $3",
    )
    .bind(before.micros())
    .bind(KeysProblem::NoFile.as_str())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| Row::of("lab_ssh_keys", row).parse("lab_id"))
    .collect()
}

#[cfg(test)]
mod tests;
