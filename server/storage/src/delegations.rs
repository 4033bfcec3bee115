//! Who stands in for whom, from when to when.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    access::{Actor, Role},
    delegations::{Absent, Delegation},
    ids::{CourseId, DelegationId, TenantId, UserId},
    people::PersonRef,
    time::Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{Write, dialect, error::Result, row::Row};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT d.id, d.tenant_id, d.absent_id, a.login AS absent_login, a.name AS absent_name, d.stand_in_id, s.login AS stand_in_login, ",
            "s.name AS stand_in_name, d.from_at, d.until_at, d.note, d.created_at, d.ended_at ",
            "FROM delegations d JOIN users a ON a.id = d.absent_id JOIN users s ON s.id = d.stand_in_id ",
            $rest
        )
    };
}

fn read(row: &AnyRow) -> Result<Delegation> {
    let row = Row::of("delegations", row);
    Ok(Delegation {
        id: row.parse("id")?,
        absent: PersonRef { id: row.parse("absent_id")?, login: row.text("absent_login")?, name: row.text("absent_name")? },
        stand_in: PersonRef { id: row.parse("stand_in_id")?, login: row.text("stand_in_login")?, name: row.text("stand_in_name")? },
        from: row.timestamp("from_at")?,
        until: row.timestamp("until_at")?,
        note: row.text("note")?,
        created_at: row.timestamp("created_at")?,
        ended_at: row.optional_timestamp("ended_at")?,
    })
}

/// Makes another change of this person's delegations wait until this transaction ends.
pub async fn lock(write: &mut Write, absent: UserId) -> Result<()> {
    dialect::lock(write, &format!("delegations:{absent}")).await
}

