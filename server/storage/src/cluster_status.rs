//! What is known of the cluster: one document. The cards that it has are in the pools.

use domain::{cluster::ClusterStatus, time::Timestamp};
use sqlx::AnyConnection;

use crate::{
    error::Result,
    row::{Row, json},
};

/// Writes the status without its pools.
pub async fn put(connection: &mut AnyConnection, status: &ClusterStatus, now: Timestamp) -> Result<()> {
    let document = ClusterStatus { pools: Vec::new(), ..status.clone() };
    sqlx::query(
        "INSERT INTO cluster_status (name, document, updated_at) VALUES ('cluster', $1, $2) \
         ON CONFLICT (name) DO UPDATE SET document = excluded.document, updated_at = excluded.updated_at",
    )
    .bind(json(&document))
    .bind(now.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// The status with empty pools; `None` before the first contact.
pub async fn get(connection: &mut AnyConnection) -> Result<Option<ClusterStatus>> {
    let row = sqlx::query("SELECT document FROM cluster_status WHERE name = 'cluster'").fetch_optional(connection).await?;
    row.map(|row| Row::of("cluster_status", &row).json("document")).transpose()
}
