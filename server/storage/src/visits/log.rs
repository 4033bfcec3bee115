//! Visits: the connection log of labs.

use domain::{
    ids::{CourseId, LabId, PassId, TenantId, UserId, VisitId},
    people::PersonRef,
    time::Timestamp,
    visits::{Visit, VisitEnd, VisitRole, VisitWay},
};
use sqlx::{AnyConnection, any::AnyRow};

use super::PORTAL_ORIGIN;
use crate::{error::Result, row::Row};

/// A visit that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveVisit {
    pub id: VisitId,
    pub pass: PassId,
    pub tenant: TenantId,
    pub lab: LabId,
    pub user: UserId,
    pub role: VisitRole,
    pub reason: Option<String>,
    pub address: Option<String>,
    pub started_at: Timestamp,
    /// Since its beginning, to the lab and from it.
    pub bytes_in: i64,
    pub bytes_out: i64,
    pub last_used_at: Timestamp,
}

/// Writes the visit, or its counters if it is there; to repeat it changes nothing. `false` if the visit has ended.
pub async fn put(connection: &mut AnyConnection, visit: &LiveVisit) -> Result<bool> {
    let LiveVisit { id, pass, tenant, lab, user, role, reason, address, started_at, bytes_in, bytes_out, last_used_at } = visit;
    let done = sqlx::query(
        "INSERT INTO lab_visits (id, pass_id, tenant_id, lab_id, user_id, role, reason, address, started_at, bytes_in, bytes_out, last_used_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (id) DO UPDATE SET bytes_in = excluded.bytes_in, bytes_out = excluded.bytes_out, last_used_at = excluded.last_used_at \
         WHERE lab_visits.ended_at IS NULL",
    )
    .bind(id.to_string())
    .bind(pass.to_string())
    .bind(tenant.to_string())
    .bind(lab.to_string())
    .bind(user.to_string())
    .bind(role.as_str())
    .bind(reason.clone())
    .bind(address.clone())
    .bind(started_at.micros())
    .bind(*bytes_in)
    .bind(*bytes_out)
    .bind(last_used_at.micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Bytes to the lab and from it, as they are written. Errors: `RowNotFound` as `Sql`.
pub async fn totals(connection: &mut AnyConnection, id: VisitId) -> Result<(i64, i64)> {
    let row = sqlx::query("SELECT bytes_in, bytes_out FROM lab_visits WHERE id = $1").bind(id.to_string()).fetch_one(connection).await?;
    let row = Row::of("lab_visits", &row);
    Ok((row.integer("bytes_in")?, row.integer("bytes_out")?))
}

/// Ends the visit; `false` if it was over.
pub async fn close(connection: &mut AnyConnection, id: VisitId, at: Timestamp, by: VisitEnd) -> Result<bool> {
    let done = sqlx::query("UPDATE lab_visits SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at IS NULL")
        .bind(id.to_string())
        .bind(at.micros())
        .bind(by.as_str())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT v.id, v.user_id, u.login, u.name, v.role, v.reason, v.address, v.started_at, v.ended_at, v.ended_by, v.bytes_in, v.bytes_out, \
             v.last_used_at, v.tenant_id, l.id AS lab_id, l.name AS lab_name, l.course_id, p.token_id, p.origin, p.port \
             FROM lab_visits v JOIN lab_passes p ON p.id = v.pass_id JOIN users u ON u.id = v.user_id JOIN labs l ON l.id = v.lab_id ",
            $rest
        )
    };
}

fn visit(row: &AnyRow) -> Result<Visit> {
    let row = Row::of("lab_visits", row);
    let ended_by = match row.optional_text("ended_by")? {
        Some(_) => Some(row.state("ended_by", VisitEnd::parse)?),
        None => None,
    };
    let way = if row.optional_text("token_id")?.is_some() {
        VisitWay::Ssh
    } else if row.text("origin")? == PORTAL_ORIGIN {
        VisitWay::Terminal
    } else {
        VisitWay::Browser
    };
    let port: u16 = row.count("port")?;
    Ok(Visit {
        id: row.parse("id")?,
        person: PersonRef { id: row.parse("user_id")?, login: row.text("login")?, name: row.text("name")? },
        role: row.state("role", VisitRole::parse)?,
        way,
        port: (port != 0).then_some(port),
        reason: row.optional_text("reason")?,
        from: row.timestamp("started_at")?,
        until: row.optional_timestamp("ended_at")?,
        ended_by,
        address: row.optional_text("address")?,
        bytes_in: row.integer("bytes_in")?,
        bytes_out: row.integer("bytes_out")?,
        last_used_at: row.timestamp("last_used_at")?,
    })
}

/// Visits of a lab, newest first, before this one.
pub async fn of_lab(connection: &mut AnyConnection, lab: LabId, before: Option<VisitId>, limit: u32) -> Result<Vec<Visit>> {
    sqlx::query(select!("WHERE v.lab_id = $1 AND ($2 IS NULL OR v.id < $2) ORDER BY v.id DESC LIMIT $3"))
        .bind(lab.to_string())
        .bind(before.map(|id| id.to_string()))
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?
        .iter()
        .map(visit)
        .collect()
}

/// Visits of a lab that last, newest first.
pub async fn present(connection: &mut AnyConnection, lab: LabId, limit: u32) -> Result<Vec<Visit>> {
    sqlx::query(select!("WHERE v.lab_id = $1 AND v.ended_at IS NULL ORDER BY v.id DESC LIMIT $2"))
        .bind(lab.to_string())
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?
        .iter()
        .map(visit)
        .collect()
}

/// A visit that no process looks after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandoned {
    pub visit: Visit,
    pub tenant: TenantId,
    pub lab: LabId,
    pub lab_name: String,
    pub course: CourseId,
    /// Its pass is one of an access token.
    pub by_token: bool,
}

/// Visits that last and were not used since `before`, oldest first.
pub async fn abandoned(connection: &mut AnyConnection, before: Timestamp, limit: u32) -> Result<Vec<Abandoned>> {
    sqlx::query(select!("WHERE v.ended_at IS NULL AND v.last_used_at < $1 ORDER BY v.last_used_at LIMIT $2"))
        .bind(before.micros())
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?
        .iter()
        .map(|any| {
            let row = Row::of("lab_visits", any);
            Ok(Abandoned {
                visit: visit(any)?,
                tenant: row.parse("tenant_id")?,
                lab: row.parse("lab_id")?,
                lab_name: row.text("lab_name")?,
                course: row.parse("course_id")?,
                by_token: row.optional_text("token_id")?.is_some(),
            })
        })
        .collect()
}
