//! Approval policies, one a tenant: what is in force, the draft, and the versions that were (C1).

use domain::{
    approvals::Policy,
    ids::{TenantId, UserId},
    people::PersonRef,
    policies::{PolicyVersion, StoredPolicy},
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{
    error::Result,
    row::{Row, json},
};

/// What is in force everywhere.
pub async fn all(connection: &mut AnyConnection) -> Result<Vec<(TenantId, Policy)>> {
    let rows = sqlx::query("SELECT tenant_id, document FROM approval_policies").fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("approval_policies", row);
            Ok((row.parse("tenant_id")?, row.json("document")?))
        })
        .collect()
}

/// Gives a tenant its first policy. `false` when it has one.
pub async fn insert(connection: &mut AnyConnection, tenant: TenantId, policy: &Policy, now: Timestamp) -> Result<bool> {
    let done = sqlx::query("INSERT INTO approval_policies (tenant_id, version, document) VALUES ($1, 1, $2) ON CONFLICT (tenant_id) DO NOTHING")
        .bind(tenant.to_string())
        .bind(json(policy))
        .execute(&mut *connection)
        .await?;
    let added = done.rows_affected() == 1;
    if added {
        keep(connection, tenant, 1, policy, now, None).await?;
    }
    Ok(added)
}

/// A tenant's policy with its draft. `None` for a tenant without one.
pub async fn find(connection: &mut AnyConnection, tenant: TenantId) -> Result<Option<StoredPolicy>> {
    let row = sqlx::query("SELECT tenant_id, version, document, draft, revision FROM approval_policies WHERE tenant_id = $1")
        .bind(tenant.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        let row = Row::of("approval_policies", &row);
        Ok(StoredPolicy {
            tenant: row.parse("tenant_id")?,
            version: row.integer("version")?,
            policy: row.json("document")?,
            draft: row.optional_json("draft")?,
            revision: row.integer("revision")?,
        })
    })
    .transpose()
}

/// Writes or drops the draft, if nobody edited since `revision`: whether it was written.
pub async fn save_draft(connection: &mut AnyConnection, tenant: TenantId, revision: i64, draft: Option<&Policy>) -> Result<bool> {
    let done = sqlx::query("UPDATE approval_policies SET draft = $3, revision = revision + 1 WHERE tenant_id = $1 AND revision = $2")
        .bind(tenant.to_string())
        .bind(revision)
        .bind(draft.map(json))
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a policy in force as the version after `stored`, drops the draft and keeps the version; whether nobody edited since.
pub async fn publish(connection: &mut AnyConnection, stored: &StoredPolicy, policy: &Policy, now: Timestamp, by: UserId) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE approval_policies SET document = $3, draft = NULL, version = version + 1, revision = revision + 1 \
         WHERE tenant_id = $1 AND revision = $2",
    )
    .bind(stored.tenant.to_string())
    .bind(stored.revision)
    .bind(json(policy))
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() != 1 {
        return Ok(false);
    }
    keep(connection, stored.tenant, stored.version + 1, policy, now, Some(by)).await?;
    Ok(true)
}

async fn keep(connection: &mut AnyConnection, tenant: TenantId, version: i64, policy: &Policy, now: Timestamp, by: Option<UserId>) -> Result<()> {
    sqlx::query("INSERT INTO approval_policy_versions (tenant_id, version, document, published_at, published_by) VALUES ($1, $2, $3, $4, $5)")
        .bind(tenant.to_string())
        .bind(version)
        .bind(json(policy))
        .bind(now.micros())
        .bind(by.map(|by| by.to_string()))
        .execute(connection)
        .await?;
    Ok(())
}

/// Versions of a tenant's policy, the newest first.
pub async fn versions(connection: &mut AnyConnection, tenant: TenantId, limit: u32) -> Result<Vec<PolicyVersion>> {
    let rows = sqlx::query(
        "SELECT v.version, v.document, v.published_at, v.published_by, u.login AS user_login, u.name AS user_name \
         FROM approval_policy_versions v LEFT JOIN users u ON u.id = v.published_by WHERE v.tenant_id = $1 ORDER BY v.version DESC LIMIT $2",
    )
    .bind(tenant.to_string())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("approval_policy_versions", row);
            let policy: Policy = row.json("document")?;
            let published_by = match row.optional_parse("published_by")? {
                Some(id) => Some(PersonRef { id, login: row.text("user_login")?, name: row.text("user_name")? }),
                None => None,
            };
            Ok(PolicyVersion {
                version: row.integer("version")?,
                rules: u32::try_from(policy.rules.len()).unwrap_or(u32::MAX),
                published_at: row.timestamp("published_at")?,
                published_by,
            })
        })
        .collect()
}
