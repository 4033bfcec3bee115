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

/// A page of a person's, newest first: older than `before`, only unread ones where wanted.
pub async fn page(
    connection: &mut AnyConnection,
    user: UserId,
    unread: bool,
    before: Option<NotificationId>,
    limit: u32,
) -> Result<Vec<Notification>> {
    let rows = sqlx::query(
        "SELECT id, notice, created_at, read_at FROM notifications \
         WHERE user_id = $1 AND ($2 = 0 OR read_at IS NULL) AND ($3 IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
    )
    .bind(user.to_string())
    .bind(i64::from(unread))
    .bind(before.map(|id| id.to_string()))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// How many a person has not read; counts no further than `most`.
pub async fn unread(connection: &mut AnyConnection, user: UserId, most: u32) -> Result<u32> {
    let row = sqlx::query("SELECT COUNT(*) AS unread FROM (SELECT id FROM notifications WHERE user_id = $1 AND read_at IS NULL LIMIT $2) AS first")
        .bind(user.to_string())
        .bind(i64::from(most))
        .fetch_one(connection)
        .await?;
    Row::of("notifications", &row).count("unread")
}

/// Marks one of a person's as read, or all that there are: how many were not before.
pub async fn set_read(connection: &mut AnyConnection, user: UserId, id: Option<NotificationId>, at: Timestamp) -> Result<u64> {
    let done = sqlx::query("UPDATE notifications SET read_at = $1 WHERE user_id = $2 AND ($3 IS NULL OR id = $3) AND read_at IS NULL")
        .bind(at.micros())
        .bind(user.to_string())
        .bind(id.map(|id| id.to_string()))
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Marks the notice with this digest as read for everybody: those who had not read it.
pub async fn settle(connection: &mut AnyConnection, digest: &str, at: Timestamp) -> Result<Vec<UserId>> {
    let rows = sqlx::query("UPDATE notifications SET read_at = $1 WHERE digest = $2 AND read_at IS NULL RETURNING user_id")
        .bind(at.micros())
        .bind(digest.to_owned())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Row::of("notifications", row).parse("user_id")).collect()
}

/// Whether this is one of the person's.
pub async fn is_of(connection: &mut AnyConnection, user: UserId, id: NotificationId) -> Result<bool> {
    let row = sqlx::query("SELECT id FROM notifications WHERE user_id = $1 AND id = $2")
        .bind(user.to_string())
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// Deletes at most `limit` that were made before this time: how many.
pub async fn sweep(connection: &mut AnyConnection, before: Timestamp, limit: u32) -> Result<u64> {
    let done = sqlx::query("DELETE FROM notifications WHERE id IN (SELECT id FROM notifications WHERE created_at < $1 ORDER BY created_at LIMIT $2)")
        .bind(before.micros())
        .bind(i64::from(limit))
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests;
