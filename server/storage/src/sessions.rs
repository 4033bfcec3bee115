//! Rows behind session cookies. The key is a hash of the cookie's value, so that a copy of the table opens no session.

use std::collections::BTreeSet;

use domain::{
    access::{Actor, Role},
    ids::{CourseId, TenantId, UserId},
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{accounts::roles::AtDepartments, error::Result, row::Row};

/// JSON data and expiry of a session that is not over at `now`.
pub async fn load(connection: &mut AnyConnection, id_hash: &str, now: Timestamp) -> Result<Option<(String, Timestamp)>> {
    let row = sqlx::query("SELECT data, expires_at FROM sessions WHERE id = $1 AND expires_at > $2")
        .bind(id_hash.to_owned())
        .bind(now.micros())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let row = Row::of("sessions", &row);
    Ok(Some((row.text("data")?, row.timestamp("expires_at")?)))
}

/// Makes or replaces.
pub async fn save(connection: &mut AnyConnection, id_hash: &str, user: Option<UserId>, data: &str, expires_at: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO sessions (id, user_id, data, expires_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, data = excluded.data, expires_at = excluded.expires_at",
    )
    .bind(id_hash.to_owned())
    .bind(user.map(|id| id.to_string()))
    .bind(data.to_owned())
    .bind(expires_at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes only; `false` when the id is taken.
pub async fn create(connection: &mut AnyConnection, id_hash: &str, user: Option<UserId>, data: &str, expires_at: Timestamp) -> Result<bool> {
    let done = sqlx::query("INSERT INTO sessions (id, user_id, data, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING")
        .bind(id_hash.to_owned())
        .bind(user.map(|id| id.to_string()))
        .bind(data.to_owned())
        .bind(expires_at.micros())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Id and JSON data of a person's sessions that are not over.
pub async fn of_user(connection: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query("SELECT id, data FROM sessions WHERE user_id = $1 AND expires_at > $2")
        .bind(user.to_string())
        .bind(now.micros())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("sessions", row);
            Ok((row.text("id")?, row.text("data")?))
        })
        .collect()
}

/// Deletes a session if it is this person's: whether it was there.
pub async fn delete_own(connection: &mut AnyConnection, user: UserId, id_hash: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND id = $2")
        .bind(user.to_string())
        .bind(id_hash.to_owned())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes all of a person's but one; returns how many.
pub async fn delete_others(connection: &mut AnyConnection, user: UserId, keep: &str) -> Result<u64> {
    let done =
        sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND id <> $2").bind(user.to_string()).bind(keep.to_owned()).execute(connection).await?;
    Ok(done.rows_affected())
}

/// Deletes a session; returns whose it was.
pub async fn delete(connection: &mut AnyConnection, id_hash: &str) -> Result<Option<UserId>> {
    let rows = sqlx::query("DELETE FROM sessions WHERE id = $1 RETURNING user_id").bind(id_hash.to_owned()).fetch_all(connection).await?;
    rows.first().map_or(Ok(None), |row| Row::of("sessions", row).optional_parse("user_id"))
}

/// The person of a session that is not over at `now`, with all that decides what they may do; `None` when it is over or another's, and
/// for somebody disabled or with other credentials. One statement.
pub async fn holder(connection: &mut AnyConnection, id_hash: &str, user: UserId, credentials_version: i64, now: Timestamp) -> Result<Option<Actor>> {
    let rows = sqlx::query(
        "SELECT 'person' AS kind, u.tenant_id AS place, u.login AS one, u.name AS other FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE s.id = $1 AND s.expires_at > $2 AND u.id = $3 AND u.credentials_version = $4 AND u.disabled_at IS NULL \
         UNION ALL SELECT 'role', r.tenant_id, r.role, NULL FROM user_roles r JOIN users u ON u.id = r.user_id AND u.tenant_id = r.tenant_id \
         WHERE r.user_id = $3 \
         UNION ALL SELECT 'post', r.tenant_id, r.role, c.id FROM user_roles r JOIN tenants d ON d.id = r.tenant_id AND d.parent_id IS NOT NULL \
         LEFT JOIN courses c ON c.department_id = d.id WHERE r.user_id = $3 \
         UNION ALL SELECT 'course', c.department_id, m.course_id, NULL FROM course_members m JOIN courses c ON c.id = m.course_id \
         WHERE m.user_id = $3",
    )
    .bind(id_hash.to_owned())
    .bind(now.micros())
    .bind(user.to_string())
    .bind(credentials_version)
    .fetch_all(connection)
    .await?;
    let mut holder = None;
    let (mut roles, mut posts, mut departments, mut courses) = (BTreeSet::new(), AtDepartments::default(), BTreeSet::new(), BTreeSet::new());
    for row in &rows {
        let row = Row::of("sessions", row);
        match row.text("kind")?.as_str() {
            "person" => holder = Some((row.parse("place")?, row.text("one")?, row.text("other")?)),
            "role" => _ = roles.insert(row.state("one", Role::parse)?),
            "post" => {
                posts.departments.insert(row.parse("place")?);
                // A department without courses still gives the role.
                posts.roles.entry(row.state("one", Role::parse)?).or_default().extend(row.optional_parse::<CourseId>("other")?);
            }
            _ => {
                departments.extend(row.optional_parse::<TenantId>("place")?);
                courses.insert(row.parse("one")?);
            }
        }
    }
    departments.append(&mut posts.departments);
    let department_roles = posts.roles;
    Ok(holder.map(|(tenant, login, name)| Actor { user, login, name, tenant, roles, department_roles, departments, courses, scopes: None }))
}

pub async fn delete_of_user(connection: &mut AnyConnection, user: UserId) -> Result<u64> {
    Ok(sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(user.to_string()).execute(connection).await?.rows_affected())
}

pub async fn sweep(connection: &mut AnyConnection, now: Timestamp) -> Result<u64> {
    Ok(sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now.micros()).execute(connection).await?.rows_affected())
}

#[cfg(test)]
mod tests;
