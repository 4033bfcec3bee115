//! Rows into orders. Lists carry the people, course, lab and place in the queue along, so that a page needs one statement.

use domain::{
    courses::CourseRef,
    ids::{CourseId, LabId, OrderId, UserId},
    orders::{ClassRef, Order, OrderState, class::MICROS_PER_MINUTE},
    people::PersonRef,
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{accounts::standing::owner_left, error::Result, row::Row};

/// An order with the names that its readers see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub order: Order,
    pub owner: PersonRef,
    pub course: CourseRef,
    pub decided_by: Option<PersonRef>,
    pub labs: Vec<LabId>,
    /// 1 is next; only while queued.
    pub queue_position: Option<u32>,
    /// The owner may not order for the course any more.
    pub owner_left: bool,
}

macro_rules! columns {
    () => {
        "o.id, o.number, o.tenant_id, o.course_id, o.owner_id, o.offering_id, o.offering_version, o.offering_name, o.parameters, o.spec, \
         o.minutes, o.purpose, o.state, o.ruling, o.estimate, o.submitted_at, o.expires_at, o.decided_at, o.decided_by, o.reason, \
         o.queued_at, o.stage, o.barred, o.proposal, o.version, o.starts_at, o.seat, o.class_id, o.class_seats, o.class_lessons, o.class_lesson, \
         o.lab_change"
    };
}

/// The select of [`Listed`]; conditions on `o` follow it.
pub(super) const LISTED: &str = concat!(
    "SELECT ",
    columns!(),
    ", u.login AS owner_login, u.name AS owner_name, c.code AS course_code, c.name AS course_name, \
     d.login AS decider_login, d.name AS decider_name, l.id AS lab_id, \
     CASE WHEN o.state = 'queued' THEN 1 \
       + (SELECT COUNT(*) FROM orders q WHERE q.state = 'queued' AND q.card = o.card \
          AND (q.queued_at < o.queued_at OR q.queued_at = o.queued_at AND q.id < o.id)) \
       + (SELECT COUNT(*) FROM labs w LEFT JOIN reservations r ON r.lab_id = w.id \
          WHERE w.state = 'pending' AND r.lab_id IS NULL AND w.card = o.card AND COALESCE(w.queued_at, w.created_at) < o.queued_at) \
     END AS queue_position, ",
    owner_left!("o"),
    " AS owner_left FROM orders o JOIN users u ON u.id = o.owner_id JOIN courses c ON c.id = o.course_id \
     LEFT JOIN users d ON d.id = o.decided_by LEFT JOIN labs l ON l.order_id = o.id"
);

/// An order by itself, for a decision.
pub async fn find(connection: &mut AnyConnection, id: OrderId) -> Result<Option<Order>> {
    let row = sqlx::query(concat!("SELECT ", columns!(), " FROM orders o WHERE o.id = $1")).bind(id.to_string()).fetch_optional(connection).await?;
    row.as_ref().map(|row| order(&Row::of("orders", row))).transpose()
}

/// Undecided orders whose hold is over, and those that still wait for cards when their lesson is over, of all tenants.
pub async fn expired(connection: &mut AnyConnection, now: Timestamp, limit: u32) -> Result<Vec<Order>> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM orders o WHERE o.state IN ('pending_approval', 'awaiting_requester') AND o.expires_at <= $1 \
           OR o.state = 'queued' AND o.starts_at IS NOT NULL AND o.starts_at + o.minutes * $3 <= $1 ORDER BY o.expires_at, o.id LIMIT $2"
    ))
    .bind(now.micros())
    .bind(i64::from(limit))
    .bind(MICROS_PER_MINUTE)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| order(&Row::of("orders", row))).collect()
}

/// Orders of this person for the course that are undecided, or wait for cards or for their lesson, the oldest first.
pub async fn waiting_of(connection: &mut AnyConnection, owner: UserId, course: CourseId, limit: u32) -> Result<Vec<Order>> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM orders o WHERE o.owner_id = $1 AND o.course_id = $2 AND o.state IN ('pending_approval', 'awaiting_requester', 'queued') \
         ORDER BY o.id LIMIT $3"
    ))
    .bind(owner.to_string())
    .bind(course.to_string())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| order(&Row::of("orders", row))).collect()
}

