//! Failed tries to sign in, counted by second, so that any window of 60 seconds can be summed exactly on every replica.

use domain::time::Timestamp;
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// Length of the window.
pub const WINDOW_SECONDS: i64 = 60;

/// What a bucket (an account or an address) has used up in the window that ends at `now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    pub attempts: i64,
    /// Seconds until a bucket of `limit` has room again; 0 when it has now.
    pub wait_seconds: u32,
}

/// Sums the window and says how long a caller over `limit` waits.
pub async fn used(connection: &mut AnyConnection, bucket: &str, limit: i64, now: Timestamp) -> Result<Used> {
    let rows = sqlx::query("SELECT second, attempts FROM sign_in_attempts WHERE bucket = $1 AND second > $2 ORDER BY second")
        .bind(bucket.to_owned())
        .bind(now.seconds() - WINDOW_SECONDS)
        .fetch_all(connection)
        .await?;
    let mut tries = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = Row::of("sign_in_attempts", row);
        tries.push((row.integer("second")?, row.integer("attempts")?));
    }
    let attempts = tries.iter().map(|(_, count)| count).sum();
    let mut left = attempts;
    let mut wait_seconds = 0;
    // The oldest leave the window first.
    for (second, count) in tries {
        if left < limit {
            break;
        }
        left -= count;
        wait_seconds = u32::try_from(second + WINDOW_SECONDS - now.seconds()).unwrap_or(1).max(1);
    }
    Ok(Used { attempts, wait_seconds })
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

/// Deletes what no window reaches any more; returns how many rows.
pub async fn sweep(connection: &mut AnyConnection, now: Timestamp) -> Result<u64> {
    let done = sqlx::query("DELETE FROM sign_in_attempts WHERE second <= $1").bind(now.seconds() - WINDOW_SECONDS).execute(connection).await?;
    Ok(done.rows_affected())
}
