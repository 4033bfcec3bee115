//! Rated usage: one row for each lab, meter and begin, within one campus day, written by metering alone. Bills are sums over these rows.

macro_rules! line_columns {
    () => {
        "g.lab_id, g.meter, g.from_at, g.to_at, g.quantity, g.seconds, g.unit_micros, g.discount_points, g.amount_micros, g.currency, g.month, g.open, g.card"
    };
}

mod bills;
mod breakdown;
mod month;
mod rows;

pub use bills::summaries;
pub use breakdown::{Scope, cost_since, groups, lines, meters};
pub use month::{course_days, courses, days, months};
pub use rows::{ExportRow, export, of_lab_month};

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    courses::CourseRef,
    ids::{CourseId, LabId, TenantId, UserId},
    labs::Lab,
    metering::{UsageLine, UsageRecord},
    money::{Currency, Money},
    pricing::{BasisPoints, Meter},
    time::{Month, Timestamp},
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{error::Result, ids_list::list as list_of, row::Row};

fn line(row: &AnyRow) -> Result<UsageLine> {
    let row = Row::of("usage_records", row);
    let currency: Currency = row.parse("currency")?;
    Ok(UsageLine {
        meter: row.parse("meter")?,
        card: row.parse("card")?,
        quantity: row.integer("quantity")?,
        from: row.timestamp("from_at")?,
        to: row.timestamp("to_at")?,
        seconds: row.integer("seconds")?,
        unit_price: Money::new(row.integer("unit_micros")?, currency),
        discount: BasisPoints::new(row.count("discount_points")?).ok_or_else(|| row.fail("discount_points", "above the whole"))?,
        amount: Money::new(row.integer("amount_micros")?, currency),
        month: row.parse("month")?,
        open: row.flag("open")?,
    })
}

/// Writes a line of a lab in place of the one with the same meter and begin.
pub async fn put(connection: &mut AnyConnection, lab: &Lab, line: &UsageLine) -> Result<()> {
    let UsageLine { meter, card, quantity, from, to, seconds, unit_price, discount, amount, month, open } = line;
    sqlx::query(
        "INSERT INTO usage_records (lab_id, meter, from_at, to_at, tenant_id, course_id, quantity, seconds, unit_micros, amount_micros, \
         currency, month, open, discount_points, card) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
         ON CONFLICT (lab_id, meter, from_at) DO UPDATE SET to_at = excluded.to_at, quantity = excluded.quantity, \
         seconds = excluded.seconds, unit_micros = excluded.unit_micros, amount_micros = excluded.amount_micros, \
         currency = excluded.currency, month = excluded.month, open = excluded.open, discount_points = excluded.discount_points, \
         card = excluded.card",
    )
    .bind(lab.id.to_string())
    .bind(meter.to_string())
    .bind(from.micros())
    .bind(to.micros())
    .bind(lab.tenant.to_string())
    .bind(lab.course.to_string())
    .bind(*quantity)
    .bind(*seconds)
    .bind(unit_price.micros)
    .bind(amount.micros)
    .bind(amount.currency.code())
    .bind(month.to_string())
    .bind(i64::from(*open))
    .bind(i64::from(discount.get()))
    .bind(card.id())
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes away a line that the lab's recorded life no longer gives (a price was dated back, say).
pub async fn remove(connection: &mut AnyConnection, lab: LabId, meter: Meter, from: Timestamp) -> Result<()> {
    sqlx::query("DELETE FROM usage_records WHERE lab_id = $1 AND meter = $2 AND from_at = $3")
        .bind(lab.to_string())
        .bind(meter.to_string())
        .bind(from.micros())
        .execute(connection)
        .await?;
    Ok(())
}

/// All lines of one lab, by begin and meter.
pub async fn of_lab(connection: &mut AnyConnection, lab: LabId) -> Result<Vec<UsageLine>> {
    sqlx::query(concat!("SELECT ", line_columns!(), " FROM usage_records g WHERE g.lab_id = $1 ORDER BY g.from_at, g.meter"))
        .bind(lab.to_string())
        .fetch_all(connection)
        .await?
        .iter()
        .map(line)
        .collect()
}

/// A lab's lines as far as they may still change: those that end after `frontier`; all of them while there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    pub frontier: Option<Timestamp>,
    pub lines: Vec<UsageLine>,
}

