//! Departments, projects and outside customers below a college, and the tree of courses.

use domain::{
    courses::{CourseRef, Department, DepartmentKind, PlacedCourse},
    ids::TenantId,
    time::Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{error::Result, row::Row};

fn read(row: &AnyRow) -> Result<Department> {
    let row = Row::of("tenants", row);
    Ok(Department { id: row.parse("id")?, tenant: row.parse("parent_id")?, kind: row.state("kind", DepartmentKind::parse)?, name: row.text("name")? })
}

pub async fn insert(connection: &mut AnyConnection, department: &Department, at: Timestamp) -> Result<()> {
    // The slug is part of namespaces for colleges only; here it is just unique.
    sqlx::query("INSERT INTO tenants (id, slug, name, created_at, parent_id, kind) VALUES ($1, $1, $2, $3, $4, $5)")
        .bind(department.id.to_string())
        .bind(department.name.clone())
        .bind(at.micros())
        .bind(department.tenant.to_string())
        .bind(department.kind.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

pub async fn update(connection: &mut AnyConnection, department: &Department) -> Result<()> {
    sqlx::query("UPDATE tenants SET name = $1, kind = $2 WHERE id = $3")
        .bind(department.name.clone())
        .bind(department.kind.as_str())
        .bind(department.id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// `None` also for a college.
pub async fn by_id(connection: &mut AnyConnection, id: TenantId) -> Result<Option<Department>> {
    let row = sqlx::query("SELECT id, parent_id, kind, name FROM tenants WHERE id = $1 AND parent_id IS NOT NULL")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Of a college, by name.
pub async fn list(connection: &mut AnyConnection, tenant: TenantId) -> Result<Vec<Department>> {
    let rows = sqlx::query("SELECT id, parent_id, kind, name FROM tenants WHERE parent_id = $1 ORDER BY name, id")
        .bind(tenant.to_string())
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// Courses of a college with their places, by code.
pub async fn courses(connection: &mut AnyConnection, tenant: TenantId) -> Result<Vec<PlacedCourse>> {
    let rows = sqlx::query("SELECT id, code, name, department_id, archived_at FROM courses WHERE tenant_id = $1 ORDER BY code")
        .bind(tenant.to_string())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("courses", row);
            Ok(PlacedCourse {
                course: CourseRef { id: row.parse("id")?, code: row.text("code")?, name: row.text("name")? },
                department: row.optional_parse("department_id")?,
                archived: row.optional_integer("archived_at")?.is_some(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
