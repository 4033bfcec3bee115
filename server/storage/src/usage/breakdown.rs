//! Usage broken down: by offering, card or person, and into bill lines of one lab and meter each.

use std::collections::BTreeSet;

use domain::{
    billing::{BillLine, Dimension, Group},
    catalogue::Localized,
    ids::{CourseId, LabId, OfferingId, TenantId, UserId},
    money::{Currency, Money},
    pricing::{BasisPoints, Meter},
    time::{Month, Timestamp},
};
use sqlx::AnyConnection;

use crate::{error::Result, ids_list::list as list_of, row::Row};

/// Whose usage, and which of it; all conditions hold together.
#[derive(Debug, Clone)]
pub struct Scope {
    pub tenant: TenantId,
    pub month: Month,
    /// Only of these courses.
    pub courses: Option<BTreeSet<CourseId>>,
    pub course: Option<CourseId>,
    pub offering: Option<OfferingId>,
    /// Kind of card.
    pub card: Option<String>,
    pub owner: Option<UserId>,
}

impl Scope {
    pub const fn month(tenant: TenantId, month: Month) -> Self {
        Self { tenant, month, courses: None, course: None, offering: None, card: None, owner: None }
    }
}

// First summed by lab (and the card that it had then), from the index alone; names are looked up only after that.
macro_rules! group_sql {
    ($part:literal, $key:literal, $name:literal, $join:literal) => {
        concat!(
            "SELECT ",
            $key,
            " AS group_key, MAX(",
            $name,
            ") AS group_name, COUNT(*) AS labs, CAST(SUM(g.card_seconds) AS BIGINT) AS card_seconds, \
             ",
            micros_sum!("g.amount"),
            " AS amount, MAX(l.currency) AS currency \
             FROM (SELECT ",
            $part,
            ", ",
            micros_sum!("u.amount_micros"),
            " AS amount, \
               SUM(CASE WHEN u.meter LIKE 'gpu-%' THEN u.quantity * u.seconds ELSE 0 END) AS card_seconds \
               FROM usage_records u WHERE u.tenant_id = $1 AND u.month = $2 AND ($3 IS NULL OR u.course_id = $3) \
               AND ($4 IS NULL OR $4 LIKE '%' || u.course_id || '%') GROUP BY ",
            $part,
            ") g \
             JOIN labs l ON l.id = g.lab_id ",
            $join,
            " GROUP BY ",
            $key,
            " ORDER BY 5 DESC, 1"
        )
    };
}

/// The dearest first; at most 500, which is more than anybody reads.
pub async fn groups(connection: &mut AnyConnection, scope: &Scope, by: Dimension) -> Result<Vec<Group>> {
    let sql = match by {
        Dimension::Course => group_sql!("u.lab_id", "c.code", "c.name", "JOIN courses c ON c.id = l.course_id"),
        Dimension::Offering => group_sql!("u.lab_id", "o.offering_id", "l.offering_name", "JOIN orders o ON o.id = l.order_id"),
        Dimension::Card => group_sql!("u.lab_id, u.card", "g.card", "g.card", ""),
        Dimension::Person => group_sql!("u.lab_id", "l.owner_id", "p.name", "JOIN users p ON p.id = l.owner_id"),
    };
    let rows = sqlx::query(sql)
        .bind(scope.tenant.to_string())
        .bind(scope.month.to_string())
        .bind(scope.course.map(|id| id.to_string()))
        .bind(scope.courses.as_ref().map(list_of))
        .fetch_all(connection)
        .await?;
    rows.iter()
        .take(500)
        .map(|row| {
            let row = Row::of("usage_records", row);
            let key = row.text("group_key")?;
            let same = |text: String| Localized { zh: text.clone(), en: text };
            let name = match by {
                Dimension::Offering => row.json("group_name")?,
                Dimension::Card => key.parse::<domain::gpu::Card>().map_or_else(|_| same(key.clone()), |card| same(card.name().to_owned())),
                Dimension::Course => same(format!("{key} {}", row.text("group_name")?)),
                Dimension::Person => same(row.text("group_name")?),
            };
            Ok(Group {
                key,
                name,
                labs: row.count("labs")?,
                card_seconds: row.integer("card_seconds")?,
                amount: Money::new(row.integer("amount")?, row.parse::<Currency>("currency")?),
            })
        })
        .collect()
}