/// Of every lab that is not metered to its end, with ids after `after` up to `last`; a lab without lines is left out.
pub async fn of_unmetered(connection: &mut AnyConnection, after: Option<LabId>, last: LabId) -> Result<BTreeMap<LabId, Stored>> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        line_columns!(),
        ", l.usage_frontier FROM usage_records g JOIN labs l ON l.id = g.lab_id \
         WHERE l.metered_to IS NULL AND l.id > $1 AND l.id <= $2 AND g.to_at > COALESCE(l.usage_frontier, -1)"
    ))
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(last.to_string())
    .fetch_all(connection)
    .await?;
    let mut all = BTreeMap::<LabId, Stored>::new();
    for any in &rows {
        let row = Row::of("usage_records", any);
        let stored = all.entry(row.parse("lab_id")?).or_default();
        stored.frontier = row.optional_timestamp("usage_frontier")?;
        stored.lines.push(line(any)?);
    }
    Ok(all)
}

/// Which records are wanted; all conditions hold together.
#[derive(Debug, Clone)]
pub struct Query {
    pub tenant: TenantId,
    /// Of these courses, and of the labs that this person owns.
    pub visible_to: Option<(UserId, BTreeSet<CourseId>)>,
    pub course: Option<CourseId>,
    /// Id or name.
    pub lab: Option<String>,
    pub month: Option<Month>,
    /// Those after this record in the order of the list.
    pub after: Option<(Timestamp, LabId, Meter)>,
    pub limit: u32,
}

/// Latest begin first.
pub async fn list(connection: &mut AnyConnection, query: &Query) -> Result<Vec<UsageRecord>> {
    let (at, lab, meter) = match &query.after {
        Some((at, lab, meter)) => (at.micros(), lab.to_string(), meter.to_string()),
        // Before everything: the list begins at its top.
        None => (i64::MAX, String::new(), String::new()),
    };
    let rows = sqlx::query(concat!(
        "SELECT ",
        line_columns!(),
        ", l.name AS lab_name, g.course_id, c.code AS course_code, c.name AS course_name \
         FROM usage_records g JOIN labs l ON l.id = g.lab_id JOIN courses c ON c.id = g.course_id \
         WHERE g.tenant_id = $1 AND (g.from_at, g.lab_id, g.meter) < ($2, $3, $4) \
         AND ($5 IS NULL OR l.owner_id = $5 OR $10 LIKE '%' || g.course_id || '%') \
         AND ($6 IS NULL OR g.course_id = $6) AND ($7 IS NULL OR g.lab_id = $7 OR l.name = $7) AND ($8 IS NULL OR g.month = $8) \
         ORDER BY g.from_at DESC, g.lab_id DESC, g.meter DESC LIMIT $9"
    ))
    .bind(query.tenant.to_string())
    .bind(at)
    .bind(lab)
    .bind(meter)
    .bind(query.visible_to.as_ref().map(|(id, _)| id.to_string()))
    .bind(query.course.map(|id| id.to_string()))
    .bind(query.lab.clone())
    .bind(query.month.map(|month| month.to_string()))
    .bind(i64::from(query.limit))
    .bind(query.visible_to.as_ref().map(|(_, courses)| list_of(courses)))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|any| {
            let row = Row::of("usage_records", any);
            Ok(UsageRecord {
                lab: row.parse("lab_id")?,
                lab_name: row.text("lab_name")?,
                course: CourseRef { id: row.parse("course_id")?, code: row.text("course_code")?, name: row.text("course_name")? },
                line: line(any)?,
            })
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests;
