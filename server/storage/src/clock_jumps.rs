//! Periods that the machine's clock skipped while the portal ran.

use domain::time::Timestamp;
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// Returns whether it is new.
pub async fn add(connection: &mut AnyConnection, from: Timestamp, to: Timestamp) -> Result<bool> {
    let done = sqlx::query("INSERT INTO clock_jumps (from_at, to_at) VALUES ($1, $2) ON CONFLICT (from_at) DO NOTHING")
        .bind(from.micros())
        .bind(to.micros())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// All of them, the earliest first.
pub async fn all(connection: &mut AnyConnection) -> Result<Vec<(Timestamp, Timestamp)>> {
    let rows = sqlx::query("SELECT from_at, to_at FROM clock_jumps ORDER BY from_at").fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("clock_jumps", row);
            Ok((row.timestamp("from_at")?, row.timestamp("to_at")?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::for_each_engine;

    #[tokio::test]
    async fn a_jump_is_kept_once() {
        for_each_engine("storage::clock_jumps::a_jump_is_kept_once", |test| async move {
            let mut write = test.database.begin_write().await.expect("a transaction");
            let at = Timestamp::from_seconds;
            assert!(add(&mut write, at(5), at(9)).await.expect("added"));
            assert!(add(&mut write, at(1), at(2)).await.expect("added"));
            assert!(!add(&mut write, at(5), at(9)).await.expect("known"));
            assert_eq!(all(&mut write).await.expect("read"), [(at(1), at(2)), (at(5), at(9))]);
        })
        .await;
    }
}
