//! Approval policies, one a tenant (C1).

use domain::{approvals::Policy, ids::TenantId};
use sqlx::AnyConnection;

use crate::{
    error::Result,
    row::{Row, json},
};

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
pub async fn insert(connection: &mut AnyConnection, tenant: TenantId, policy: &Policy) -> Result<bool> {
    let done = sqlx::query("INSERT INTO approval_policies (tenant_id, version, document) VALUES ($1, 1, $2) ON CONFLICT (tenant_id) DO NOTHING")
        .bind(tenant.to_string())
        .bind(json(policy))
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Replaces a tenant's policy.
pub async fn replace(connection: &mut AnyConnection, tenant: TenantId, policy: &Policy) -> Result<()> {
    sqlx::query(
        "INSERT INTO approval_policies (tenant_id, version, document) VALUES ($1, 1, $2) \
         ON CONFLICT (tenant_id) DO UPDATE SET version = approval_policies.version + 1, document = excluded.document",
    )
    .bind(tenant.to_string())
    .bind(json(policy))
    .execute(connection)
    .await?;
    Ok(())
}
