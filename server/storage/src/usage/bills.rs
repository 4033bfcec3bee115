//! Sums over usage records: what bills are made of.

use std::collections::BTreeSet;

use domain::{
    billing::{BillLine, BillSummary},
    courses::CourseRef,
    ids::{CourseId, TenantId},
    money::{Currency, Money},
    time::Month,
};
use sqlx::AnyConnection;

use crate::{error::Result, ids_list::list, row::Row};

/// One line for each lab and meter with usage in the month, by the lab's name and the meter.
pub async fn sums(connection: &mut AnyConnection, course: CourseId, month: Month) -> Result<Vec<BillLine>> {
    let rows = sqlx::query(
        "SELECT g.lab_id, l.name AS lab_name, u.name AS owner_name, g.meter, g.currency, CAST(SUM(g.quantity * g.seconds) AS BIGINT) AS units, \
         CAST(SUM(g.amount_micros) AS BIGINT) AS amount, MAX(g.open) AS open \
         FROM usage_records g JOIN labs l ON l.id = g.lab_id JOIN users u ON u.id = l.owner_id \
         WHERE g.course_id = $1 AND g.month = $2 GROUP BY g.lab_id, l.name, u.name, g.meter, g.currency",
    )
    .bind(course.to_string())
    .bind(month.to_string())
    .fetch_all(connection)
    .await?;
    let mut lines = rows
        .iter()
        .map(|row| {
            let row = Row::of("usage_records", row);
            Ok(BillLine {
                lab: row.parse("lab_id")?,
                lab_name: row.text("lab_name")?,
                owner_name: row.text("owner_name")?,
                meter: row.parse("meter")?,
                unit_seconds: row.integer("units")?,
                amount: row.money("amount", "currency")?,
                open: row.flag("open")?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    // Not by the database: collations differ between the engines.
    lines.sort_by(|one, two| (&one.lab_name, one.meter).cmp(&(&two.lab_name, two.meter)));
    Ok(lines)
}

/// The month's total of every course of the tenant (or of these), by code; zero where nothing was used.
pub async fn summaries(
    connection: &mut AnyConnection,
    tenant: TenantId,
    courses: Option<&BTreeSet<CourseId>>,
    month: Month,
) -> Result<Vec<BillSummary>> {
    let rows = sqlx::query(
        "SELECT c.id, c.code, c.name, c.currency, CAST(COALESCE(SUM(g.amount_micros), 0) AS BIGINT) AS total, COUNT(DISTINCT g.lab_id) AS labs \
         FROM courses c LEFT JOIN usage_records g ON g.course_id = c.id AND g.month = $3 \
         WHERE c.tenant_id = $1 AND ($2 IS NULL OR $2 LIKE '%' || c.id || '%') \
         GROUP BY c.id, c.code, c.name, c.currency ORDER BY c.code",
    )
    .bind(tenant.to_string())
    .bind(courses.map(list))
    .bind(month.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("courses", row);
            Ok(BillSummary {
                course: CourseRef { id: row.parse("id")?, code: row.text("code")?, name: row.text("name")? },
                month,
                total: Money::new(row.integer("total")?, row.parse::<Currency>("currency")?),
                labs: row.count("labs")?,
            })
        })
        .collect()
}
