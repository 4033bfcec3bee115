//! Messages to one person. Equal ones to the same person are one row, so that work may tell twice.

use domain::{
    ids::{NotificationId, UserId},
    notifications::{Notice, Notification},
    time::Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{
    error::Result,
    row::{Row, json},
};

fn read(row: &AnyRow) -> Result<Notification> {
    let row = Row::of("notifications", row);
    Ok(Notification {
        id: row.parse("id")?,
        notice: row.json("notice")?,
        created_at: row.timestamp("created_at")?,
        read_at: row.optional_timestamp("read_at")?,
    })
}

/// `digest`: hexadecimal SHA-256 of the notice. `false` when the person was told the same before.
pub async fn insert(
    connection: &mut AnyConnection,
    id: NotificationId,
    user: UserId,
    (notice, digest): (&Notice, &str),
    at: Timestamp,
) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO notifications (id, user_id, notice, digest, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (user_id, digest) DO NOTHING",
    )
    .bind(id.to_string())
    .bind(user.to_string())
    .bind(json(notice))
    .bind(digest.to_owned())
    .bind(at.micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A person's newest.
pub async fn latest(connection: &mut AnyConnection, user: UserId, limit: i64) -> Result<Vec<Notification>> {
    let rows = sqlx::query("SELECT id, notice, created_at, read_at FROM notifications WHERE user_id = $1 ORDER BY id DESC LIMIT $2")
        .bind(user.to_string())
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

#[cfg(test)]
mod tests;
