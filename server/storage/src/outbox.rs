//! Work that waits, one row for each kind and subject. Wanting it again while it is being done makes it be done again.

use domain::{ids::OutboxId, time::Timestamp};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row, script::Insert};

/// The kind whose subject is a lab's id.
pub const RECONCILE_LAB: &str = "reconcile_lab";
/// The kind whose subject is a course's id.
pub const SET_QUOTA: &str = "set_quota";
/// The kind whose subject is the id of a lab with an SSH server.
pub const WRITE_KEYS: &str = "write_keys";

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
pub fn want(id: OutboxId, kind: &str, subject: &str, now: Timestamp) -> Insert {
    Insert::new(
        "INSERT INTO outbox (id, kind, subject, not_before, created_at) VALUES ($1, $2, $3, $4, $4) \
         ON CONFLICT (kind, subject) DO UPDATE SET generation = outbox.generation + 1, \
         not_before = CASE WHEN outbox.not_before < excluded.not_before THEN outbox.not_before ELSE excluded.not_before END",
    )
    .bind(id.to_string())
    .bind(kind)
    .bind(subject)
    .bind(now.micros())
}

/// Work that is due, longest waiting first.
pub async fn due(connection: &mut AnyConnection, now: Timestamp, limit: u32) -> Result<Vec<Work>> {
    let rows = sqlx::query("SELECT id, kind, subject, attempts, generation FROM outbox WHERE not_before <= $1 ORDER BY not_before, id LIMIT $2")
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
    sqlx::query("UPDATE outbox SET not_before = $1 WHERE last_error IS NOT NULL AND not_before > $1").bind(now.micros()).execute(connection).await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::for_each_engine;

    fn id(number: u128) -> OutboxId {
        OutboxId::from_uuid(uuid::Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn work_that_is_wanted_while_it_is_done_is_done_again() {
        for_each_engine("work_that_is_wanted_while_it_is_done_is_done_again", |test| async move {
            let mut write = test.database.begin_write().await.expect("a transaction");
            let now = Timestamp::from_seconds(1_000);
            want(id(1), RECONCILE_LAB, "a", now).run(&mut write).await.expect("wanted");
            let [taken] = due(&mut write, now, 10).await.expect("read").try_into().expect("one piece");
            want(id(2), RECONCILE_LAB, "a", now.plus_seconds(1)).run(&mut write).await.expect("wanted again");
            assert!(!finish(&mut write, &taken).await.expect("asked"), "the new wish stays");
            // Nor does putting the old work off delay the new wish.
            postpone(&mut write, &taken, now.plus_seconds(60), Some("in vain")).await.expect("put off");
            let [again] = due(&mut write, now, 10).await.expect("read").try_into().expect("one piece");
            assert_eq!((again.id, again.generation, again.attempts), (id(1), 2, 1));
            assert!(finish(&mut write, &again).await.expect("asked"));
            assert_eq!(due(&mut write, now.plus_minutes(60), 10).await.expect("read"), []);
        })
        .await;
    }

    #[tokio::test]
    async fn failed_work_waits_counts_its_tries_and_is_hastened() {
        for_each_engine("failed_work_waits_counts_its_tries_and_is_hastened", |test| async move {
            let mut write = test.database.begin_write().await.expect("a transaction");
            let now = Timestamp::from_seconds(1_000);
            want(id(1), RECONCILE_LAB, "a", now).run(&mut write).await.expect("wanted");
            want(id(2), SET_QUOTA, "a", now.plus_seconds(5)).run(&mut write).await.expect("wanted");
            let taken = due(&mut write, now, 10).await.expect("read").remove(0);
            postpone(&mut write, &taken, now.plus_seconds(30), Some("away")).await.expect("put off");
            assert_eq!(due(&mut write, now.plus_seconds(4), 10).await.expect("read"), []);
            assert_eq!(backlog(&mut write, now.plus_seconds(30)).await.expect("read"), (2, Some(now.plus_seconds(5))));
            hasten(&mut write, now).await.expect("hastened");
            let found = due(&mut write, now, 10).await.expect("read");
            assert_eq!(found.iter().map(|work| (work.id, work.attempts)).collect::<Vec<_>>(), [(id(1), 1)]);
            postpone(&mut write, &found[0], now.plus_seconds(1), None).await.expect("put off");
            assert_eq!(due(&mut write, now.plus_seconds(1), 10).await.expect("read")[0].attempts, 0, "waiting is no failure");
            // Wanting it does not make it later than it is.
            want(id(3), RECONCILE_LAB, "a", now.plus_seconds(50)).run(&mut write).await.expect("wanted");
            assert_eq!(due(&mut write, now.plus_seconds(1), 10).await.expect("read").len(), 1);
        })
        .await;
    }
}
