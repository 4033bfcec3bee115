//! One-time links: only the SHA-256 of each secret is here.

use domain::{
    ids::{LinkId, UserId},
    people::{LinkKind, OpenLink},
    time::Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{error::Result, row::Row};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub user: UserId,
    pub open: OpenLink,
}

fn read(row: &AnyRow) -> Result<Link> {
    let row = Row::of("one_time_links", row);
    let open = OpenLink {
        id: row.parse("id")?,
        kind: row.state("kind", LinkKind::parse)?,
        created_at: row.timestamp("created_at")?,
        expires_at: row.timestamp("expires_at")?,
    };
    Ok(Link { user: row.parse("user_id")?, open })
}

/// `secret_hash`: hexadecimal SHA-256.
pub async fn insert(connection: &mut AnyConnection, link: &Link, secret_hash: &str) -> Result<()> {
    let OpenLink { id, kind, created_at, expires_at } = &link.open;
    sqlx::query("INSERT INTO one_time_links (id, user_id, kind, secret_hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(id.to_string())
        .bind(link.user.to_string())
        .bind(kind.as_str())
        .bind(secret_hash.to_owned())
        .bind(created_at.micros())
        .bind(expires_at.micros())
        .execute(connection)
        .await?;
    Ok(())
}

/// The link that still opens by this secret.
pub async fn open(connection: &mut AnyConnection, secret_hash: &str, now: Timestamp) -> Result<Option<Link>> {
    let row = sqlx::query(
        "SELECT id, user_id, kind, created_at, expires_at FROM one_time_links \
         WHERE secret_hash = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2",
    )
    .bind(secret_hash.to_owned())
    .bind(now.micros())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read).transpose()
}

/// What lets a person in besides their password: the newest link that still opens, and how many access tokens are good.
pub async fn ways_in(connection: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<(Option<OpenLink>, u32)> {
    let row = sqlx::query(
        "SELECT l.id, l.user_id, l.kind, l.created_at, l.expires_at, t.tokens FROM \
           (SELECT COUNT(*) AS tokens FROM tokens WHERE user_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)) AS t \
           LEFT JOIN (SELECT id, user_id, kind, created_at, expires_at FROM one_time_links \
             WHERE user_id = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2 ORDER BY id DESC LIMIT 1) AS l ON TRUE",
    )
    .bind(user.to_string())
    .bind(now.micros())
    .fetch_one(connection)
    .await?;
    let tokens = Row::of("tokens", &row).count("tokens")?;
    let link = Row::of("one_time_links", &row).optional_text("id")?.map(|_| read(&row)).transpose()?;
    Ok((link.map(|link| link.open), tokens))
}

/// Uses a link up: `false` when somebody else did.
pub async fn used(connection: &mut AnyConnection, id: LinkId, at: Timestamp) -> Result<bool> {
    let done = sqlx::query("UPDATE one_time_links SET used_at = $1 WHERE id = $2 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $1")
        .bind(at.micros())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes back all links of a person that still open; returns how many.
pub async fn revoke_all(connection: &mut AnyConnection, user: UserId, at: Timestamp) -> Result<u64> {
    let done =
        sqlx::query("UPDATE one_time_links SET revoked_at = $1 WHERE user_id = $2 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $1")
            .bind(at.micros())
            .bind(user.to_string())
            .execute(connection)
            .await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests;
