//! Leases: one holder at a time, each with a number that grows, so that a holder that slept through its end is recognised.

use domain::time::Timestamp;
use sqlx::AnyConnection;

use crate::{
    database::{Engine, Write},
    error::Result,
    row::Row,
};

/// Takes or renews the lease until `until`: its fencing token, or `None` while somebody else holds it.
/// A renewal keeps its token; every new holding gets a larger one.
pub async fn take(connection: &mut AnyConnection, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Result<Option<i64>> {
    let row = sqlx::query(
        "INSERT INTO leases (name, holder, token, expires_at) VALUES ($1, $2, 1, $4) ON CONFLICT (name) DO UPDATE SET \
         token = CASE WHEN leases.holder = excluded.holder AND leases.expires_at > $3 THEN leases.token ELSE leases.token + 1 END, \
         holder = excluded.holder, expires_at = excluded.expires_at \
         WHERE leases.holder = excluded.holder OR leases.expires_at <= $3 RETURNING token",
    )
    .bind(name.to_owned())
    .bind(holder.to_owned())
    .bind(now.micros())
    .bind(until.micros())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(|row| Row::of("leases", row).integer("token")).transpose()
}

/// Gives the lease up, so that the next holder need not wait for its end.
pub async fn release(connection: &mut AnyConnection, name: &str, token: i64) -> Result<()> {
    sqlx::query("UPDATE leases SET expires_at = 0 WHERE name = $1 AND token = $2").bind(name.to_owned()).bind(token).execute(connection).await?;
    Ok(())
}

/// Whether `token` is still the newest. On PostgreSQL the row stays locked against a new holder until the transaction ends.
pub async fn is_newest(write: &mut Write, name: &str, token: i64) -> Result<bool> {
    let sql = match write.engine() {
        Engine::Sqlite => "SELECT token FROM leases WHERE name = $1",
        Engine::Postgres => "SELECT token FROM leases WHERE name = $1 FOR SHARE",
    };
    let row = sqlx::query(sql).bind(name.to_owned()).fetch_optional(&mut **write).await?;
    let newest = row.as_ref().map(|row| Row::of("leases", row).integer("token")).transpose()?;
    Ok(newest == Some(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::for_each_engine;

    #[tokio::test]
    async fn a_lease_has_one_holder_and_a_token_that_grows() {
        for_each_engine("a_lease_has_one_holder_and_a_token_that_grows", |test| async move {
            let mut write = test.database.begin_write().await.expect("a transaction");
            let at = Timestamp::from_seconds;
            assert_eq!(take(&mut write, "jobs", "one", at(0), at(10)).await.expect("asked"), Some(1));
            assert_eq!(take(&mut write, "jobs", "two", at(9), at(19)).await.expect("asked"), None);
            assert_eq!(take(&mut write, "jobs", "one", at(9), at(19)).await.expect("asked"), Some(1));
            // Its own lease, but it had ended: somebody may have been there in between.
            assert_eq!(take(&mut write, "jobs", "one", at(19), at(29)).await.expect("asked"), Some(2));
            assert!(is_newest(&mut write, "jobs", 2).await.expect("asked"));
            assert_eq!(take(&mut write, "jobs", "two", at(29), at(39)).await.expect("asked"), Some(3));
            assert!(!is_newest(&mut write, "jobs", 2).await.expect("asked"));
            release(&mut write, "jobs", 2).await.expect("asked");
            assert_eq!(take(&mut write, "jobs", "one", at(30), at(40)).await.expect("asked"), None, "an old token releases nothing");
            release(&mut write, "jobs", 3).await.expect("asked");
            assert_eq!(take(&mut write, "jobs", "one", at(30), at(40)).await.expect("asked"), Some(4));
            assert!(!is_newest(&mut write, "other", 1).await.expect("asked"));
        })
        .await;
    }
}
