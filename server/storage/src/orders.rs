//! Orders, their numbers and the requests that made them. An order changes by compare-and-set on its version.

mod class;
mod list;
mod past;
mod read;
mod waiters;

pub use class::{Lesson, Standing, class_inbox, class_waiting, lesson, standing};
pub use list::{Decider, Powers, Query, Visible, get, inbox, list, pending_count};
pub use past::past;
pub use read::{Listed, change_waiting, changes_of_gone_labs, expired, expiring, find, several, waiting_of};
pub use waiters::waiters;

use std::collections::BTreeMap;

use domain::{
    access::Role,
    ids::{OrderId, UserId},
    orders::Order,
    time::Timestamp,
};
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::{
    error::Result,
    folded,
    row::{Row, json},
    script::Insert,
};

/// The next numbers for people, so many: the first of them. Taken again when the transaction rolls back, so that numbers have no gaps.
pub async fn next_numbers(connection: &mut AnyConnection, count: u32) -> Result<i64> {
    let row = sqlx::query("UPDATE order_numbers SET next = next + $1 WHERE name = 'order' RETURNING next - $1 AS number")
        .bind(i64::from(count))
        .fetch_one(connection)
        .await?;
    Row::of("order_numbers", &row).integer("number")
}

/// Adds an order as it is: for tests, which write one at a time.
#[cfg(any(test, feature = "testing"))]
pub async fn insert(connection: &mut AnyConnection, order: &Order) -> Result<()> {
    new(order).run(connection).await.map(drop)
}

/// A new order as it is.
pub fn new(order: &Order) -> Insert {
    let Order {
        id,
        number,
        tenant,
        course,
        owner,
        offering,
        offering_version,
        offering_name,
        parameters,
        spec,
        minutes,
        purpose,
        state,
        ruling,
        estimate,
        submitted_at,
        expires_at,
        decided_at,
        decided_by,
        reason,
        queued_at,
        stage,
        barred,
        proposal,
        starts_at,
        seat,
        class,
        change,
        version,
    } = order;
    let sums = sums(order);
    Insert::new(
        "INSERT INTO orders (id, number, tenant_id, course_id, owner_id, offering_id, offering_version, offering_name, parameters, spec, \
         card, cards, card_parts, cpu_cores, memory_gib, storage_gib, minutes, purpose, state, ruling, estimate, held_micros, currency, \
         submitted_at, expires_at, decided_at, decided_by, reason, queued_at, version, stage, awaits, barred, proposal, \
         starts_at, seat, class_id, class_seats, class_lessons, class_lesson, folded, changes_lab, lab_change) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, \
         $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43)",
    )
    .bind(id.to_string())
    .bind(*number)
    .bind(tenant.to_string())
    .bind(course.to_string())
    .bind(owner.to_string())
    .bind(offering.to_string())
    .bind(i64::from(*offering_version))
    .bind(json(offering_name))
    .bind(json(parameters))
    .bind(json(spec))
    .bind(spec.card.id())
    .bind(sums[0])
    .bind(sums[1])
    .bind(sums[2])
    .bind(sums[3])
    .bind(sums[4])
    .bind(i64::from(*minutes))
    .bind(purpose.clone())
    .bind(state.as_str())
    .bind(json(ruling))
    .bind(json(estimate))
    .bind(estimate.total.micros)
    .bind(estimate.total.currency.code())
    .bind(submitted_at.micros())
    .bind(expires_at.micros())
    .bind(decided_at.map(Timestamp::micros))
    .bind(decided_by.map(|id| id.to_string()))
    .bind(reason.clone())
    .bind(queued_at.map(Timestamp::micros))
    .bind(*version)
    .bind(i64::from(*stage))
    .bind(order.awaits().map(Role::as_str))
    .bind(json(barred))
    .bind(proposal.as_ref().map(json))
    .bind(starts_at.map(Timestamp::micros))
    .bind(seat.clone())
    .bind(class.map(|class| class.id.to_string()))
    .bind(class.map(|class| i64::from(class.seats)))
    .bind(class.map(|class| i64::from(class.lessons)))
    .bind(class.map(|class| i64::from(class.lesson)))
    .bind(folded::order(*number, offering_name, purpose))
    .bind(change.as_ref().map(|change| change.lab.to_string()))
    .bind(change.as_ref().map(json))
}

/// Cards, parts of a card, cores, memory and storage, as queue and quota sum them: nothing for a change of a lab, which counts itself.
fn sums(order: &Order) -> [i64; 5] {
    let spec = &order.spec;
    if order.change.is_some() {
        return [0; 5];
    }
    [
        i64::from(spec.cards()),
        spec.card_share().parts(),
        i64::from(spec.total_cpu_cores()),
        i64::from(spec.total_memory_gib()),
        i64::from(spec.storage_gib),
    ]
}