/// One line for each lab and meter, in the order of their ids, those after `after`.
pub async fn lines(connection: &mut AnyConnection, scope: &Scope, after: Option<(LabId, Meter)>, limit: u32) -> Result<Vec<BillLine>> {
    let (lab, meter) = after.map_or_else(Default::default, |(lab, meter)| (lab.to_string(), meter.to_string()));
    let rows = sqlx::query(
        concat!(
            "SELECT g.lab_id, MAX(l.name) AS lab_name, MAX(p.name) AS owner_name, g.meter, MAX(g.currency) AS currency, CAST(SUM(g.quantity * g.seconds) AS BIGINT) AS units, \
         ",
            micros_sum!("g.amount_micros"),
            " AS amount, MAX(g.open) AS open \
         FROM usage_records g JOIN labs l ON l.id = g.lab_id JOIN users p ON p.id = l.owner_id JOIN orders o ON o.id = l.order_id \
         WHERE g.tenant_id = $1 AND g.month = $2 AND (g.lab_id, g.meter) > ($3, $4) AND ($5 IS NULL OR g.course_id = $5) \
         AND ($6 IS NULL OR $6 LIKE '%' || g.course_id || '%') \
         AND ($7 IS NULL OR o.offering_id = $7) AND ($8 IS NULL OR g.card = $8) AND ($9 IS NULL OR l.owner_id = $9) \
         GROUP BY g.lab_id, g.meter ORDER BY g.lab_id, g.meter LIMIT $10"
        ),
    )
    .bind(scope.tenant.to_string())
    .bind(scope.month.to_string())
    .bind(lab)
    .bind(meter)
    .bind(scope.course.map(|id| id.to_string()))
    .bind(scope.courses.as_ref().map(list_of))
    .bind(scope.offering.map(|id| id.to_string()))
    .bind(scope.card.clone())
    .bind(scope.owner.map(|id| id.to_string()))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter()
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
        .collect()
}

/// A month by course, meter and discount: quantity times seconds, and what it cost. For "what would it have cost".
pub async fn meters(connection: &mut AnyConnection, tenant: TenantId, month: Month) -> Result<Vec<(CourseId, Meter, BasisPoints, i64, i64)>> {
    let rows = sqlx::query(concat!(
        "SELECT g.course_id, g.meter, g.discount_points, CAST(SUM(g.quantity * g.seconds) AS BIGINT) AS units, \
         ",
        micros_sum!("g.amount_micros"),
        " AS amount FROM usage_records g WHERE g.tenant_id = $1 AND g.month = $2 \
         GROUP BY g.course_id, g.meter, g.discount_points ORDER BY g.course_id, g.meter, g.discount_points"
    ))
    .bind(tenant.to_string())
    .bind(month.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("usage_records", row);
            let points = BasisPoints::new(row.count("discount_points")?).ok_or_else(|| row.fail("discount_points", "above the whole"))?;
            Ok((row.parse("course_id")?, row.parse("meter")?, points, row.integer("units")?, row.integer("amount")?))
        })
        .collect()
}

/// What began since an instant has cost; of the courses that this person teaches and the labs that they own, or of the whole tenant.
pub async fn cost_since(
    connection: &mut AnyConnection,
    tenant: TenantId,
    visible_to: Option<&(UserId, BTreeSet<CourseId>)>,
    since: Timestamp,
) -> Result<i64> {
    let row = sqlx::query(concat!(
        "SELECT COALESCE(",
        micros_sum!("g.amount_micros"),
        ", 0) AS amount FROM usage_records g JOIN labs l ON l.id = g.lab_id \
         WHERE g.tenant_id = $1 AND g.from_at >= $2 \
         AND ($3 IS NULL OR l.owner_id = $3 OR $4 LIKE '%' || g.course_id || '%')"
    ))
    .bind(tenant.to_string())
    .bind(since.micros())
    .bind(visible_to.map(|(owner, _)| owner.to_string()))
    .bind(visible_to.map(|(_, courses)| list_of(courses)))
    .fetch_one(connection)
    .await?;
    Row::of("usage_records", &row).integer("amount")
}
