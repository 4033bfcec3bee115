//! Counts for the operators' metrics.

use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// Orders by state.
pub async fn orders_by_state(connection: &mut AnyConnection) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query("SELECT state, COUNT(*) AS number FROM orders GROUP BY state ORDER BY state").fetch_all(connection).await?;
    rows.iter().map(|row| counted(Row::of("orders", row))).collect()
}

/// Labs by state.
pub async fn labs_by_state(connection: &mut AnyConnection) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query("SELECT state, COUNT(*) AS number FROM labs GROUP BY state ORDER BY state").fetch_all(connection).await?;
    rows.iter().map(|row| counted(Row::of("labs", row))).collect()
}

/// Total seconds that pods of labs ran beyond the end of their time.
pub async fn overrun_seconds(connection: &mut AnyConnection) -> Result<i64> {
    let row = sqlx::query("SELECT CAST(COALESCE(SUM(ran_until - at), 0) AS BIGINT) AS micros FROM lab_changes WHERE ran_until IS NOT NULL")
        .fetch_one(connection)
        .await?;
    Ok(Row::of("lab_changes", &row).integer("micros")? / domain::time::MICROS_PER_SECOND)
}

/// Visits to labs that have not ended.
pub async fn visits_open(connection: &mut AnyConnection) -> Result<i64> {
    let row = sqlx::query("SELECT COUNT(*) AS number FROM lab_visits WHERE ended_at IS NULL").fetch_one(connection).await?;
    Row::of("lab_visits", &row).integer("number")
}

fn counted(row: Row<'_>) -> Result<(String, i64)> {
    Ok((row.text("state")?, row.integer("number")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::for_each_engine;

    #[tokio::test]
    async fn an_empty_installation_has_no_figures() {
        for_each_engine("storage::figures::empty", |test| async move {
            let mut connection = test.database.read().await.unwrap();
            assert_eq!(orders_by_state(&mut connection).await.unwrap(), []);
            assert_eq!(labs_by_state(&mut connection).await.unwrap(), []);
            assert_eq!(overrun_seconds(&mut connection).await.unwrap(), 0);
            assert_eq!(visits_open(&mut connection).await.unwrap(), 0);
        })
        .await;
    }
}