/// The order that waits to change this lab.
pub async fn change_waiting(connection: &mut AnyConnection, lab: LabId) -> Result<Option<Order>> {
    let row =
        sqlx::query(concat!("SELECT ", columns!(), " FROM orders o WHERE o.changes_lab = $1 AND o.state = 'pending_approval' ORDER BY o.id LIMIT 1"))
            .bind(lab.to_string())
            .fetch_optional(connection)
            .await?;
    row.as_ref().map(|row| order(&Row::of("orders", row))).transpose()
}

/// Orders that wait to change a lab that is gone, of all tenants.
pub async fn changes_of_gone_labs(connection: &mut AnyConnection, limit: u32) -> Result<Vec<Order>> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM orders o JOIN labs l ON l.id = o.changes_lab WHERE o.changes_lab IS NOT NULL AND o.state = 'pending_approval' \
           AND l.state IN ('destroying', 'destroyed') ORDER BY o.id LIMIT $1"
    ))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| order(&Row::of("orders", row))).collect()
}

/// Undecided orders that expire by `until`, are not over at `now`, and whose approvers nobody reminded.
pub async fn expiring(connection: &mut AnyConnection, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<Order>> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM orders o WHERE o.state = 'pending_approval' AND o.reminded_at IS NULL AND o.expires_at > $1 AND o.expires_at <= $2 \
         ORDER BY o.expires_at, o.id LIMIT $3"
    ))
    .bind(now.micros())
    .bind(until.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| order(&Row::of("orders", row))).collect()
}

/// Those of these orders that are there, in one statement.
pub async fn several(connection: &mut AnyConnection, ids: &[OrderId]) -> Result<Vec<Listed>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<_> = (1..=ids.len()).map(|number| format!("${number}")).collect();
    let sql = format!("{LISTED} WHERE o.id IN ({}) ORDER BY o.id", places.join(", "));
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for id in ids {
        query = query.bind(id.to_string());
    }
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(|row| listed(&Row::of("orders", row))).collect()
}

fn order(row: &Row<'_>) -> Result<Order> {
    Ok(Order {
        id: row.parse("id")?,
        number: row.integer("number")?,
        tenant: row.parse("tenant_id")?,
        course: row.parse("course_id")?,
        owner: row.parse("owner_id")?,
        offering: row.parse("offering_id")?,
        offering_version: row.count("offering_version")?,
        offering_name: row.json("offering_name")?,
        parameters: row.json("parameters")?,
        spec: row.json("spec")?,
        minutes: row.count("minutes")?,
        purpose: row.text("purpose")?,
        state: row.state("state", OrderState::parse)?,
        ruling: row.json("ruling")?,
        estimate: row.json("estimate")?,
        submitted_at: row.timestamp("submitted_at")?,
        expires_at: row.timestamp("expires_at")?,
        decided_at: row.optional_timestamp("decided_at")?,
        decided_by: row.optional_parse("decided_by")?,
        reason: row.optional_text("reason")?,
        queued_at: row.optional_timestamp("queued_at")?,
        stage: row.count("stage")?,
        barred: row.json("barred")?,
        proposal: row.optional_json("proposal")?,
        starts_at: row.optional_timestamp("starts_at")?,
        seat: row.optional_text("seat")?,
        class: class(row)?,
        change: row.optional_json("lab_change")?,
        version: row.integer("version")?,
    })
}

fn class(row: &Row<'_>) -> Result<Option<ClassRef>> {
    let Some(id) = row.optional_parse("class_id")? else { return Ok(None) };
    Ok(Some(ClassRef { id, seats: row.count("class_seats")?, lessons: row.count("class_lessons")?, lesson: row.count("class_lesson")? }))
}

pub(super) fn listed(row: &Row<'_>) -> Result<Listed> {
    let order = order(row)?;
    let decided_by = match order.decided_by {
        Some(id) => Some(PersonRef { id, login: row.text("decider_login")?, name: row.text("decider_name")? }),
        None => None,
    };
    let queue_position = row
        .optional_integer("queue_position")?
        .map(|position| u32::try_from(position).map_err(|_| row.fail("queue_position", "out of range")))
        .transpose()?;
    Ok(Listed {
        owner: PersonRef { id: order.owner, login: row.text("owner_login")?, name: row.text("owner_name")? },
        course: CourseRef { id: order.course, code: row.text("course_code")?, name: row.text("course_name")? },
        decided_by,
        labs: row.optional_parse("lab_id")?.into_iter().collect(),
        queue_position,
        owner_left: row.flag("owner_left")?,
        order,
    })
}
