//! Tenants and their courses with quotas and budgets.

use domain::{
    courses::{Course, Tenant},
    gpu::CardShare,
    ids::{CourseId, TenantId},
    quotas::{Amounts, QuotaSettings},
    time::Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{error::Result, row::Row};

fn read_tenant(row: &AnyRow) -> Result<Tenant> {
    let row = Row::of("tenants", row);
    Ok(Tenant { id: row.parse("id")?, slug: row.text("slug")?, name: row.text("name")? })
}

/// Errors: `NotUnique` on `tenants.slug`.
pub async fn insert_tenant(connection: &mut AnyConnection, tenant: &Tenant, at: Timestamp) -> Result<()> {
    sqlx::query("INSERT INTO tenants (id, slug, name, created_at) VALUES ($1, $2, $3, $4)")
        .bind(tenant.id.to_string())
        .bind(tenant.slug.clone())
        .bind(tenant.name.clone())
        .bind(at.micros())
        .execute(connection)
        .await?;
    Ok(())
}

pub async fn tenant(connection: &mut AnyConnection, id: TenantId) -> Result<Option<Tenant>> {
    let row = sqlx::query("SELECT id, slug, name FROM tenants WHERE id = $1").bind(id.to_string()).fetch_optional(connection).await?;
    row.as_ref().map(read_tenant).transpose()
}

/// All tenants, oldest first.
pub async fn tenants(connection: &mut AnyConnection) -> Result<Vec<Tenant>> {
    let rows = sqlx::query("SELECT id, slug, name FROM tenants ORDER BY id").fetch_all(connection).await?;
    rows.iter().map(read_tenant).collect()
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, tenant_id, code, name, namespace, cards_limit, cpu_cores_limit, memory_gib_limit, storage_gib_limit, ",
            "running_labs_limit, budget_micros, currency, cards_per_order, starts_per_day FROM courses ",
            $rest
        )
    };
}

fn read(row: &AnyRow) -> Result<Course> {
    let row = Row::of("courses", row);
    Ok(Course {
        id: row.parse("id")?,
        tenant: row.parse("tenant_id")?,
        code: row.text("code")?,
        name: row.text("name")?,
        namespace: row.text("namespace")?,
        settings: QuotaSettings {
            limits: Amounts {
                cards: CardShare::from_parts(row.integer("cards_limit")?),
                cpu_cores: row.integer("cpu_cores_limit")?,
                memory_gib: row.integer("memory_gib_limit")?,
                storage_gib: row.integer("storage_gib_limit")?,
                running_labs: row.integer("running_labs_limit")?,
            },
            budget: row.money("budget_micros", "currency")?,
            cards_per_order: CardShare::from_parts(row.integer("cards_per_order")?),
            starts_per_day: CardShare::from_parts(row.integer("starts_per_day")?),
        },
    })
}

/// Errors: `NotUnique` on `courses.tenant_id` (with `courses.code`) or `courses.namespace`.
pub async fn insert(connection: &mut AnyConnection, course: &Course, at: Timestamp) -> Result<()> {
    let QuotaSettings { limits, budget, cards_per_order, starts_per_day } = &course.settings;
    sqlx::query(
        "INSERT INTO courses (id, tenant_id, code, name, namespace, cards_limit, cpu_cores_limit, memory_gib_limit, storage_gib_limit, \
         running_labs_limit, budget_micros, currency, cards_per_order, starts_per_day, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(course.id.to_string())
    .bind(course.tenant.to_string())
    .bind(course.code.clone())
    .bind(course.name.clone())
    .bind(course.namespace.clone())
    .bind(limits.cards.parts())
    .bind(limits.cpu_cores)
    .bind(limits.memory_gib)
    .bind(limits.storage_gib)
    .bind(limits.running_labs)
    .bind(budget.micros)
    .bind(budget.currency.code())
    .bind(cards_per_order.parts())
    .bind(starts_per_day.parts())
    .bind(at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn by_id(connection: &mut AnyConnection, id: CourseId) -> Result<Option<Course>> {
    sqlx::query(select!("WHERE id = $1")).bind(id.to_string()).fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// By its code in a tenant, as it was typed when the course was made.
pub async fn by_code(connection: &mut AnyConnection, tenant: TenantId, code: &str) -> Result<Option<Course>> {
    sqlx::query(select!("WHERE tenant_id = $1 AND code = $2"))
        .bind(tenant.to_string())
        .bind(code.to_owned())
        .fetch_optional(connection)
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// All of a tenant, in order of code.
pub async fn list(connection: &mut AnyConnection, tenant: TenantId) -> Result<Vec<Course>> {
    let rows = sqlx::query(select!("WHERE tenant_id = $1 ORDER BY code")).bind(tenant.to_string()).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

#[cfg(test)]
mod tests;
