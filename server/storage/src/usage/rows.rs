//! Single usage rows with all their names: the intervals of one lab, and a month for export.

use domain::{
    catalogue::Localized,
    ids::LabId,
    metering::UsageLine,
    pricing::Meter,
    time::{Month, Timestamp},
};
use sqlx::AnyConnection;

use super::{Scope, line};
use crate::{error::Result, ids_list::list as list_of, row::Row};

/// A lab's intervals of one month, by begin and meter.
pub async fn of_lab_month(connection: &mut AnyConnection, lab: LabId, month: Month) -> Result<Vec<UsageLine>> {
    sqlx::query(concat!("SELECT ", line_columns!(), " FROM usage_records g WHERE g.lab_id = $1 AND g.month = $2 ORDER BY g.from_at, g.meter"))
        .bind(lab.to_string())
        .bind(month.to_string())
        .fetch_all(connection)
        .await?
        .iter()
        .map(line)
        .collect()
}

/// A usage row as it goes into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRow {
    pub lab: LabId,
    pub lab_name: String,
    pub course_code: String,
    pub course_name: String,
    pub offering: Localized,
    pub owner_login: String,
    pub owner_name: String,
    pub line: UsageLine,
}

/// Rows after `after`, by lab, meter and begin.
pub async fn export(connection: &mut AnyConnection, scope: &Scope, after: Option<(LabId, Meter, Timestamp)>, limit: u32) -> Result<Vec<ExportRow>> {
    let (lab, meter, from) =
        after.map_or_else(|| (String::new(), String::new(), 0), |(lab, meter, from)| (lab.to_string(), meter.to_string(), from.micros()));
    let rows = sqlx::query(concat!(
        "SELECT ",
        line_columns!(),
        ", l.name AS lab_name, c.code AS course_code, c.name AS course_name, l.offering_name, p.login AS owner_login, p.name AS owner_name \
         FROM usage_records g JOIN labs l ON l.id = g.lab_id JOIN courses c ON c.id = g.course_id JOIN users p ON p.id = l.owner_id \
         WHERE g.tenant_id = $1 AND g.month = $2 AND (g.lab_id, g.meter, g.from_at) > ($3, $4, $5) AND ($6 IS NULL OR g.course_id = $6) \
         AND ($7 IS NULL OR $7 LIKE '%' || g.course_id || '%') \
         ORDER BY g.lab_id, g.meter, g.from_at LIMIT $8"
    ))
    .bind(scope.tenant.to_string())
    .bind(scope.month.to_string())
    .bind(lab)
    .bind(meter)
    .bind(from)
    .bind(scope.course.map(|id| id.to_string()))
    .bind(scope.courses.as_ref().map(list_of))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|any| {
            let row = Row::of("usage_records", any);
            Ok(ExportRow {
                lab: row.parse("lab_id")?,
                lab_name: row.text("lab_name")?,
                course_code: row.text("course_code")?,
                course_name: row.text("course_name")?,
                offering: row.json("offering_name")?,
                owner_login: row.text("owner_login")?,
                owner_name: row.text("owner_name")?,
                line: line(any)?,
            })
        })
        .collect()
}
