//! Offerings and their versions. The newest published version is on sale; older ones stay for the orders made from them. What
//! operators write is in `versions`.
//! Every change of the catalogue, prices or policies raises one version that the processes' caches compare.

use domain::{catalogue::Offering, ids::OfferingId, time::Timestamp};
use sqlx::AnyConnection;

pub mod versions;

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
         WHERE v.version = (SELECT MAX(n.version) FROM offering_versions n WHERE n.offering_id = o.id AND n.state = 'published') \
         ORDER BY o.position, o.slug",
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Row::of("offering_versions", row).json("document")).collect()
}

/// Publishes a version that is shipped with the product, for the college that was set up first. Does nothing if the offering already has
/// that version, or if its slug belongs to another offering.
pub async fn publish(connection: &mut AnyConnection, offering: &Offering, position: u32, now: Timestamp) -> Result<bool> {
    sqlx::query(
        "INSERT INTO offerings (id, slug, position, tenant_id) \
         VALUES ($1, $2, $3, (SELECT id FROM tenants WHERE parent_id IS NULL ORDER BY created_at, id LIMIT 1)) ON CONFLICT DO NOTHING",
    )
    .bind(offering.id.to_string())
    .bind(offering.slug.clone())
    .bind(i64::from(position))
    .execute(&mut *connection)
    .await?;
    if sqlx::query("SELECT id FROM offerings WHERE id = $1").bind(offering.id.to_string()).fetch_optional(&mut *connection).await?.is_none() {
        return Ok(false);
    }
    let done = sqlx::query(
        "INSERT INTO offering_versions (offering_id, version, document, state, revision, changed_at, published_at) \
         VALUES ($1, $2, $3, 'published', 1, $4, $4) ON CONFLICT (offering_id, version) DO NOTHING",
    )
    .bind(offering.id.to_string())
    .bind(i64::from(offering.version))
    .bind(json(offering))
    .bind(now.micros())
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    retire_older(connection, offering.id, offering.version, now).await?;
    Ok(true)
}

/// Takes every older version off sale: a newer one took its place.
pub async fn retire_older(connection: &mut AnyConnection, id: OfferingId, version: u32, now: Timestamp) -> Result<()> {
    sqlx::query("UPDATE offering_versions SET state = 'retired', retired_at = $3 WHERE offering_id = $1 AND version < $2 AND state = 'published'")
        .bind(id.to_string())
        .bind(i64::from(version))
        .bind(now.micros())
        .execute(connection)
        .await?;
    Ok(())
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
