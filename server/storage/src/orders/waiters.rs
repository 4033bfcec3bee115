//! Who else waits for a kind of card.

use domain::{
    gpu::Card,
    ids::TenantId,
    orders::{Order, OrderState, Waiter},
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// Orders of a tenant that wait for a decision or for cards of this kind, those first who wait longest. Left out: `except`, what was made
/// together with it, and those whose time is to come. Orders of one class in the same state are one line.
pub async fn waiters(
    connection: &mut AnyConnection,
    tenant: TenantId,
    card: Card,
    except: &Order,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Waiter>> {
    let rows = sqlx::query(
        "SELECT MIN(o.id) AS id, MIN(o.number) AS number, o.state, CAST(SUM(o.cards) AS BIGINT) AS cards, COUNT(*) AS orders, \
         MIN(COALESCE(o.queued_at, o.submitted_at)) AS since, u.name AS owner_name, c.code AS course_code \
         FROM orders o JOIN users u ON u.id = o.owner_id JOIN courses c ON c.id = o.course_id \
         WHERE o.state IN ('pending_approval', 'awaiting_requester', 'queued') AND o.card = $1 AND o.tenant_id = $2 AND o.id <> $3 \
         AND (o.starts_at IS NULL OR o.starts_at <= $5) AND o.changes_lab IS NULL AND (o.class_id IS NULL OR o.class_id <> $6) \
         GROUP BY COALESCE(o.class_id, o.id), o.state, o.owner_id, u.name, c.code ORDER BY since, id LIMIT $4",
    )
    .bind(card.id())
    .bind(tenant.to_string())
    .bind(except.id.to_string())
    .bind(i64::from(limit))
    .bind(now.micros())
    .bind(except.class.map(|class| class.id.to_string()).unwrap_or_default())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("orders", row);
            Ok(Waiter {
                order: row.parse("id")?,
                number: row.integer("number")?,
                owner: row.text("owner_name")?,
                course: row.text("course_code")?,
                cards: row.count("cards")?,
                orders: row.count("orders")?,
                state: row.state("state", OrderState::parse)?,
                since: row.timestamp("since")?,
            })
        })
        .collect()
}
