//! Searches that somebody keeps under a name.

use domain::{
    audit::SavedSearch,
    ids::{AuditSearchId, TenantId, UserId},
    people::PersonRef,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{
    error::Result,
    row::{Row, json},
};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.owner_id, u.login, u.name AS owner_name, s.name, s.shared, s.filter, s.created_at \
             FROM audit_searches s JOIN users u ON u.id = s.owner_id WHERE ",
            $rest
        )
    };
}

fn read(row: &AnyRow) -> Result<SavedSearch> {
    let row = Row::of("audit_searches", row);
    Ok(SavedSearch {
        id: row.parse("id")?,
        owner: PersonRef { id: row.parse("owner_id")?, login: row.text("login")?, name: row.text("owner_name")? },
        name: row.text("name")?,
        shared: row.flag("shared")?,
        filter: row.json("filter")?,
        created_at: row.timestamp("created_at")?,
    })
}

/// Errors: `NotUnique` on `audit_searches.owner_id` (with `name`).
pub async fn insert(connection: &mut AnyConnection, tenant: TenantId, search: &SavedSearch) -> Result<()> {
    sqlx::query("INSERT INTO audit_searches (id, tenant_id, owner_id, name, shared, filter, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(search.id.to_string())
        .bind(tenant.to_string())
        .bind(search.owner.id.to_string())
        .bind(search.name.clone())
        .bind(i64::from(search.shared))
        .bind(json(&search.filter))
        .bind(search.created_at.micros())
        .execute(connection)
        .await?;
    Ok(())
}

/// What a person sees: their own and what others of the tenant share, in order of name.
pub async fn visible(connection: &mut AnyConnection, tenant: TenantId, user: UserId, limit: u32) -> Result<Vec<SavedSearch>> {
    let rows = sqlx::query(select!("s.tenant_id = $1 AND (s.owner_id = $2 OR s.shared = 1) ORDER BY s.name, s.id LIMIT $3"))
        .bind(tenant.to_string())
        .bind(user.to_string())
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// One of a tenant; `None` when there is none of that id.
pub async fn find(connection: &mut AnyConnection, tenant: TenantId, id: AuditSearchId) -> Result<Option<SavedSearch>> {
    let row = sqlx::query(select!("s.tenant_id = $1 AND s.id = $2")).bind(tenant.to_string()).bind(id.to_string()).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// How many a person keeps.
pub async fn count(connection: &mut AnyConnection, owner: UserId) -> Result<u32> {
    let row = sqlx::query("SELECT COUNT(*) AS kept FROM audit_searches WHERE owner_id = $1").bind(owner.to_string()).fetch_one(connection).await?;
    Row::of("audit_searches", &row).count("kept")
}

/// `false` when there was none.
pub async fn delete(connection: &mut AnyConnection, id: AuditSearchId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM audit_searches WHERE id = $1").bind(id.to_string()).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}
