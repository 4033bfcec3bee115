//! Drafts, published and retired versions as operators see and change them. Changes are compare-and-set: `false` means that
//! somebody else was quicker.

use std::collections::BTreeMap;

use domain::{
    ids::{OfferingId, TenantId, UserId},
    offerings::{OfferingVersion, VersionState},
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{
    error::Result,
    row::{Row, json},
};

/// As many versions as a history shows.
const SHOWN: i64 = 100;

const COLUMNS: &str = "v.document, v.state, v.revision, v.changed_at, u.name AS changed_by, v.published_at, v.retired_at";

fn version(row: &sqlx::any::AnyRow) -> Result<OfferingVersion> {
    let row = Row::of("offering_versions", row);
    Ok(OfferingVersion {
        offering: row.json("document")?,
        state: row.state("state", VersionState::parse)?,
        revision: row.integer("revision")?,
        changed_at: row.timestamp("changed_at")?,
        changed_by: row.optional_text("changed_by")?,
        published_at: row.optional_timestamp("published_at")?,
        retired_at: row.optional_timestamp("retired_at")?,
    })
}

/// Of every offering what is on sale and its newest version, in the catalogue's order, the newer first.
pub async fn overview(connection: &mut AnyConnection, owner: TenantId) -> Result<Vec<OfferingVersion>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM offerings o JOIN offering_versions v ON v.offering_id = o.id LEFT JOIN users u ON u.id = v.changed_by \
         WHERE o.tenant_id = $1 AND (v.version = (SELECT MAX(n.version) FROM offering_versions n WHERE n.offering_id = o.id) \
            OR v.version = (SELECT MAX(n.version) FROM offering_versions n WHERE n.offering_id = o.id AND n.state = 'published')) \
         ORDER BY o.position, o.slug, v.version DESC"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(owner.to_string()).fetch_all(connection).await?.iter().map(version).collect()
}

/// The offering of a slug.
pub async fn id_of(connection: &mut AnyConnection, slug: &str) -> Result<Option<OfferingId>> {
    let row = sqlx::query("SELECT id FROM offerings WHERE slug = $1").bind(slug.to_owned()).fetch_optional(connection).await?;
    row.as_ref().map(|row| Row::of("offerings", row).parse("id")).transpose()
}

/// All versions of an offering, the newest first.
pub async fn history(connection: &mut AnyConnection, id: OfferingId) -> Result<Vec<OfferingVersion>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM offering_versions v LEFT JOIN users u ON u.id = v.changed_by \
         WHERE v.offering_id = $1 ORDER BY v.version DESC LIMIT $2"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.to_string()).bind(SHOWN).fetch_all(connection).await?;
    rows.iter().map(version).collect()
}

/// Labs that exist, by offering and version.
pub async fn labs(connection: &mut AnyConnection) -> Result<BTreeMap<(OfferingId, u32), u32>> {
    let rows = sqlx::query(
        "SELECT o.offering_id, o.offering_version, COUNT(*) AS labs FROM labs l JOIN orders o ON o.id = l.order_id \
         WHERE l.state NOT IN ('destroying', 'destroyed') GROUP BY o.offering_id, o.offering_version",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("labs", row);
            Ok(((row.parse("offering_id")?, row.count("offering_version")?), row.count("labs")?))
        })
        .collect()
}

/// Makes an offering without a version, last in the catalogue. Errors: not unique on `offerings.slug`.
pub async fn insert_offering(connection: &mut AnyConnection, id: OfferingId, slug: &str, owner: TenantId) -> Result<()> {
    sqlx::query("INSERT INTO offerings (id, slug, position, tenant_id) SELECT $1, $2, COALESCE(MAX(position), 0) + 1, $3 FROM offerings")
        .bind(id.to_string())
        .bind(slug.to_owned())
        .bind(owner.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// The college that the offering belongs to; `None` if there is no such offering.
pub async fn owner(connection: &mut AnyConnection, id: OfferingId) -> Result<Option<TenantId>> {
    let row = sqlx::query("SELECT tenant_id FROM offerings WHERE id = $1").bind(id.to_string()).fetch_optional(connection).await?;
    row.as_ref().map_or(Ok(None), |row| Row::of("offerings", row).optional_parse("tenant_id"))
}

/// A new draft. Errors: not unique where that version is there already.
pub async fn insert_draft(connection: &mut AnyConnection, offering: &domain::catalogue::Offering, by: UserId, now: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO offering_versions (offering_id, version, document, state, revision, changed_at, changed_by) \
         VALUES ($1, $2, $3, 'draft', 1, $4, $5)",
    )
    .bind(offering.id.to_string())
    .bind(i64::from(offering.version))
    .bind(json(offering))
    .bind(now.micros())
    .bind(by.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes a draft that had this revision.
pub async fn update_draft(
    connection: &mut AnyConnection,
    offering: &domain::catalogue::Offering,
    revision: i64,
    by: UserId,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE offering_versions SET document = $3, revision = revision + 1, changed_at = $4, changed_by = $5 \
         WHERE offering_id = $1 AND version = $2 AND revision = $6 AND state = 'draft'",
    )
    .bind(offering.id.to_string())
    .bind(i64::from(offering.version))
    .bind(json(offering))
    .bind(now.micros())
    .bind(by.to_string())
    .bind(revision)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a version from one state to another.
pub async fn turn(
    connection: &mut AnyConnection,
    id: OfferingId,
    version: u32,
    (from, to): (VersionState, VersionState),
    by: UserId,
    now: Timestamp,
) -> Result<bool> {
    let time = match to {
        VersionState::Published => "published_at = $4, retired_at = NULL",
        VersionState::Retired => "retired_at = $4",
        VersionState::Draft => "published_at = NULL",
    };
    let sql = format!(
        "UPDATE offering_versions SET state = $5, revision = revision + 1, changed_at = $4, changed_by = $6, {time} \
         WHERE offering_id = $1 AND version = $2 AND state = $3"
    );
    let done = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(id.to_string())
        .bind(i64::from(version))
        .bind(from.as_str())
        .bind(now.micros())
        .bind(to.as_str())
        .bind(by.to_string())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

#[cfg(test)]
mod tests;
