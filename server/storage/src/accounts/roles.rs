//! Roles of people in their tenant.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    access::Role,
    ids::{TenantId, UserId},
};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

pub async fn of_user(connection: &mut AnyConnection, user: UserId) -> Result<BTreeSet<Role>> {
    let rows = sqlx::query("SELECT role FROM user_roles WHERE user_id = $1").bind(user.to_string()).fetch_all(connection).await?;
    rows.iter().map(|row| Row::of("user_roles", row).state("role", Role::parse)).collect()
}

/// Roles of everybody in a tenant, in one statement.
pub async fn of_tenant(connection: &mut AnyConnection, tenant: TenantId) -> Result<BTreeMap<UserId, BTreeSet<Role>>> {
    let rows = sqlx::query(
        "SELECT user_roles.user_id AS user_id, user_roles.role AS role FROM user_roles \
         JOIN users ON users.id = user_roles.user_id WHERE users.tenant_id = $1",
    )
    .bind(tenant.to_string())
    .fetch_all(connection)
    .await?;
    let mut roles = BTreeMap::<UserId, BTreeSet<Role>>::new();
    for row in &rows {
        let row = Row::of("user_roles", row);
        roles.entry(row.parse("user_id")?).or_default().insert(row.state("role", Role::parse)?);
    }
    Ok(roles)
}

/// Who has a role in a tenant and may sign in: whom to tell.
pub async fn holders(connection: &mut AnyConnection, tenant: TenantId, role: Role) -> Result<BTreeSet<UserId>> {
    let rows = sqlx::query(
        "SELECT user_roles.user_id AS user_id FROM user_roles JOIN users ON users.id = user_roles.user_id \
         WHERE users.tenant_id = $1 AND user_roles.role = $2 AND users.disabled_at IS NULL",
    )
    .bind(tenant.to_string())
    .bind(role.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Row::of("user_roles", row).parse("user_id")).collect()
}

/// Replaces all roles of a person.
pub async fn set(connection: &mut AnyConnection, user: UserId, roles: &BTreeSet<Role>) -> Result<()> {
    sqlx::query("DELETE FROM user_roles WHERE user_id = $1").bind(user.to_string()).execute(&mut *connection).await?;
    // Five roles at most.
    for role in roles {
        sqlx::query("INSERT INTO user_roles (user_id, role) VALUES ($1, $2)")
            .bind(user.to_string())
            .bind(role.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
