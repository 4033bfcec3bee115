//! Failed sign-in tries, counted by second in the database, so that all replicas see the same window.

use std::collections::BTreeMap;

use domain::time::Timestamp;
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// Length of the window; older failures are forgotten.
pub const WINDOW_SECONDS: i64 = 15 * 60;

/// Failures of a bucket (an account, an address, or both) within the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recent {
    pub failures: i64,
    /// Second of the last failure.
    pub last: i64,
}

/// Failures of these buckets in the window that ends at `now`; a bucket without failures is left out. One statement for each four buckets.
pub async fn recent(connection: &mut AnyConnection, buckets: &[String], now: Timestamp) -> Result<BTreeMap<String, Recent>> {
    let mut found = BTreeMap::new();
    for buckets in buckets.chunks(4) {
        let bucket = |index: usize| buckets.get(index).cloned();
        let rows = sqlx::query(
            "SELECT bucket, CAST(SUM(attempts) AS BIGINT) AS failures, MAX(second) AS last_second FROM sign_in_attempts \
             WHERE bucket IN ($1, $2, $3, $4) AND second > $5 GROUP BY bucket",
        )
        .bind(bucket(0))
        .bind(bucket(1))
        .bind(bucket(2))
        .bind(bucket(3))
        .bind(now.seconds() - WINDOW_SECONDS)
        .fetch_all(&mut *connection)
        .await?;
        for row in &rows {
            let row = Row::of("sign_in_attempts", row);
            found.insert(row.text("bucket")?, Recent { failures: row.integer("failures")?, last: row.integer("last_second")? });
        }
    }
    Ok(found)
}

/// Counts one failed try.
pub async fn add(connection: &mut AnyConnection, bucket: &str, now: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO sign_in_attempts (bucket, second, attempts) VALUES ($1, $2, 1) \
         ON CONFLICT (bucket, second) DO UPDATE SET attempts = sign_in_attempts.attempts + 1",
    )
    .bind(bucket.to_owned())
    .bind(now.seconds())
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets all failures of a bucket.
pub async fn clear(connection: &mut AnyConnection, bucket: &str) -> Result<()> {
    sqlx::query("DELETE FROM sign_in_attempts WHERE bucket = $1").bind(bucket.to_owned()).execute(connection).await?;
    Ok(())
}

/// Deletes what no window reaches any more; returns how many rows.
pub async fn sweep(connection: &mut AnyConnection, now: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM sign_in_attempts WHERE second <= $1").bind(now.seconds() - WINDOW_SECONDS).execute(connection).await?;
    Ok(done.rows_affected())
}
