//! Counts for the operators' metrics, and who owns what for the news that open pages listen to.

use domain::{
    access::Resource,
    ids::{LabId, OrderId},
};
use sqlx::{AnyConnection, any::AnyRow};

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

fn counted(row: Row<'_>) -> Result<(String, i64)> {
    Ok((row.text("state")?, row.integer("number")?))
}

/// What the policy must know of an order; `None` when there is none.
pub async fn order_resource(connection: &mut AnyConnection, id: OrderId) -> Result<Option<Resource>> {
    let row = sqlx::query("SELECT tenant_id, course_id, owner_id FROM orders WHERE id = $1").bind(id.to_string()).fetch_optional(connection).await?;
    row.as_ref().map(|row| resource("orders", row)).transpose()
}

/// What the policy must know of a lab; `None` when there is none.
pub async fn lab_resource(connection: &mut AnyConnection, id: LabId) -> Result<Option<Resource>> {
    let row = sqlx::query("SELECT tenant_id, course_id, owner_id FROM labs WHERE id = $1").bind(id.to_string()).fetch_optional(connection).await?;
    row.as_ref().map(|row| resource("labs", row)).transpose()
}

fn resource(table: &'static str, row: &AnyRow) -> Result<Resource> {
    let row = Row::of(table, row);
    Ok(Resource::owned(row.parse("tenant_id")?, row.parse("course_id")?, row.parse("owner_id")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::for_each_engine;

    #[tokio::test]
    async fn an_empty_installation_has_no_figures_and_no_owners() {
        for_each_engine("storage::figures::empty", |test| async move {
            let mut connection = test.database.read().await.unwrap();
            assert_eq!(orders_by_state(&mut connection).await.unwrap(), []);
            assert_eq!(labs_by_state(&mut connection).await.unwrap(), []);
            let nobody = uuid::Uuid::nil();
            assert_eq!(order_resource(&mut connection, OrderId::from_uuid(nobody)).await.unwrap(), None);
            assert_eq!(lab_resource(&mut connection, LabId::from_uuid(nobody)).await.unwrap(), None);
        })
        .await;
    }
}
