//! Work that waits, one row for each kind and subject. Wanting it again while it is being done makes it be done again.

use domain::{ids::OutboxId, time::Timestamp};
use sqlx::AnyConnection;

use crate::{
    error::Result,
    row::Row,
};

/// The kind whose subject is a lab's id.
pub const RECONCILE_LAB: &str = "reconcile_lab";
/// The kind whose subject is a course's id.
pub const SET_QUOTA: &str = "set_quota";

/// A piece of work as it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    pub id: OutboxId,
    pub kind: String,
    pub subject: String,
    /// Tries that did not finish it.
    pub attempts: u32,
    /// Counts the wishes for it; another number at the end means that it is wanted again.
    pub generation: i64,
}

/// Asks for work as soon as can be. `id` is used only when the row is new.
pub async fn want(connection: &mut AnyConnection, id: OutboxId, kind: &str, subject: &str, now: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO outbox (id, kind, subject, not_before, created_at) VALUES ($1, $2, $3, $4, $4) \
         ON CONFLICT (kind, subject) DO UPDATE SET generation = outbox.generation + 1, \
         not_before = CASE WHEN outbox.not_before < excluded.not_before THEN outbox.not_before ELSE excluded.not_before END",
    )
    .bind(id.to_string())
    .bind(kind.to_owned())
    .bind(subject.to_owned())
    .bind(now.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Work that is due, longest waiting first.
pub async fn due(connection: &mut AnyConnection, now: Timestamp, limit: u32) -> Result<Vec<Work>> {
    let rows =
        sqlx::query("SELECT id, kind, subject, attempts, generation FROM outbox WHERE not_before <= $1 ORDER BY not_before, id LIMIT $2")
            .bind(now.micros())
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("outbox", row);
            Ok(Work {
                id: row.parse("id")?,
                kind: row.text("kind")?,
                subject: row.text("subject")?,
                attempts: row.count("attempts")?,
                generation: row.integer("generation")?,
            })
        })
        .collect()
}

/// Removes finished work, unless it was wanted again meanwhile: whether it was removed.
pub async fn finish(connection: &mut AnyConnection, work: &Work) -> Result<bool> {
    let done = sqlx::query("DELETE FROM outbox WHERE id = $1 AND generation = $2")
        .bind(work.id.to_string())
        .bind(work.generation)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts work off until `not_before`. Work that was wanted again meanwhile keeps its earlier time.
/// `error`: why it did not work out; `None` when it is only not ready yet, which counts as no failed attempt.
pub async fn postpone(connection: &mut AnyConnection, work: &Work, not_before: Timestamp, error: Option<&str>) -> Result<()> {
    sqlx::query(
        "UPDATE outbox SET not_before = CASE WHEN generation = $2 THEN $3 ELSE not_before END, \
         attempts = CASE WHEN $4 IS NULL THEN 0 ELSE attempts + 1 END, last_error = $4 WHERE id = $1",
    )
    .bind(work.id.to_string())
    .bind(work.generation)
    .bind(not_before.micros())
    .bind(error.map(|text| text.chars().take(500).collect::<String>()))
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes all work due that was put off because it failed: what was in its way is gone.
pub async fn hasten(connection: &mut AnyConnection, now: Timestamp) -> Result<()> {
    sqlx::query("UPDATE outbox SET not_before = $1 WHERE last_error IS NOT NULL AND not_before > $1")
        .bind(now.micros())
        .execute(connection)
        .await?;
    Ok(())
}

/// How much waits, and since when the oldest of it has been due.
pub async fn backlog(connection: &mut AnyConnection, now: Timestamp) -> Result<(u32, Option<Timestamp>)> {
    let row = sqlx::query("SELECT COUNT(*) AS waiting, MIN(not_before) AS oldest FROM outbox WHERE not_before <= $1")
        .bind(now.micros())
        .fetch_one(connection)
        .await?;
    let row = Row::of("outbox", &row);
    Ok((row.count("waiting")?, row.optional_timestamp("oldest")?))
}

/// When the next piece of work is due.
pub async fn next_due(connection: &mut AnyConnection) -> Result<Option<Timestamp>> {
    let row = sqlx::query("SELECT MIN(not_before) AS next FROM outbox").fetch_one(connection).await?;
    Row::of("outbox", &row).optional_timestamp("next")
}
