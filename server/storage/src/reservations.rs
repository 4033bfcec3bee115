//! Cards set aside for labs, one row a lab, and the queue of those that wait for cards (C4).
//! Call the functions that hand out cards only under [`crate::pools::lock`] of that kind of card.

use domain::{
    capacity::{InLine, Pods},
    catalogue::LabSpec,
    gpu::Card,
    ids::{LabId, OrderId},
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row, script::Insert};

/// Sets cards aside; nothing when fewer are free or the lab has cards already. `preferred`: the nodes that its pods are asked to go to.
///
/// The statement compares and writes in one, so that even a caller without the lock cannot write a sum above a stale total by mistake.
pub fn take(lab: LabId, card: Card, cards: u32, preferred: &[&str], now: Timestamp) -> Insert {
    Insert::new(
        "INSERT INTO reservations (lab_id, card, cards, reserved_at, preferred_node) \
         SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS TEXT) \
         WHERE (CAST($3 AS BIGINT) = 0 OR COALESCE((SELECT total FROM card_pools WHERE card = $2), 0) >= \
                CAST($3 AS BIGINT) + (SELECT COALESCE(SUM(cards), 0) FROM reservations WHERE card = $2)) \
         ON CONFLICT (lab_id) DO NOTHING",
    )
    .bind(lab.to_string())
    .bind(card.id())
    .bind(i64::from(cards))
    .bind(now.micros())
    // No name of a node holds a comma.
    .bind((!preferred.is_empty()).then(|| preferred.join(",")))
}

/// Gives a lab's cards back. `false` when it held none.
pub async fn release(connection: &mut AnyConnection, lab: LabId) -> Result<bool> {
    crate::placement::forget(&mut *connection, lab).await?;
    let done = sqlx::query("DELETE FROM reservations WHERE lab_id = $1").bind(lab.to_string()).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

/// Changes what a lab holds to `cards` of `card`. `false`, and nothing is written, when fewer are free or the lab holds none.
pub async fn change(connection: &mut AnyConnection, lab: LabId, card: Card, cards: u32) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE reservations SET card = $2, cards = CAST($3 AS BIGINT) WHERE lab_id = $1 \
         AND (CAST($3 AS BIGINT) = 0 OR (card = $2 AND cards >= CAST($3 AS BIGINT)) OR COALESCE((SELECT total FROM card_pools WHERE card = $2), 0) >= \
              CAST($3 AS BIGINT) + (SELECT COALESCE(SUM(o.cards), 0) FROM reservations o WHERE o.card = $2 AND o.lab_id <> $1))",
    )
    .bind(lab.to_string())
    .bind(card.id())
    .bind(i64::from(cards))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives back what a lab holds above `cards`. `false` when it holds no more than that.
pub async fn shrink(connection: &mut AnyConnection, lab: LabId, cards: u32) -> Result<bool> {
    let done = sqlx::query("UPDATE reservations SET cards = $2 WHERE lab_id = $1 AND cards > $2")
        .bind(lab.to_string())
        .bind(i64::from(cards))
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// What waits for cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiter {
    /// Approved; its lab is made when its turn comes.
    Order(OrderId),
    /// Started again after a stop.
    Lab(LabId),
}

/// A place in the queue of one kind of card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub waiter: Waiter,
    /// What it asks for, and since when it waits.
    pub place: InLine,
}

/// Kinds of card that anybody waits for. Orders for a time to come do not wait yet: they are queued from their time on.
pub async fn waited_for(connection: &mut AnyConnection, now: Timestamp) -> Result<Vec<Card>> {
    let rows = sqlx::query(
        "SELECT card FROM orders WHERE state = 'queued' AND queued_at <= $1 \
         UNION SELECT l.card FROM labs l LEFT JOIN reservations r ON r.lab_id = l.id WHERE l.state = 'pending' AND r.lab_id IS NULL \
         ORDER BY card",
    )
    .bind(now.micros())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Row::of("orders", row).parse("card")).collect()
}

/// The head of a queue: those that wait longest come first. Those that ask for more than `most` cards are left out,
/// since no waiting helps them before the cluster grows, and they must not hold up everybody else.
pub async fn queue(connection: &mut AnyConnection, card: Card, most: u32, now: Timestamp, limit: u32) -> Result<Vec<Waiting>> {
    let rows = sqlx::query(
        "SELECT kind, id, spec, since FROM ( \
           SELECT 'order' AS kind, id, spec, queued_at AS since FROM orders \
             WHERE state = 'queued' AND card = $1 AND cards <= $2 AND queued_at <= $4 \
           UNION ALL \
           SELECT 'lab' AS kind, l.id, l.spec, COALESCE(l.queued_at, l.created_at) AS since FROM labs l \
             LEFT JOIN reservations r ON r.lab_id = l.id \
             WHERE l.state = 'pending' AND r.lab_id IS NULL AND l.card = $1 AND l.cards <= $2 \
         ) AS waiting ORDER BY since, id LIMIT $3",
    )
    .bind(card.id())
    .bind(i64::from(most))
    .bind(i64::from(limit))
    .bind(now.micros())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("orders", row);
            let waiter = match row.text("kind")?.as_str() {
                "order" => Waiter::Order(row.parse("id")?),
                _ => Waiter::Lab(row.parse("id")?),
            };
            let spec: LabSpec = row.json("spec")?;
            let place = InLine { pods: Pods::of(&spec), since: row.timestamp("since")? };
            Ok(Waiting { waiter, place })
        })
        .collect()
}

/// How many orders and labs wait, by kind of card.
pub async fn waiting_counts(connection: &mut AnyConnection, now: Timestamp) -> Result<Vec<(Card, u32)>> {
    let rows = sqlx::query(
        "SELECT card, CAST(COUNT(*) AS BIGINT) AS waiting FROM ( \
           SELECT card FROM orders WHERE state = 'queued' AND queued_at <= $1 \
           UNION ALL \
           SELECT l.card FROM labs l LEFT JOIN reservations r ON r.lab_id = l.id WHERE l.state = 'pending' AND r.lab_id IS NULL \
         ) AS waiting GROUP BY card ORDER BY card",
    )
    .bind(now.micros())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("orders", row);
            Ok((row.parse("card")?, row.count("waiting")?))
        })
        .collect()
}
