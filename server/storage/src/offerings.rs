//! Offerings and their versions. The newest version that is not retired is on sale; older ones stay for the orders made from them.
//! Every change of the catalogue, prices or policies raises one version that the processes' caches compare.

use domain::{catalogue::Offering, ids::OfferingId, time::Timestamp};
use sqlx::AnyConnection;

use crate::{
    error::Result,
    row::{Row, json},
};

/// Key of the row in `settings` whose version the caches compare.
const VERSION_KEY: &str = "catalogue";

/// Version of catalogue, prices and policies together; 0 before anything was laid down.
pub async fn version(connection: &mut AnyConnection) -> Result<i64> {
    let row = sqlx::query("SELECT version FROM settings WHERE key = $1").bind(VERSION_KEY).fetch_optional(connection).await?;
    row.as_ref().map_or(Ok(0), |row| Row::of("settings", row).integer("version"))
}

/// To be called in every transaction that changes what the caches keep.
pub async fn raise_version(connection: &mut AnyConnection) -> Result<()> {
    sqlx::query("INSERT INTO settings (key, value, version) VALUES ($1, 'null', 1) ON CONFLICT (key) DO UPDATE SET version = settings.version + 1")
        .bind(VERSION_KEY)
        .execute(connection)
        .await?;
    Ok(())
}

/// What is on sale, in the catalogue's order.
pub async fn on_sale(connection: &mut AnyConnection) -> Result<Vec<Offering>> {
    let rows = sqlx::query(
        "SELECT v.document FROM offerings o JOIN offering_versions v ON v.offering_id = o.id \
         WHERE v.version = (SELECT MAX(n.version) FROM offering_versions n WHERE n.offering_id = o.id AND n.retired_at IS NULL) \
         ORDER BY o.position, o.slug",
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Row::of("offering_versions", row).json("document")).collect()
}

/// Publishes a version. Nothing happens when that version of the offering is there.
pub async fn publish(connection: &mut AnyConnection, offering: &Offering, position: u32, now: Timestamp) -> Result<bool> {
    sqlx::query("INSERT INTO offerings (id, slug, position) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
        .bind(offering.id.to_string())
        .bind(offering.slug.clone())
        .bind(i64::from(position))
        .execute(&mut *connection)
        .await?;
    let done = sqlx::query(
        "INSERT INTO offering_versions (offering_id, version, document, published_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (offering_id, version) DO NOTHING",
    )
    .bind(offering.id.to_string())
    .bind(i64::from(offering.version))
    .bind(json(offering))
    .bind(now.micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One version of an offering, on sale or not.
pub async fn find(connection: &mut AnyConnection, id: OfferingId, version: u32) -> Result<Option<Offering>> {
    let row = sqlx::query("SELECT document FROM offering_versions WHERE offering_id = $1 AND version = $2")
        .bind(id.to_string())
        .bind(i64::from(version))
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(|row| Row::of("offering_versions", row).json("document")).transpose()
}
