//! Links by which labs are shared: only the SHA-256 of each secret is here. Who came by a link is in the visits of its passes.

use domain::{
    ids::{LabId, ShareId, TenantId, UserId},
    people::PersonRef,
    shares::{Share, ShareVisitor},
    time::Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{error::Result, row::Row};

/// A link before it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewShare {
    pub id: ShareId,
    pub tenant: TenantId,
    pub lab: LabId,
    /// The lab's owner.
    pub user: UserId,
    pub view_only: bool,
    pub created_at: Timestamp,
    pub ends_at: Timestamp,
}

/// A link as it is found by its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedLab {
    pub id: ShareId,
    pub lab: LabId,
    /// Who made it.
    pub owner: PersonRef,
    pub owner_disabled: bool,
    pub view_only: bool,
    pub ends_at: Timestamp,
    pub withdrawn_at: Option<Timestamp>,
}

/// `secret_hash`: hexadecimal SHA-256.
pub async fn insert(connection: &mut AnyConnection, share: &NewShare, secret_hash: &str) -> Result<()> {
    let NewShare { id, tenant, lab, user, view_only, created_at, ends_at } = share;
    sqlx::query(
        "INSERT INTO lab_shares (id, tenant_id, lab_id, user_id, secret_hash, view_only, created_at, ends_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id.to_string())
    .bind(tenant.to_string())
    .bind(lab.to_string())
    .bind(user.to_string())
    .bind(secret_hash.to_owned())
    .bind(i64::from(*view_only))
    .bind(created_at.micros())
    .bind(ends_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

fn share(row: &AnyRow) -> Result<Share> {
    let row = Row::of("lab_shares", row);
    Ok(Share {
        id: row.parse("id")?,
        view_only: row.flag("view_only")?,
        created_at: row.timestamp("created_at")?,
        ends_at: row.timestamp("ends_at")?,
        withdrawn_at: row.optional_timestamp("withdrawn_at")?,
        visitors: Vec::new(),
    })
}

/// Links of a lab, newest first, without their visitors.
pub async fn of_lab(connection: &mut AnyConnection, lab: LabId, limit: u32) -> Result<Vec<Share>> {
    sqlx::query("SELECT id, view_only, created_at, ends_at, withdrawn_at FROM lab_shares WHERE lab_id = $1 ORDER BY id DESC LIMIT $2")
        .bind(lab.to_string())
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?
        .iter()
        .map(share)
        .collect()
}

/// Those who used the lab by its links, the last one first.
pub async fn visitors(connection: &mut AnyConnection, lab: LabId, limit: u32) -> Result<Vec<(ShareId, ShareVisitor)>> {
    let rows = sqlx::query(
        "SELECT p.share_id, v.user_id, u.login, u.name, MIN(v.started_at) AS first_at, MAX(v.last_used_at) AS last_at \
         FROM lab_visits v JOIN lab_passes p ON p.id = v.pass_id JOIN users u ON u.id = v.user_id \
         WHERE v.lab_id = $1 AND p.share_id IS NOT NULL GROUP BY p.share_id, v.user_id, u.login, u.name \
         ORDER BY last_at DESC, v.user_id LIMIT $2",
    )
    .bind(lab.to_string())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("lab_visits", row);
            let person = PersonRef { id: row.parse("user_id")?, login: row.text("login")?, name: row.text("name")? };
            let visitor = ShareVisitor { person, first_at: row.timestamp("first_at")?, last_at: row.timestamp("last_at")? };
            Ok((row.parse("share_id")?, visitor))
        })
        .collect()
}

/// How many links of the lab are good at `now`.
pub async fn good(connection: &mut AnyConnection, lab: LabId, now: Timestamp) -> Result<u32> {
    let row = sqlx::query("SELECT COUNT(*) AS links FROM lab_shares WHERE lab_id = $1 AND withdrawn_at IS NULL AND ends_at > $2")
        .bind(lab.to_string())
        .bind(now.micros())
        .fetch_one(connection)
        .await?;
    Row::of("lab_shares", &row).count("links")
}

/// One link of this lab, without its visitors.
pub async fn get(connection: &mut AnyConnection, lab: LabId, id: ShareId) -> Result<Option<Share>> {
    let row = sqlx::query("SELECT id, view_only, created_at, ends_at, withdrawn_at FROM lab_shares WHERE lab_id = $1 AND id = $2")
        .bind(lab.to_string())
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(share).transpose()
}

/// The link with this secret, whatever became of it. `secret_hash`: hexadecimal SHA-256.
pub async fn by_secret(connection: &mut AnyConnection, secret_hash: &str) -> Result<Option<SharedLab>> {
    let row = sqlx::query(
        "SELECT s.id, s.lab_id, s.user_id, u.login, u.name, u.disabled_at, s.view_only, s.ends_at, s.withdrawn_at \
         FROM lab_shares s JOIN users u ON u.id = s.user_id WHERE s.secret_hash = $1",
    )
    .bind(secret_hash.to_owned())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let row = Row::of("lab_shares", &row);
    Ok(Some(SharedLab {
        id: row.parse("id")?,
        lab: row.parse("lab_id")?,
        owner: PersonRef { id: row.parse("user_id")?, login: row.text("login")?, name: row.text("name")? },
        owner_disabled: row.optional_timestamp("disabled_at")?.is_some(),
        view_only: row.flag("view_only")?,
        ends_at: row.timestamp("ends_at")?,
        withdrawn_at: row.optional_timestamp("withdrawn_at")?,
    }))
}

/// Withdraws a link; `false` if it was withdrawn or over.
pub async fn withdraw(connection: &mut AnyConnection, id: ShareId, at: Timestamp) -> Result<bool> {
    let done = sqlx::query("UPDATE lab_shares SET withdrawn_at = $2 WHERE id = $1 AND withdrawn_at IS NULL AND ends_at > $2")
        .bind(id.to_string())
        .bind(at.micros())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

#[cfg(test)]
mod tests;
