//! A month of a tenant in sums: by course, by day, and the months that there are.

use std::collections::BTreeSet;

use domain::{
    billing::{CourseMonth, DaySpend},
    courses::CourseRef,
    ids::{CourseId, TenantId},
    money::{Currency, Money},
    time::{Month, Timestamp},
};
use sqlx::AnyConnection;

use crate::{error::Result, ids_list::list as list_of, row::Row};

/// Every course of the tenant (or of these) with its month, the month before and its budget, by code. What counts in the budget is the sum
/// by which orders are decided (`quotas`).
pub async fn courses(
    connection: &mut AnyConnection,
    tenant: TenantId,
    courses: Option<&BTreeSet<CourseId>>,
    month: Month,
) -> Result<Vec<CourseMonth>> {
    let rows = sqlx::query(concat!(
        "SELECT c.id, c.code, c.name, c.currency, c.budget_micros, c.budget_from, c.budget_to, ",
        budget_spent!("s.spent"),
        " AS spent_ever, \
         COALESCE(g.this_month, 0) AS usage_micros, COALESCE(g.last_month, 0) + COALESCE(a.last_month, 0) AS previous, \
         COALESCE(a.this_month, 0) AS adjusted, COALESCE(g.labs, 0) AS labs, COALESCE(g.card_seconds, 0) AS card_seconds \
         FROM courses c \
         LEFT JOIN (SELECT u.course_id, \
           ",
        micros_sum!("CASE WHEN u.month = $2 THEN u.amount_micros ELSE 0 END"),
        " AS this_month, \
           ",
        micros_sum!("CASE WHEN u.month = $3 THEN u.amount_micros ELSE 0 END"),
        " AS last_month, \
           COUNT(DISTINCT CASE WHEN u.month = $2 THEN u.lab_id END) AS labs, \
           CAST(SUM(CASE WHEN u.month = $2 AND u.meter LIKE 'gpu-%' THEN u.quantity * u.seconds ELSE 0 END) AS BIGINT) AS card_seconds \
           FROM usage_records u WHERE u.tenant_id = $1 AND u.month IN ($2, $3) GROUP BY u.course_id) g ON g.course_id = c.id \
         LEFT JOIN (SELECT l.course_id, ",
        micros_sum!("l.cost_micros"),
        " AS spent FROM labs l WHERE l.tenant_id = $1 GROUP BY l.course_id) s \
           ON s.course_id = c.id \
         LEFT JOIN (SELECT d.course_id, \
           ",
        micros_sum!("CASE WHEN d.month = $2 THEN d.amount_micros ELSE 0 END"),
        " AS this_month, \
           ",
        micros_sum!("CASE WHEN d.month = $3 THEN d.amount_micros ELSE 0 END"),
        " AS last_month \
           FROM adjustments d WHERE d.tenant_id = $1 GROUP BY d.course_id) a ON a.course_id = c.id \
         WHERE c.tenant_id = $1 AND ($4 IS NULL OR $4 LIKE '%' || c.id || '%') ORDER BY c.code"
    ))
    .bind(tenant.to_string())
    .bind(month.to_string())
    .bind(month.previous().to_string())
    .bind(courses.map(list_of))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("courses", row);
            Ok(CourseMonth {
                course: CourseRef { id: row.parse("id")?, code: row.text("code")?, name: row.text("name")? },
                budget: row.money("budget_micros", "currency")?,
                budget_from: row.optional_timestamp("budget_from")?,
                budget_to: row.optional_timestamp("budget_to")?,
                spent_ever: row.money("spent_ever", "currency")?,
                usage: row.money("usage_micros", "currency")?,
                adjustments: row.money("adjusted", "currency")?,
                previous: row.money("previous", "currency")?,
                labs: row.count("labs")?,
                card_seconds: row.integer("card_seconds")?,
            })
        })
        .collect()
}