/// Writes what can change, if nobody changed the order since it was read: whether it was written. The stored version is then
/// `order.version + 1`. What it holds follows its estimate until it has a lab; from then on the lab's changes say it (`labs::set_held`).
pub async fn save(connection: &mut AnyConnection, order: &Order) -> Result<bool> {
    let sums = sums(order);
    let done = sqlx::query(
        "UPDATE orders SET state = $3, decided_at = $4, decided_by = $5, reason = $6, queued_at = $7, stage = $8, awaits = $9, barred = $10, \
         proposal = $11, ruling = $12, parameters = $13, spec = $14, card = $15, cards = $16, card_parts = $17, cpu_cores = $18, \
         memory_gib = $19, storage_gib = $20, minutes = $21, estimate = $22, \
         held_micros = CASE WHEN EXISTS (SELECT 1 FROM labs l WHERE l.order_id = orders.id) THEN held_micros ELSE $23 END, version = version + 1 \
         WHERE id = $1 AND version = $2",
    )
    .bind(order.id.to_string())
    .bind(order.version)
    .bind(order.state.as_str())
    .bind(order.decided_at.map(Timestamp::micros))
    .bind(order.decided_by.map(|id| id.to_string()))
    .bind(order.reason.clone())
    .bind(order.queued_at.map(Timestamp::micros))
    .bind(i64::from(order.stage))
    .bind(order.awaits().map(Role::as_str))
    .bind(json(&order.barred))
    .bind(order.proposal.as_ref().map(json))
    .bind(json(&order.ruling))
    .bind(json(&order.parameters))
    .bind(json(&order.spec))
    .bind(order.spec.card.id())
    .bind(sums[0])
    .bind(sums[1])
    .bind(sums[2])
    .bind(sums[3])
    .bind(sums[4])
    .bind(i64::from(order.minutes))
    .bind(json(&order.estimate))
    .bind(order.estimate.total.micros)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps that the approvers were told of the coming end: whether nobody told them before.
pub async fn remind(connection: &mut AnyConnection, id: OrderId, now: Timestamp) -> Result<bool> {
    let done = sqlx::query("UPDATE orders SET reminded_at = $2 WHERE id = $1 AND reminded_at IS NULL")
        .bind(id.to_string())
        .bind(now.micros())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// What a key was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// Hexadecimal SHA-256.
    pub request_hash: String,
    pub order: OrderId,
    /// What was answered, as JSON; `None` for keys from before answers were kept.
    pub answer: Option<String>,
}

/// What was submitted with this key before.
pub async fn remembered(connection: &mut AnyConnection, user: UserId, key: &str) -> Result<Option<Remembered>> {
    Ok(remembered_of(connection, &[(user, key)]).await?.remove(&(user, key.to_owned())))
}

/// The same for several, of which none is there twice. One statement.
pub async fn remembered_of(connection: &mut AnyConnection, keys: &[(UserId, &str)]) -> Result<BTreeMap<(UserId, String), Remembered>> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    // Few texts for any number of keys, so that they are prepared once: what is left repeats the last key.
    let count = keys.len().next_power_of_two();
    let pairs: Vec<String> = (0..count).map(|at| format!("(user_id = ${} AND key = ${})", 2 * at + 1, 2 * at + 2)).collect();
    let sql = format!("SELECT user_id, key, request_hash, order_id, answer FROM idempotency_keys WHERE {}", pairs.join(" OR "));
    let padded = keys.iter().chain(keys.last().into_iter().cycle()).take(count);
    let query = padded.fold(sqlx::query(AssertSqlSafe(sql)), |query, (user, key)| query.bind(user.to_string()).bind((*key).to_owned()));
    let rows = query.fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("idempotency_keys", row);
            let made = Remembered { request_hash: row.text("request_hash")?, order: row.parse("order_id")?, answer: row.optional_text("answer")? };
            Ok(((row.parse("user_id")?, row.text("key")?), made))
        })
        .collect()
}

/// Keeps which order a key made, and what was answered; nothing when it has made one already. Waits for another transaction that is about
/// to keep the same key.
pub fn remember(user: UserId, key: &str, made: &Remembered, now: Timestamp) -> Insert {
    Insert::new(
        "INSERT INTO idempotency_keys (user_id, key, request_hash, order_id, answer, created_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (user_id, key) DO NOTHING",
    )
    .bind(user.to_string())
    .bind(key)
    .bind(made.request_hash.clone())
    .bind(made.order.to_string())
    .bind(made.answer.clone())
    .bind(now.micros())
}

/// Forgets at most so many answers that were kept before `before`; their keys stay. Returns how many.
pub async fn forget_answers(connection: &mut AnyConnection, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "UPDATE idempotency_keys SET answer = NULL WHERE (user_id, key) IN \
               (SELECT user_id, key FROM idempotency_keys WHERE answer IS NOT NULL AND created_at < $1 ORDER BY created_at LIMIT $2)";
    let done = sqlx::query(sql).bind(before.micros()).bind(i64::from(limit)).execute(connection).await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
pub(crate) mod tests;
