//! Everything that a recount of bills needs, row by row and as it is stored: no sums, no rules, nothing that billing itself reads by.

use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// A lab with its life: `(state, instant)` in order.
#[derive(Debug, Clone)]
pub struct Life {
    pub lab: String,
    pub tenant: String,
    pub course: String,
    pub card: String,
    /// As it is now, or was last.
    pub size: Size,
    /// What it was until an instant, in order.
    pub earlier: Vec<(i64, Size)>,
    pub changes: Vec<(String, i64)>,
    /// When the lab stops automatically, and until when its volume is charged while it is down.
    pub stops_at: Option<i64>,
    pub kept_to: Option<i64>,
    /// Periods for which its volume was kept without charge.
    pub free_storage: Vec<(i64, i64)>,
}

/// Of all its pods together.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub cards: i64,
    pub cpu_cores: i64,
    pub memory_gib: i64,
    pub storage_gib: i64,
}

/// `tenant` is `None` for everybody's book.
#[derive(Debug, Clone)]
pub struct PriceRow {
    pub tenant: Option<String>,
    pub meter: String,
    pub from: i64,
    pub micros: i64,
}

#[derive(Debug, Clone)]
pub struct DiscountRow {
    pub tenant: String,
    pub points: i64,
    pub from: i64,
    pub to: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsageRow {
    pub lab: String,
    pub meter: String,
    pub from: i64,
    pub to: i64,
    pub course: String,
    pub quantity: i64,
    pub seconds: i64,
    pub unit_micros: i64,
    pub points: i64,
    pub micros: i64,
    pub month: String,
}

#[derive(Debug, Clone)]
pub struct AdjustmentRow {
    pub course: String,
    pub month: String,
    pub micros: i64,
    pub lab: Option<String>,
    pub of_month: Option<String>,
}

#[derive(Debug, Clone)]
pub struct BillRow {
    pub course: String,
    pub month: String,
    pub usage: i64,
    pub adjustments: i64,
}

#[derive(Debug, Clone)]
pub struct Ledger {
    pub lives: Vec<Life>,
    pub prices: Vec<PriceRow>,
    pub discounts: Vec<DiscountRow>,
    pub usage: Vec<UsageRow>,
    pub adjustments: Vec<AdjustmentRow>,
    /// Of closed months.
    pub bills: Vec<BillRow>,
    /// Periods that the clock skipped.
    pub skipped: Vec<(i64, i64)>,
}

pub async fn read(connection: &mut AnyConnection) -> Result<Ledger> {
    let mut lives = Vec::<Life>::new();
    let rows = sqlx::query(
        "SELECT l.id, l.tenant_id, l.course_id, l.card, l.cards, l.cpu_cores, l.memory_gib, l.storage_gib, l.ends_at, l.daily_stop_at, l.kept_until, l.grace_from, \
         c.to_state, c.at \
         FROM labs l JOIN lab_changes c ON c.lab_id = l.id ORDER BY l.id, c.seq",
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in &rows {
        let row = Row::of("labs", row);
        let lab = row.text("id")?;
        if lives.last().is_none_or(|last| last.lab != lab) {
            lives.push(Life {
                lab,
                tenant: row.text("tenant_id")?,
                course: row.text("course_id")?,
                card: row.text("card")?,
                size: Size {
                    cards: row.integer("cards")?,
                    cpu_cores: row.integer("cpu_cores")?,
                    memory_gib: row.integer("memory_gib")?,
                    storage_gib: row.integer("storage_gib")?,
                },
                earlier: Vec::new(),
                changes: Vec::new(),
                free_storage: Vec::new(),
                stops_at: row.optional_integer("ends_at")?.into_iter().chain(row.optional_integer("daily_stop_at")?).min(),
                kept_to: row.optional_integer("kept_until")?.into_iter().chain(row.optional_integer("grace_from")?).min(),
            });
        }
        if let Some(life) = lives.last_mut() {
            life.changes.push((row.text("to_state")?, row.integer("at")?));
        }
    }
    for row in &sqlx::query("SELECT lab_id, until_at, spec FROM lab_sizes ORDER BY lab_id, until_at").fetch_all(&mut *connection).await? {
        let row = Row::of("lab_sizes", row);
        let (lab, until, spec) = (row.text("lab_id")?, row.integer("until_at")?, row.json::<domain::catalogue::LabSpec>("spec")?);
        let size = Size {
            cards: spec.cards().into(),
            cpu_cores: spec.total_cpu_cores().into(),
            memory_gib: spec.total_memory_gib().into(),
            storage_gib: spec.storage_gib.into(),
        };
        if let Some(life) = lives.iter_mut().find(|life| life.lab == lab) {
            life.earlier.push((until, size));
        }
    }
    for row in &sqlx::query("SELECT lab_id, from_at, to_at FROM lab_free_storage").fetch_all(&mut *connection).await? {
        let row = Row::of("lab_free_storage", row);
        let (lab, stretch) = (row.text("lab_id")?, (row.integer("from_at")?, row.integer("to_at")?));
        if let Some(life) = lives.iter_mut().find(|life| life.lab == lab) {
            life.free_storage.push(stretch);
        }
    }
    let mut prices = Vec::new();
    for row in &sqlx::query("SELECT b.tenant_id, p.meter, p.from_at, p.unit_micros FROM prices p JOIN price_books b ON b.id = p.book_id")
        .fetch_all(&mut *connection)
        .await?
    {
        let row = Row::of("prices", row);
        let (from, micros) = (row.integer("from_at")?, row.integer("unit_micros")?);
        prices.push(PriceRow { tenant: row.optional_text("tenant_id")?, meter: row.text("meter")?, from, micros });
    }
    let mut discounts = Vec::new();
    for row in &sqlx::query("SELECT tenant_id, basis_points, from_at, to_at FROM discounts").fetch_all(&mut *connection).await? {
        let row = Row::of("discounts", row);
        let (from, to) = (row.integer("from_at")?, row.optional_integer("to_at")?);
        discounts.push(DiscountRow { tenant: row.text("tenant_id")?, points: row.integer("basis_points")?, from, to });
    }
    let usage = usage(connection).await?;
    let mut adjustments = Vec::new();
    for row in &sqlx::query("SELECT course_id, month, amount_micros, lab_id, of_month FROM adjustments").fetch_all(&mut *connection).await? {
        let row = Row::of("adjustments", row);
        let (course, month, micros) = (row.text("course_id")?, row.text("month")?, row.integer("amount_micros")?);
        adjustments.push(AdjustmentRow { course, month, micros, lab: row.optional_text("lab_id")?, of_month: row.optional_text("of_month")? });
    }
    let mut bills = Vec::new();
    for row in &sqlx::query("SELECT course_id, month, usage_micros, adjustments_micros FROM bills").fetch_all(&mut *connection).await? {
        let row = Row::of("bills", row);
        let (usage, adjustments) = (row.integer("usage_micros")?, row.integer("adjustments_micros")?);
        bills.push(BillRow { course: row.text("course_id")?, month: row.text("month")?, usage, adjustments });
    }
    let mut skipped = Vec::new();
    for row in &sqlx::query("SELECT from_at, to_at FROM clock_jumps").fetch_all(&mut *connection).await? {
        let row = Row::of("clock_jumps", row);
        skipped.push((row.integer("from_at")?, row.integer("to_at")?));
    }
    Ok(Ledger { lives, prices, discounts, usage, adjustments, bills, skipped })
}

async fn usage(connection: &mut AnyConnection) -> Result<Vec<UsageRow>> {
    let rows = sqlx::query(
        "SELECT lab_id, meter, from_at, to_at, course_id, quantity, seconds, unit_micros, discount_points, amount_micros, month FROM usage_records",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("usage_records", row);
            Ok(UsageRow {
                lab: row.text("lab_id")?,
                meter: row.text("meter")?,
                from: row.integer("from_at")?,
                to: row.integer("to_at")?,
                course: row.text("course_id")?,
                quantity: row.integer("quantity")?,
                seconds: row.integer("seconds")?,
                unit_micros: row.integer("unit_micros")?,
                points: row.integer("discount_points")?,
                micros: row.integer("amount_micros")?,
                month: row.text("month")?,
            })
        })
        .collect()
}