/// What each course used on each campus day from `since` to the end of the month; `since` is not before the month before.
pub async fn days(
    connection: &mut AnyConnection,
    tenant: TenantId,
    courses: Option<&BTreeSet<CourseId>>,
    course: Option<CourseId>,
    month: Month,
    since: Timestamp,
) -> Result<Vec<DaySpend>> {
    // 28,800 seconds: the campus is eight hours ahead of UTC. The plus keeps SQLite from the index by `from_at`, which lacks the amounts.
    let rows = sqlx::query(concat!(
        "SELECT (g.from_at / 1000000 + 28800) / 86400 AS day, g.course_id, ",
        micros_sum!("g.amount_micros"),
        " AS amount FROM usage_records g \
         WHERE g.tenant_id = $1 AND g.month IN ($2, $3) AND +g.from_at >= $4 AND ($5 IS NULL OR g.course_id = $5) \
         AND ($6 IS NULL OR $6 LIKE '%' || g.course_id || '%') \
         GROUP BY (g.from_at / 1000000 + 28800) / 86400, g.course_id ORDER BY 1, 2"
    ))
    .bind(tenant.to_string())
    .bind(month.to_string())
    .bind(month.previous().to_string())
    .bind(since.micros())
    .bind(course.map(|id| id.to_string()))
    .bind(courses.map(list_of))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("usage_records", row);
            Ok(DaySpend { day: row.integer("day")?, course: row.parse("course_id")?, micros: row.integer("amount")? })
        })
        .collect()
}

/// A course's spending: all of it before `first`, then by campus day; with credits and charges on the day they were made.
pub async fn course_days(connection: &mut AnyConnection, course: CourseId, first: Timestamp) -> Result<(i64, Vec<(i64, i64)>)> {
    let rows = sqlx::query(concat!(
        "SELECT d.day, ",
        micros_sum!("d.amount"),
        " AS amount FROM ( \
           SELECT CASE WHEN g.from_at < $2 THEN -1 ELSE (g.from_at / 1000000 + 28800) / 86400 END AS day, g.amount_micros AS amount \
           FROM usage_records g WHERE g.course_id = $1 \
           UNION ALL \
           SELECT CASE WHEN a.created_at < $2 THEN -1 ELSE (a.created_at / 1000000 + 28800) / 86400 END AS day, a.amount_micros AS amount \
           FROM adjustments a WHERE a.course_id = $1) d GROUP BY d.day ORDER BY d.day"
    ))
    .bind(course.to_string())
    .bind(first.micros())
    .fetch_all(connection)
    .await?;
    let mut before = 0;
    let mut days = Vec::new();
    for row in &rows {
        let row = Row::of("usage_records", row);
        match row.integer("day")? {
            -1 => before = row.integer("amount")?,
            day => days.push((day, row.integer("amount")?)),
        }
    }
    Ok((before, days))
}

/// Usage and adjustments of every month, the latest first; of closed ones from their bills, since those do not change.
pub async fn months(connection: &mut AnyConnection, tenant: TenantId, courses: Option<&BTreeSet<CourseId>>) -> Result<Vec<(Month, Money, Money)>> {
    let rows = sqlx::query(
        concat!(
            "SELECT t.month, c.currency, ",
            micros_sum!("t.used"),
            " AS used, ",
            micros_sum!("t.adjusted"),
            " AS adjusted FROM ( \
           SELECT b.month, b.usage_micros AS used, b.adjustments_micros AS adjusted, b.course_id FROM bills b WHERE b.tenant_id = $1 \
           UNION ALL \
           SELECT g.month, ",
            micros_sum!("g.amount_micros"),
            " AS used, 0 AS adjusted, g.course_id FROM usage_records g WHERE g.tenant_id = $1 \
             AND g.month NOT IN (SELECT k.month FROM bill_closings k WHERE k.tenant_id = $1) GROUP BY g.month, g.course_id \
           UNION ALL \
           SELECT a.month, 0 AS used, ",
            micros_sum!("a.amount_micros"),
            " AS adjusted, a.course_id FROM adjustments a WHERE a.tenant_id = $1 \
             AND a.month NOT IN (SELECT k.month FROM bill_closings k WHERE k.tenant_id = $1) GROUP BY a.month, a.course_id) t JOIN courses c ON c.id = t.course_id \
         WHERE ($2 IS NULL OR $2 LIKE '%' || t.course_id || '%') \
         GROUP BY t.month, c.currency ORDER BY t.month DESC"
        ),
    )
    .bind(tenant.to_string())
    .bind(courses.map(list_of))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("usage_records", row);
            let currency: Currency = row.parse("currency")?;
            Ok((row.parse("month")?, Money::new(row.integer("used")?, currency), Money::new(row.integer("adjusted")?, currency)))
        })
        .collect()
}
