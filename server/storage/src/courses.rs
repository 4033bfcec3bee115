//! Tenants and their courses with quotas and budgets.

use domain::{
    courses::{Course, Tenant},
    gpu::CardShare,
    ids::{CourseId, TenantId},
    money::Money,
    quotas::{Amounts, BudgetTerms, QuotaSettings},
    time::Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{
    error::Result,
    folded,
    row::{Row, json},
};

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

/// All colleges, oldest first; what is below them is in `departments.rs`.
pub async fn tenants(connection: &mut AnyConnection) -> Result<Vec<Tenant>> {
    let rows = sqlx::query("SELECT id, slug, name FROM tenants WHERE parent_id IS NULL ORDER BY id").fetch_all(connection).await?;
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
         running_labs_limit, budget_micros, currency, cards_per_order, starts_per_day, created_at, folded) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
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
    .bind(folded::course(&course.code, &course.name))
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

/// One of a tenant that takes orders, by its id or else its code; `None` for what is archived too.
pub async fn open(connection: &mut AnyConnection, tenant: TenantId, name: &str) -> Result<Option<Course>> {
    let (sql, name) = match name.parse::<CourseId>() {
        Ok(id) => (select!("WHERE tenant_id = $1 AND id = $2 AND archived_at IS NULL"), id.to_string()),
        Err(_) => (select!("WHERE tenant_id = $1 AND code = $2 AND archived_at IS NULL"), name.to_owned()),
    };
    sqlx::query(sql).bind(tenant.to_string()).bind(name).fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// Where a course is in the tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    pub department: Option<TenantId>,
    pub archived_at: Option<Timestamp>,
}

/// `None` when there is no such course.
pub async fn place(connection: &mut AnyConnection, id: CourseId) -> Result<Option<Place>> {
    let row = sqlx::query("SELECT department_id, archived_at FROM courses WHERE id = $1").bind(id.to_string()).fetch_optional(connection).await?;
    row.as_ref()
        .map(|row| {
            let row = Row::of("courses", row);
            Ok(Place { department: row.optional_parse("department_id")?, archived_at: row.optional_timestamp("archived_at")? })
        })
        .transpose()
}

pub async fn set_place(connection: &mut AnyConnection, id: CourseId, place: Place) -> Result<()> {
    sqlx::query("UPDATE courses SET department_id = $1, archived_at = $2 WHERE id = $3")
        .bind(place.department.map(|id| id.to_string()))
        .bind(place.archived_at.map(Timestamp::micros))
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

pub async fn set_name(connection: &mut AnyConnection, id: CourseId, name: &str) -> Result<()> {
    let row = sqlx::query("UPDATE courses SET name = $1 WHERE id = $2 RETURNING code")
        .bind(name.to_owned())
        .bind(id.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(row) = row {
        let code = Row::of("courses", &row).text("code")?;
        let query = sqlx::query("UPDATE courses SET folded = $1 WHERE id = $2").bind(folded::course(&code, name)).bind(id.to_string());
        query.execute(connection).await?;
    }
    Ok(())
}

/// Everything but the budget.
pub async fn set_quota(connection: &mut AnyConnection, id: CourseId, settings: &QuotaSettings) -> Result<()> {
    let QuotaSettings { limits, budget: _, cards_per_order, starts_per_day } = settings;
    sqlx::query(
        "UPDATE courses SET cards_limit = $1, cpu_cores_limit = $2, memory_gib_limit = $3, storage_gib_limit = $4, running_labs_limit = $5, \
         cards_per_order = $6, starts_per_day = $7 WHERE id = $8",
    )
    .bind(limits.cards.parts())
    .bind(limits.cpu_cores)
    .bind(limits.memory_gib)
    .bind(limits.storage_gib)
    .bind(limits.running_labs)
    .bind(cards_per_order.parts())
    .bind(starts_per_day.parts())
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn set_budget(connection: &mut AnyConnection, id: CourseId, amount: Money, terms: &BudgetTerms) -> Result<()> {
    let BudgetTerms { from, to, thresholds } = terms;
    sqlx::query("UPDATE courses SET budget_micros = $1, currency = $2, budget_from = $3, budget_to = $4, budget_thresholds = $5 WHERE id = $6")
        .bind(amount.micros)
        .bind(amount.currency.code())
        .bind(from.map(Timestamp::micros))
        .bind(to.map(Timestamp::micros))
        .bind(json(thresholds))
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// What keeps a course from being archived: labs that are not destroyed, orders that are not decided or wait for cards.
pub async fn in_the_way(connection: &mut AnyConnection, id: CourseId) -> Result<(u32, u32)> {
    let row = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM labs WHERE course_id = $1 AND state <> 'destroyed') AS labs, \
         (SELECT COUNT(*) FROM orders WHERE course_id = $1 AND state IN ('pending_approval', 'queued')) AS orders",
    )
    .bind(id.to_string())
    .fetch_one(connection)
    .await?;
    let row = Row::of("courses", &row);
    Ok((row.count("labs")?, row.count("orders")?))
}

/// Courses whose namespaces may be there: those with labs that are not destroyed.
pub async fn with_namespaces(connection: &mut AnyConnection) -> Result<Vec<CourseId>> {
    let rows = sqlx::query("SELECT DISTINCT course_id FROM labs WHERE state <> 'destroyed' ORDER BY course_id").fetch_all(connection).await?;
    rows.iter().map(|row| Row::of("labs", row).parse("course_id")).collect()
}

/// All of a tenant, in order of code.
pub async fn list(connection: &mut AnyConnection, tenant: TenantId) -> Result<Vec<Course>> {
    let rows = sqlx::query(select!("WHERE tenant_id = $1 ORDER BY code")).bind(tenant.to_string()).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

#[cfg(test)]
mod tests;
