//! Cards that the cluster has, by kind, with what labs hold of them (C4).

use domain::{capacity::Pool, gpu::Card, time::Timestamp};
use sqlx::AnyConnection;

use crate::{Write, dialect, error::Result, row::Row};

// The most free cards on one node; of a kind whose nodes are not known yet the most that one node was reported to have. Free cards are
// unusable on a node without a core, a GiB or a pod slot left. Each table is summed once, not for each node again.
macro_rules! pool_sql {
    ($rest:literal) => {
        concat!(
            "SELECT p.card, p.total, CAST(COALESCE(r.cards, 0) AS BIGINT) AS reserved, \
             CAST(COALESCE(m.largest, p.largest_node) AS BIGINT) AS largest_node, CAST(COALESCE(m.unusable, 0) AS BIGINT) AS unusable \
             FROM card_pools p \
             LEFT JOIN (SELECT card, SUM(cards) AS cards FROM reservations GROUP BY card) r ON r.card = p.card \
             LEFT JOIN (SELECT f.card, MAX(f.free) AS largest, \
               SUM(f.others + CASE WHEN f.is_short = 1 AND f.free > 0 THEN f.free ELSE 0 END) AS unusable FROM ( \
               SELECT n.card, n.others, n.total - n.others - COALESCE(t.cards, 0) AS free, \
                 CASE WHEN n.cpu_cores - COALESCE(u.cpu_cores, 0) < 1 OR n.memory_gib - COALESCE(u.memory_gib, 0) < 1 \
                        OR n.pods - COALESCE(u.pods, 0) < 1 THEN 1 ELSE 0 END AS is_short \
               FROM node_cards n \
               LEFT JOIN (SELECT x.card, l.node, SUM(l.cards) AS cards FROM reservations x JOIN lab_places l ON l.lab_id = x.lab_id \
                 GROUP BY x.card, l.node) t ON t.card = n.card AND t.node = n.node \
               LEFT JOIN (SELECT l.node, SUM(b.cpu_cores * l.cards / b.cards) AS cpu_cores, \
                   SUM(b.memory_gib * l.cards / b.cards) AS memory_gib, SUM(b.pods * l.cards / b.cards) AS pods \
                 FROM reservations x JOIN lab_places l ON l.lab_id = x.lab_id JOIN labs b ON b.id = x.lab_id WHERE b.cards > 0 \
                 GROUP BY l.node) u ON u.node = n.node) f GROUP BY f.card) m ON m.card = p.card ",
            $rest
        )
    };
}

/// Makes every other transaction that hands out cards of this kind wait until this one ends.
///
/// Take it after the course's lock, never before: all writers lock in the order course, number, cards, key.
pub async fn lock(write: &mut Write, card: Card) -> Result<()> {
    dialect::lock(write, &format!("cards:{card}")).await
}

/// Every kind that the cluster ever reported, in order of its id.
pub async fn all(connection: &mut AnyConnection) -> Result<Vec<Pool>> {
    let rows = sqlx::query(pool_sql!("ORDER BY p.card")).fetch_all(connection).await?;
    rows.iter().map(|row| read(&Row::of("card_pools", row))).collect()
}

/// One kind. `None` when the cluster never reported it.
pub async fn find(connection: &mut AnyConnection, card: Card) -> Result<Option<Pool>> {
    let row = sqlx::query(pool_sql!("WHERE p.card = $1")).bind(card.id()).fetch_optional(connection).await?;
    row.as_ref().map(|row| read(&Row::of("card_pools", row))).transpose()
}

/// What the cluster reports of one kind. `total`: allocatable on ready nodes that are not cordoned; `largest_node`: most on one node.
///
/// Waits for whoever hands out cards of this kind, so that they see one total from beginning to end.
pub async fn put(write: &mut Write, card: Card, total: u32, largest_node: u32, now: Timestamp) -> Result<()> {
    lock(write, card).await?;
    sqlx::query(
        "INSERT INTO card_pools (card, total, largest_node, updated_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (card) DO UPDATE SET total = excluded.total, largest_node = excluded.largest_node, updated_at = excluded.updated_at",
    )
    .bind(card.id())
    .bind(i64::from(total))
    .bind(i64::from(largest_node))
    .bind(now.micros())
    .execute(&mut **write)
    .await?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Pool> {
    Ok(Pool {
        card: row.parse("card")?,
        total: row.count("total")?,
        reserved: row.count("reserved")?,
        largest_node: u32::try_from(row.integer("largest_node")?).unwrap_or(0),
        unusable: row.count("unusable")?,
    })
}
