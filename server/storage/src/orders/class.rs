//! Orders that were made together: what waits of them, and how they stand.

use domain::{
    access::Role,
    ids::{ClassId, OrderId},
    money::Money,
    orders::{
        ClassLesson, ClassWaiting,
        class::{ORDERS_MAX, Span},
    },
};
use sqlx::AnyConnection;

use super::{list::Decider, read::Listed};
use crate::{error::Result, row::Row};

/// Those of a class order that wait for this person's decision, the first one first.
pub async fn class_inbox(connection: &mut AnyConnection, decider: &Decider, class: ClassId) -> Result<Vec<Listed>> {
    let mut conditions = decider.conditions();
    conditions.and("o.class_id = ", &class);
    conditions.fetch("o.id", ORDERS_MAX, connection).await
}

/// How the orders of a class order stand together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The first of them, which stands for all.
    pub first: OrderId,
    pub number: i64,
    /// How many wait for the role that was asked about.
    pub waiting: u32,
    /// How many wait for any decision, the requester's included.
    pub undecided: u32,
    pub rejected: u32,
}

/// The state of the orders of one lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lesson {
    /// How many may still get a lab that starts.
    pub coming: u32,
    /// How many have a lab that became ready.
    pub ready: u32,
}

pub async fn lesson(connection: &mut AnyConnection, class: ClassId, lesson: u32) -> Result<Lesson> {
    let row = sqlx::query(
        "SELECT COUNT(CASE WHEN o.state IN ('pending_approval', 'awaiting_requester', 'approved', 'queued') THEN 1 END) AS coming, \
         COUNT(CASE WHEN o.state = 'fulfilled' THEN 1 END) AS ready FROM orders o WHERE o.class_id = $1 AND o.class_lesson = $2",
    )
    .bind(class.to_string())
    .bind(i64::from(lesson))
    .fetch_one(connection)
    .await?;
    let row = Row::of("orders", &row);
    Ok(Lesson { coming: row.count("coming")?, ready: row.count("ready")? })
}

/// `None` when there is none of that id.
pub async fn standing(connection: &mut AnyConnection, class: ClassId, role: Option<Role>) -> Result<Option<Standing>> {
    let row = sqlx::query(
        "SELECT MIN(o.id) AS id, MIN(o.number) AS number, COUNT(CASE WHEN o.awaits = $2 THEN 1 END) AS waiting, \
         COUNT(CASE WHEN o.state IN ('pending_approval', 'awaiting_requester') THEN 1 END) AS undecided, \
         COUNT(CASE WHEN o.state = 'rejected' THEN 1 END) AS rejected FROM orders o WHERE o.class_id = $1",
    )
    .bind(class.to_string())
    .bind(role.map_or("", Role::as_str).to_owned())
    .fetch_one(connection)
    .await?;
    let row = Row::of("orders", &row);
    let Some(first) = row.optional_parse("id")? else { return Ok(None) };
    let (waiting, undecided, rejected) = (row.count("waiting")?, row.count("undecided")?, row.count("rejected")?);
    Ok(Some(Standing { first, number: row.integer("number")?, waiting, undecided, rejected }))
}

/// What waits of a class order for a decision in this role, lesson by lesson. `None` when nothing does. One statement.
pub async fn class_waiting(connection: &mut AnyConnection, class: ClassId, role: Role) -> Result<Option<ClassWaiting>> {
    let rows = sqlx::query(concat!(
        "SELECT o.starts_at, o.minutes, o.currency, COUNT(*) AS seats, CAST(SUM(o.cards) AS BIGINT) AS cards, ",
        micros_sum!("o.held_micros"),
        " AS total FROM orders o WHERE o.class_id = $1 AND o.awaits = $2 \
             GROUP BY o.starts_at, o.minutes, o.currency ORDER BY o.starts_at, o.minutes"
    ))
    .bind(class.to_string())
    .bind(role.as_str())
    .fetch_all(connection)
    .await?;
    let mut lessons = Vec::new();
    for row in &rows {
        let row = Row::of("orders", row);
        let minutes = row.integer("minutes")?;
        let span = row.optional_timestamp("starts_at")?.map(|from| Span { from, to: from.plus_minutes(minutes) });
        lessons.push(ClassLesson { span, seats: row.count("seats")?, cards: row.count("cards")?, total: row.money("total", "currency")? });
    }
    let total = lessons.iter().map(|lesson| lesson.total).reduce(Money::plus);
    Ok(total.map(|total| ClassWaiting { orders: lessons.iter().map(|lesson| lesson.seats).sum(), total, lessons }))
}
