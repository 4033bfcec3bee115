//! The bills of a month in sums.

use std::collections::BTreeSet;

use domain::{
    billing::BillSummary,
    courses::CourseRef,
    ids::{CourseId, TenantId},
    time::Month,
};
use sqlx::AnyConnection;

use crate::{error::Result, ids_list::list as list_of, row::Row};

/// The bill of every course of the tenant (or of these), by code; zero where nothing was used.
pub async fn summaries(
    connection: &mut AnyConnection,
    tenant: TenantId,
    courses: Option<&BTreeSet<CourseId>>,
    month: Month,
) -> Result<Vec<BillSummary>> {
    let rows = sqlx::query(concat!(
        "SELECT c.id, c.code, c.name, c.currency, COALESCE(g.amount, 0) AS usage_micros, COALESCE(g.labs, 0) AS labs, \
         COALESCE(a.amount, 0) AS adjusted, CASE WHEN b.month IS NULL THEN 0 ELSE 1 END AS closed \
         FROM courses c \
         LEFT JOIN (SELECT course_id, ",
        micros_sum!("amount_micros"),
        " AS amount, COUNT(DISTINCT lab_id) AS labs FROM usage_records \
           WHERE tenant_id = $1 AND month = $3 GROUP BY course_id) g ON g.course_id = c.id \
         LEFT JOIN (SELECT course_id, ",
        micros_sum!("amount_micros"),
        " AS amount FROM adjustments \
           WHERE tenant_id = $1 AND month = $3 GROUP BY course_id) a ON a.course_id = c.id \
         LEFT JOIN bill_closings b ON b.tenant_id = c.tenant_id AND b.month = $3 \
         WHERE c.tenant_id = $1 AND ($2 IS NULL OR $2 LIKE '%' || c.id || '%') \
         ORDER BY c.code"
    ))
    .bind(tenant.to_string())
    .bind(courses.map(list_of))
    .bind(month.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("courses", row);
            let adjustments = row.money("adjusted", "currency")?;
            Ok(BillSummary {
                course: CourseRef { id: row.parse("id")?, code: row.text("code")?, name: row.text("name")? },
                month,
                total: row.money("usage_micros", "currency")?.plus(adjustments),
                adjustments,
                labs: row.count("labs")?,
                closed: row.flag("closed")?,
            })
        })
        .collect()
}
