//! Which courses a person teaches.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    courses::CourseRef,
    ids::{CourseId, UserId},
    people::PersonRef,
};
use sqlx::AnyConnection;

use crate::{error::Result, ids_list::list, row::Row};

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

/// Courses of these people in order of code, in one statement.
pub async fn of_people(connection: &mut AnyConnection, users: &BTreeSet<UserId>) -> Result<BTreeMap<UserId, Vec<CourseRef>>> {
    let rows = sqlx::query(
        "SELECT course_members.user_id AS user_id, courses.id AS id, courses.code AS code, courses.name AS name FROM course_members \
         JOIN courses ON courses.id = course_members.course_id WHERE $1 LIKE '%' || course_members.user_id || '%' ORDER BY courses.code",
    )
    .bind(list(users))
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

/// Who teaches a course, in order of login.
pub async fn of_course(connection: &mut AnyConnection, course: CourseId) -> Result<Vec<PersonRef>> {
    let rows = sqlx::query(
        "SELECT u.id AS id, u.login AS login, u.name AS name FROM course_members m JOIN users u ON u.id = m.user_id \
         WHERE m.course_id = $1 ORDER BY u.login",
    )
    .bind(course.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("users", row);
            Ok(PersonRef { id: row.parse("id")?, login: row.text("login")?, name: row.text("name")? })
        })
        .collect()
}

/// `false` when they were one already.
pub async fn add(connection: &mut AnyConnection, user: UserId, course: CourseId) -> Result<bool> {
    let done = sqlx::query("INSERT INTO course_members (user_id, course_id) VALUES ($1, $2) ON CONFLICT (user_id, course_id) DO NOTHING")
        .bind(user.to_string())
        .bind(course.to_string())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// `false` when they were none.
pub async fn remove(connection: &mut AnyConnection, user: UserId, course: CourseId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM course_members WHERE user_id = $1 AND course_id = $2")
        .bind(user.to_string())
        .bind(course.to_string())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
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
