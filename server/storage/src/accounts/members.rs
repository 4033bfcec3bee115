//! Which courses a person teaches.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    courses::CourseRef,
    ids::{CourseId, TenantId, UserId},
};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

pub async fn of_user(connection: &mut AnyConnection, user: UserId) -> Result<BTreeSet<CourseId>> {
    let rows = sqlx::query("SELECT course_id FROM course_members WHERE user_id = $1").bind(user.to_string()).fetch_all(connection).await?;
    rows.iter().map(|row| Row::of("course_members", row).parse("course_id")).collect()
}

/// The same with their names, in order of code.
pub async fn refs_of_user(connection: &mut AnyConnection, user: UserId) -> Result<Vec<CourseRef>> {
    let rows = sqlx::query(
        "SELECT courses.id AS id, courses.code AS code, courses.name AS name FROM course_members \
         JOIN courses ON courses.id = course_members.course_id WHERE course_members.user_id = $1 ORDER BY courses.code",
    )
    .bind(user.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("courses", row);
            Ok(CourseRef { id: row.parse("id")?, code: row.text("code")?, name: row.text("name")? })
        })
        .collect()
}

/// Courses of everybody in a tenant in order of code, in one statement.
pub async fn of_tenant(connection: &mut AnyConnection, tenant: TenantId) -> Result<BTreeMap<UserId, Vec<CourseRef>>> {
    let rows = sqlx::query(
        "SELECT course_members.user_id AS user_id, courses.id AS id, courses.code AS code, courses.name AS name FROM course_members \
         JOIN courses ON courses.id = course_members.course_id WHERE courses.tenant_id = $1 ORDER BY courses.code",
    )
    .bind(tenant.to_string())
    .fetch_all(connection)
    .await?;
    let mut members = BTreeMap::<UserId, Vec<CourseRef>>::new();
    for row in &rows {
        let row = Row::of("course_members", row);
        let course = CourseRef { id: row.parse("id")?, code: row.text("code")?, name: row.text("name")? };
        members.entry(row.parse("user_id")?).or_default().push(course);
    }
    Ok(members)
}

/// Replaces all courses of a person: two statements, whatever the number.
pub async fn set(connection: &mut AnyConnection, user: UserId, courses: &BTreeSet<CourseId>) -> Result<()> {
    sqlx::query("DELETE FROM course_members WHERE user_id = $1").bind(user.to_string()).execute(&mut *connection).await?;
    if courses.is_empty() {
        return Ok(());
    }
    let mut sql = String::from("INSERT INTO course_members (user_id, course_id) VALUES ");
    for index in 0..courses.len() {
        sql.push_str(if index == 0 { "($1, $" } else { ", ($1, $" });
        sql.push_str(&(index + 2).to_string());
        sql.push(')');
    }
    // Only placeholders were put together.
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(user.to_string());
    for course in courses {
        query = query.bind(course.to_string());
    }
    query.execute(connection).await?;
    Ok(())
}
