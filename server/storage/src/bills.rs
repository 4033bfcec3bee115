//! Closed months and adjustments.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    billing::{Adjustment, AdjustmentKind, Closing},
    courses::CourseRef,
    ids::{AdjustmentId, CourseId, LabId, TenantId, UserId},
    time::{Month, Timestamp},
};
use sqlx::AnyConnection;

use crate::{Write, dialect, error::Result, ids_list::list as list_of, row::Row};

/// Makes whoever writes usage, sets prices or closes months wait for each other: what one read stays true until it is written.
pub async fn lock(write: &mut Write) -> Result<()> {
    dialect::lock(write, "metering").await
}

/// Closed months of a tenant, the latest first.
pub async fn closings(connection: &mut AnyConnection, tenant: TenantId) -> Result<Vec<Closing>> {
    let rows = sqlx::query(
        "SELECT k.month, k.closed_at, p.name FROM bill_closings k LEFT JOIN users p ON p.id = k.closed_by WHERE k.tenant_id = $1 ORDER BY k.month DESC",
    )
    .bind(tenant.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("bill_closings", row);
            Ok(Closing { month: row.parse("month")?, at: row.timestamp("closed_at")?, by: row.optional_text("name")? })
        })
        .collect()
}

/// Closed months of every tenant.
pub async fn all_closed(connection: &mut AnyConnection) -> Result<BTreeSet<(TenantId, Month)>> {
    let rows = sqlx::query("SELECT tenant_id, month FROM bill_closings").fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("bill_closings", row);
            Ok((row.parse("tenant_id")?, row.parse("month")?))
        })
        .collect()
}

/// Closes a month and writes down what each course has to pay. Errors: `NotUnique` on `bill_closings.tenant_id` when it is closed.
pub async fn close(connection: &mut AnyConnection, tenant: TenantId, month: Month, by: UserId, at: Timestamp) -> Result<()> {
    sqlx::query("INSERT INTO bill_closings (tenant_id, month, closed_at, closed_by) VALUES ($1, $2, $3, $4)")
        .bind(tenant.to_string())
        .bind(month.to_string())
        .bind(at.micros())
        .bind(by.to_string())
        .execute(&mut *connection)
        .await?;
    sqlx::query(concat!(
        "INSERT INTO bills (tenant_id, month, course_id, usage_micros, adjustments_micros, currency, labs) \
         SELECT c.tenant_id, $2, c.id, COALESCE(g.amount, 0), COALESCE(a.amount, 0), c.currency, COALESCE(g.labs, 0) FROM courses c \
         LEFT JOIN (SELECT course_id, ",
        micros_sum!("amount_micros"),
        " AS amount, COUNT(DISTINCT lab_id) AS labs FROM usage_records \
           WHERE tenant_id = $1 AND month = $2 GROUP BY course_id) g ON g.course_id = c.id \
         LEFT JOIN (SELECT course_id, ",
        micros_sum!("amount_micros"),
        " AS amount FROM adjustments \
           WHERE tenant_id = $1 AND month = $2 GROUP BY course_id) a ON a.course_id = c.id \
         WHERE c.tenant_id = $1"
    ))
    .bind(tenant.to_string())
    .bind(month.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// An adjustment to be written.
#[derive(Debug, Clone)]
pub struct NewRow {
    pub tenant: TenantId,
    pub course: CourseId,
    pub month: Month,
    pub kind: AdjustmentKind,
    pub amount: domain::money::Money,
    pub reason: String,
    pub lab: Option<LabId>,
    pub of_month: Option<Month>,
    pub by: Option<UserId>,
}

pub async fn insert_adjustment(connection: &mut AnyConnection, id: AdjustmentId, row: &NewRow, at: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO adjustments (id, tenant_id, course_id, month, kind, amount_micros, currency, reason, lab_id, of_month, created_at, created_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(id.to_string())
    .bind(row.tenant.to_string())
    .bind(row.course.to_string())
    .bind(row.month.to_string())
    .bind(row.kind.as_str())
    .bind(row.amount.micros)
    .bind(row.amount.currency.code())
    .bind(row.reason.clone())
    .bind(row.lab.map(|id| id.to_string()))
    .bind(row.of_month.map(|month| month.to_string()))
    .bind(at.micros())
    .bind(row.by.map(|id| id.to_string()))
    .execute(connection)
    .await?;
    Ok(())
}

/// Which adjustments are wanted; all conditions hold together.
#[derive(Debug, Clone)]
pub struct Query {
    pub tenant: TenantId,
    /// Only of the courses that this person teaches.
    pub courses: Option<BTreeSet<CourseId>>,
    pub course: Option<CourseId>,
    pub month: Option<Month>,
    pub after: Option<AdjustmentId>,
    pub limit: u32,
}

/// The latest first.
pub async fn adjustments(connection: &mut AnyConnection, query: &Query) -> Result<Vec<Adjustment>> {
    let rows = sqlx::query(
        "SELECT a.id, a.course_id, c.code, c.name AS course_name, a.month, a.kind, a.amount_micros, a.currency, a.reason, a.lab_id, \
         l.name AS lab_name, a.of_month, a.created_at, p.name AS person \
         FROM adjustments a JOIN courses c ON c.id = a.course_id LEFT JOIN labs l ON l.id = a.lab_id LEFT JOIN users p ON p.id = a.created_by \
         WHERE a.tenant_id = $1 AND ($2 IS NULL OR $2 LIKE '%' || a.course_id || '%') \
         AND ($3 IS NULL OR a.course_id = $3) AND ($4 IS NULL OR a.month = $4) AND ($5 IS NULL OR a.id < $5) ORDER BY a.id DESC LIMIT $6",
    )
    .bind(query.tenant.to_string())
    .bind(query.courses.as_ref().map(list_of))
    .bind(query.course.map(|id| id.to_string()))
    .bind(query.month.map(|month| month.to_string()))
    .bind(query.after.map(|id| id.to_string()))
    .bind(i64::from(query.limit))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("adjustments", row);
            Ok(Adjustment {
                id: row.parse("id")?,
                course: CourseRef { id: row.parse("course_id")?, code: row.text("code")?, name: row.text("course_name")? },
                month: row.parse("month")?,
                kind: row.state("kind", AdjustmentKind::parse)?,
                amount: row.money("amount_micros", "currency")?,
                reason: row.text("reason")?,
                lab: row.optional_parse("lab_id")?.zip(row.optional_text("lab_name")?),
                of_month: row.optional_parse("of_month")?,
                at: row.timestamp("created_at")?,
                by: row.optional_text("person")?,
            })
        })
        .collect()
}

/// What corrections of a lab's closed months add up to so far, by month.
pub async fn corrected(connection: &mut AnyConnection, lab: LabId) -> Result<BTreeMap<Month, i64>> {
    let rows = sqlx::query(concat!(
        "SELECT of_month, ",
        micros_sum!("amount_micros"),
        " AS amount FROM adjustments \
         WHERE lab_id = $1 AND kind = 'correction' AND of_month IS NOT NULL GROUP BY of_month"
    ))
    .bind(lab.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("adjustments", row);
            Ok((row.parse("of_month")?, row.integer("amount")?))
        })
        .collect()
}

#[cfg(test)]
mod tests;
