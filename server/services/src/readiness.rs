//! Readiness: whether the database accepts a write and has room for more.

use storage::settings;

use crate::Services;

/// Key of the row that is written.
const KEY: &str = "readiness";

/// Writes a row, since reading works on a database that is read-only or full. Errors: those of storage, for the log.
pub async fn try_write(services: &Services) -> storage::Result<()> {
    services.db.check_room()?;
    let mut write = services.db.begin_write().await?;
    settings::set(&mut write, KEY, &services.clock.now()).await?;
    write.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestWorld;

    #[tokio::test]
    async fn a_database_that_takes_changes_is_ready_and_a_closed_one_is_not() {
        let world = TestWorld::college().await;
        try_write(&world.services).await.expect("ready");
        try_write(&world.services).await.expect("still ready");
        world.services.db.close().await;
        assert!(matches!(try_write(&world.services).await, Err(storage::Error::Away(_))));
    }
}
