//! People's public keys for SSH.

use domain::{
    ids::{SshKeyId, UserId},
    ssh_keys::SshKey,
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

#[cfg(test)]
mod tests;