pub async fn insert(connection: &mut AnyConnection, tenant: TenantId, delegation: &Delegation) -> Result<()> {
    let Delegation { id, absent, stand_in, from, until, note, created_at, ended_at } = delegation;
    sqlx::query(
        "INSERT INTO delegations (id, tenant_id, absent_id, stand_in_id, from_at, until_at, note, created_at, ended_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(id.to_string())
    .bind(tenant.to_string())
    .bind(absent.id.to_string())
    .bind(stand_in.id.to_string())
    .bind(from.micros())
    .bind(until.micros())
    .bind(note.clone())
    .bind(created_at.micros())
    .bind(ended_at.map(Timestamp::micros))
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn by_id(connection: &mut AnyConnection, id: DelegationId) -> Result<Option<Delegation>> {
    sqlx::query(select!("WHERE d.id = $1")).bind(id.to_string()).fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// Where the person is one of the two, latest first.
pub async fn list(connection: &mut AnyConnection, user: UserId, after: Option<DelegationId>, limit: u32) -> Result<Vec<Delegation>> {
    let rows = sqlx::query(select!("WHERE (d.absent_id = $1 OR d.stand_in_id = $1) AND ($2 IS NULL OR d.id < $2) ORDER BY d.id DESC LIMIT $3"))
        .bind(user.to_string())
        .bind(after.map(|id| id.to_string()))
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// Those that the person gave and that are not over.
pub async fn given(connection: &mut AnyConnection, absent: UserId, now: Timestamp) -> Result<Vec<Delegation>> {
    let rows = sqlx::query(select!("WHERE d.absent_id = $1 AND d.ended_at IS NULL AND d.until_at > $2 ORDER BY d.id"))
        .bind(absent.to_string())
        .bind(now.micros())
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// All that are not over, of every college.
pub async fn open(connection: &mut AnyConnection, now: Timestamp) -> Result<Vec<Delegation>> {
    let rows = sqlx::query(select!("WHERE d.ended_at IS NULL AND d.until_at > $1 ORDER BY d.id")).bind(now.micros()).fetch_all(connection).await?;
    rows.iter().map(read).collect()
}

/// Those whose time is over and that nobody ended.
pub async fn due(connection: &mut AnyConnection, now: Timestamp, limit: u32) -> Result<Vec<(TenantId, Delegation)>> {
    let rows = sqlx::query(select!("WHERE d.ended_at IS NULL AND d.until_at <= $1 ORDER BY d.until_at, d.id LIMIT $2"))
        .bind(now.micros())
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((Row::of("delegations", row).parse("tenant_id")?, read(row)?))).collect()
}

/// `false` when it was ended before.
pub async fn end(connection: &mut AnyConnection, id: DelegationId, at: Timestamp) -> Result<bool> {
    let done = sqlx::query("UPDATE delegations SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL")
        .bind(at.micros())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// For whom this person stands in now, each with the roles that they have themselves. One statement.
pub async fn away(connection: &mut AnyConnection, stand_in: UserId, now: Timestamp) -> Result<Vec<Absent>> {
    let rows = sqlx::query(
        "SELECT d.id AS delegation_id, d.until_at, u.id AS user_id, u.login, u.name, u.tenant_id, r.role AS role, r.tenant_id AS place_id, \
         t.parent_id, c.id AS course_id FROM delegations d JOIN users u ON u.id = d.absent_id AND u.disabled_at IS NULL \
         JOIN users s ON s.id = d.stand_in_id AND s.disabled_at IS NULL AND s.tenant_id = u.tenant_id \
         JOIN user_roles r ON r.user_id = u.id JOIN tenants t ON t.id = r.tenant_id \
         LEFT JOIN courses c ON c.department_id = t.id AND t.parent_id IS NOT NULL \
         WHERE d.stand_in_id = $1 AND d.ended_at IS NULL AND d.from_at <= $2 AND d.until_at > $2 ORDER BY d.id",
    )
    .bind(stand_in.to_string())
    .bind(now.micros())
    .fetch_all(connection)
    .await?;
    let mut found = BTreeMap::<DelegationId, Absent>::new();
    for row in &rows {
        let row = Row::of("delegations", row);
        let delegation = row.parse("delegation_id")?;
        let absent = match found.entry(delegation) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                let actor = Actor {
                    user: row.parse("user_id")?,
                    login: row.text("login")?,
                    name: row.text("name")?,
                    tenant: row.parse("tenant_id")?,
                    roles: BTreeSet::new(),
                    department_roles: BTreeMap::new(),
                    departments: BTreeSet::new(),
                    courses: BTreeSet::new(),
                    scopes: None,
                };
                new.insert(Absent { delegation, actor, until: row.timestamp("until_at")? })
            }
        };
        let (role, place) = (row.state("role", Role::parse)?, row.parse::<TenantId>("place_id")?);
        if place == absent.actor.tenant {
            absent.actor.roles.insert(role);
        } else if row.optional_text("parent_id")?.is_some() {
            absent.actor.departments.insert(place);
            absent.actor.department_roles.entry(role).or_default().extend(row.optional_parse::<CourseId>("course_id")?);
        }
    }
    Ok(found.into_values().collect())
}

/// Who may decide in a role for a course: the person, and for whom they stand in (`None`: they have the role themselves).
pub type Decider = (UserId, Option<UserId>);

/// Those who have the role at the course's college or department, and who stand in for one of them now. One statement.
pub async fn deciders_for_course(connection: &mut AnyConnection, course: CourseId, role: Role, now: Timestamp) -> Result<Vec<Decider>> {
    let rows = sqlx::query(
        "WITH holders AS (SELECT r.user_id AS user_id FROM courses c \
         JOIN user_roles r ON r.tenant_id = c.tenant_id OR r.tenant_id = c.department_id \
         JOIN users u ON u.id = r.user_id WHERE c.id = $1 AND r.role = $2 AND u.disabled_at IS NULL) \
         SELECT h.user_id AS user_id, CAST(NULL AS TEXT) AS absent_id FROM holders h \
         UNION ALL SELECT d.stand_in_id, d.absent_id FROM holders h JOIN delegations d ON d.absent_id = h.user_id \
         JOIN users s ON s.id = d.stand_in_id AND s.disabled_at IS NULL \
         WHERE d.ended_at IS NULL AND d.from_at <= $3 AND d.until_at > $3",
    )
    .bind(course.to_string())
    .bind(role.as_str())
    .bind(now.micros())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("delegations", row);
            Ok((row.parse("user_id")?, row.optional_parse("absent_id")?))
        })
        .collect()
}

#[cfg(test)]
mod tests;
