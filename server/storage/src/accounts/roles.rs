//! Roles of people at their college and at its departments.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    access::Role,
    courses::DepartmentRef,
    ids::{CourseId, TenantId, UserId},
    people::Post,
};
use sqlx::AnyConnection;

use crate::{error::Result, ids_list::list, row::Row};

/// At the college.
pub async fn of_user(connection: &mut AnyConnection, user: UserId) -> Result<BTreeSet<Role>> {
    let rows = sqlx::query(
        "SELECT user_roles.role AS role FROM user_roles JOIN users ON users.id = user_roles.user_id AND users.tenant_id = user_roles.tenant_id \
         WHERE user_roles.user_id = $1",
    )
    .bind(user.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Row::of("user_roles", row).state("role", Role::parse)).collect()
}

/// What somebody's roles at departments cover.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtDepartments {
    /// By role, the courses of the departments where it was given.
    pub roles: BTreeMap<Role, BTreeSet<CourseId>>,
    /// Those departments, and those of the courses that the person teaches.
    pub departments: BTreeSet<TenantId>,
}

/// One statement.
pub async fn at_departments(connection: &mut AnyConnection, user: UserId) -> Result<AtDepartments> {
    let rows = sqlx::query(
        "SELECT r.role AS role, r.tenant_id AS department, c.id AS course_id FROM user_roles r \
         JOIN tenants d ON d.id = r.tenant_id AND d.parent_id IS NOT NULL LEFT JOIN courses c ON c.department_id = d.id WHERE r.user_id = $1 \
         UNION ALL SELECT NULL, c.department_id, NULL FROM course_members m JOIN courses c ON c.id = m.course_id \
         WHERE m.user_id = $1 AND c.department_id IS NOT NULL",
    )
    .bind(user.to_string())
    .fetch_all(connection)
    .await?;
    let mut found = AtDepartments::default();
    for row in &rows {
        let row = Row::of("user_roles", row);
        found.departments.insert(row.parse("department")?);
        if row.optional_text("role")?.is_some() {
            // A department without courses still gives the role.
            let covered = found.roles.entry(row.state("role", Role::parse)?).or_default();
            covered.extend(row.optional_parse::<CourseId>("course_id")?);
        }
    }
    Ok(found)
}

/// Roles at the college and at departments of these people, in one statement.
pub async fn of_people(connection: &mut AnyConnection, users: &BTreeSet<UserId>) -> Result<BTreeMap<UserId, (BTreeSet<Role>, Vec<Post>)>> {
    let rows = sqlx::query(
        "SELECT r.user_id AS user_id, r.role AS role, d.id AS department, d.name AS name, d.parent_id AS parent_id FROM user_roles r \
         JOIN tenants d ON d.id = r.tenant_id WHERE $1 LIKE '%' || r.user_id || '%' ORDER BY d.name, d.id",
    )
    .bind(list(users))
    .fetch_all(connection)
    .await?;
    let mut people = BTreeMap::<UserId, (BTreeSet<Role>, Vec<Post>)>::new();
    for row in &rows {
        let row = Row::of("user_roles", row);
        let role = row.state("role", Role::parse)?;
        let (college, posts) = people.entry(row.parse("user_id")?).or_default();
        if row.optional_text("parent_id")?.is_none() {
            college.insert(role);
            continue;
        }
        let department = DepartmentRef { id: row.parse("department")?, name: row.text("name")? };
        match posts.iter_mut().find(|post| post.department.id == department.id) {
            Some(post) => _ = post.roles.insert(role),
            None => posts.push(Post { department, roles: [role].into() }),
        }
    }
    Ok(people)
}

/// Who has a role at a college and may sign in: whom to tell.
pub async fn holders(connection: &mut AnyConnection, tenant: TenantId, role: Role) -> Result<BTreeSet<UserId>> {
    let rows = sqlx::query(
        "SELECT user_roles.user_id AS user_id FROM user_roles JOIN users ON users.id = user_roles.user_id \
         WHERE user_roles.tenant_id = $1 AND user_roles.role = $2 AND users.disabled_at IS NULL",
    )
    .bind(tenant.to_string())
    .bind(role.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Row::of("user_roles", row).parse("user_id")).collect()
}

/// The same for a role at the college or at any of its departments.
pub async fn holders_anywhere(connection: &mut AnyConnection, tenant: TenantId, role: Role) -> Result<BTreeSet<UserId>> {
    let rows = sqlx::query(
        "SELECT DISTINCT user_roles.user_id AS user_id FROM user_roles JOIN users ON users.id = user_roles.user_id \
         WHERE users.tenant_id = $1 AND user_roles.role = $2 AND users.disabled_at IS NULL",
    )
    .bind(tenant.to_string())
    .bind(role.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Row::of("user_roles", row).parse("user_id")).collect()
}

/// The same for a course: who has the role at its college or at its department.
pub async fn holders_for_course(connection: &mut AnyConnection, course: CourseId, role: Role) -> Result<BTreeSet<UserId>> {
    let rows = sqlx::query(
        "SELECT r.user_id AS user_id FROM courses c JOIN user_roles r ON r.tenant_id = c.tenant_id OR r.tenant_id = c.department_id \
         JOIN users u ON u.id = r.user_id WHERE c.id = $1 AND r.role = $2 AND u.disabled_at IS NULL",
    )
    .bind(course.to_string())
    .bind(role.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Row::of("user_roles", row).parse("user_id")).collect()
}

/// Replaces all roles of a person at the college.
pub async fn set(connection: &mut AnyConnection, user: UserId, roles: &BTreeSet<Role>) -> Result<()> {
    let row = sqlx::query("SELECT tenant_id FROM users WHERE id = $1").bind(user.to_string()).fetch_one(&mut *connection).await?;
    let college = Row::of("users", &row).parse("tenant_id")?;
    set_at(connection, user, college, roles).await
}

/// Replaces all roles of a person at a college or a department.
pub async fn set_at(connection: &mut AnyConnection, user: UserId, place: TenantId, roles: &BTreeSet<Role>) -> Result<()> {
    sqlx::query("DELETE FROM user_roles WHERE user_id = $1 AND tenant_id = $2")
        .bind(user.to_string())
        .bind(place.to_string())
        .execute(&mut *connection)
        .await?;
    // Five roles at most.
    for role in roles {
        sqlx::query("INSERT INTO user_roles (user_id, tenant_id, role) VALUES ($1, $2, $3)")
            .bind(user.to_string())
            .bind(place.to_string())
            .bind(role.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
