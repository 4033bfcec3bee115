//! Cards of every kind, node by node, with those who wait for them and when they come back: what forecasts are made of.

use std::collections::BTreeMap;

use domain::{
    capacity::{InLine, Machine, PlannedEnd, Pods, Room, Supply, can_ever_fit},
    catalogue::LabSpec,
    gpu::Card,
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{error::Result, placement::machine, row::Row};

/// How many that wait for each kind, and how many planned ends, are looked at: those that wait longest and end soonest.
const LOOK: u32 = 200;

// One statement, since pages have few: rows of four kinds in the same columns. "one" and what follows are: of a kind its cards and those
// that labs hold; of a node its cards, the free ones, cores and GiB in all and free, pods in all and free; since when somebody waits; when
// a lab ends, and what it gives back. One more is read than looked at.
const SQL: &str = "SELECT 'pool' AS kind, p.card AS card, CAST(NULL AS TEXT) AS what, CAST(p.total AS BIGINT) AS one, \
       CAST(COALESCE(r.cards, 0) AS BIGINT) AS two, CAST(NULL AS BIGINT) AS three, CAST(NULL AS BIGINT) AS four, CAST(NULL AS BIGINT) AS five, \
       CAST(NULL AS BIGINT) AS six, CAST(NULL AS BIGINT) AS seven, CAST(NULL AS BIGINT) AS eight FROM card_pools p \
       LEFT JOIN (SELECT card, SUM(cards) AS cards FROM reservations GROUP BY card) r ON r.card = p.card \
     UNION ALL SELECT 'room', n.card, n.node, n.total, CAST(n.total - n.others - COALESCE(t.cards, 0) AS BIGINT), n.cpu_cores, n.memory_gib, \
       CAST(n.cpu_cores - COALESCE(u.cpu_cores, 0) AS BIGINT), CAST(n.memory_gib - COALESCE(u.memory_gib, 0) AS BIGINT), n.pods, \
       CAST(n.pods - COALESCE(u.pods, 0) AS BIGINT) FROM node_cards n \
       LEFT JOIN (SELECT x.card, l.node, SUM(l.cards) AS cards FROM reservations x JOIN lab_places l ON l.lab_id = x.lab_id \
         GROUP BY x.card, l.node) t ON t.card = n.card AND t.node = n.node \
       LEFT JOIN (SELECT p.node, SUM(l.cpu_cores * p.cards / l.cards) AS cpu_cores, SUM(l.memory_gib * p.cards / l.cards) AS memory_gib, \
         SUM(l.pods * p.cards / l.cards) AS pods \
         FROM reservations x JOIN lab_places p ON p.lab_id = x.lab_id JOIN labs l ON l.id = x.lab_id WHERE l.cards > 0 GROUP BY p.node) u \
         ON u.node = n.node \
     UNION ALL SELECT 'wait', w.card, w.spec, w.since, w.place, NULL, NULL, NULL, NULL, NULL, NULL FROM (SELECT a.card, a.spec, a.since, \
         ROW_NUMBER() OVER (PARTITION BY a.card ORDER BY a.since, a.id) AS place FROM ( \
         SELECT card, spec, queued_at AS since, id FROM orders WHERE state = 'queued' AND queued_at <= $1 \
         UNION ALL SELECT l.card, l.spec, COALESCE(l.queued_at, l.created_at), l.id FROM labs l \
           LEFT JOIN reservations r ON r.lab_id = l.id WHERE l.state = 'pending' AND r.lab_id IS NULL) a) w WHERE w.place <= $2 \
     UNION ALL SELECT 'end', e.card, e.node, e.ends_at, e.cards, e.cpu_cores, e.memory_gib, e.pods, NULL, NULL, NULL FROM (SELECT r.card, p.node, l.ends_at, \
         p.cards, CASE WHEN l.cards > 0 THEN l.cpu_cores * p.cards / l.cards ELSE 0 END AS cpu_cores, \
         CASE WHEN l.cards > 0 THEN l.memory_gib * p.cards / l.cards ELSE 0 END AS memory_gib, \
         CASE WHEN l.cards > 0 THEN l.pods * p.cards / l.cards ELSE 0 END AS pods, \
         ROW_NUMBER() OVER (PARTITION BY r.card ORDER BY l.ends_at, l.id) AS place FROM reservations r \
         JOIN labs l ON l.id = r.lab_id JOIN lab_places p ON p.lab_id = l.id WHERE l.ends_at IS NOT NULL) e WHERE e.place <= $2 \
     ORDER BY 4, 5, 3";

/// Every kind that the cluster ever reported, in order of its id. One statement.
pub async fn all(connection: &mut AnyConnection, now: Timestamp) -> Result<Vec<Supply>> {
    let rows = sqlx::query(SQL).bind(now.micros()).bind(i64::from(LOOK) + 1).fetch_all(connection).await?;
    let rows: Vec<_> = rows.iter().map(|row| Row::of("card_pools", row)).collect();
    let mut supplies = BTreeMap::<Card, Supply>::new();
    let mut nodes = BTreeMap::<Card, Vec<String>>::new();
    for row in &rows {
        let card: Card = row.parse("card")?;
        match row.text("kind")?.as_str() {
            "pool" => {
                supplies.insert(card, pool(row, card)?);
            }
            "room" => nodes.entry(card).or_default().push(row.text("what")?),
            _ => {}
        }
    }
    // Readers of a form need not know the nodes' names.
    let number = |card: Card, node: &str| nodes.get(&card)?.iter().position(|name| name == node).map(|at| at.to_string());
    for row in &rows {
        let card: Card = row.parse("card")?;
        let Some(supply) = supplies.get_mut(&card) else { continue };
        match row.text("kind")?.as_str() {
            "room" => supply.rooms.extend(number(card, &row.text("what")?).map(|node| room(row, node)).transpose()?),
            "wait" if row.integer("two")? > i64::from(LOOK) => supply.more_wait = true,
            "wait" => supply.line.push(InLine { pods: Pods::of(&row.json::<LabSpec>("what")?), since: row.timestamp("one")? }),
            "end" => supply.ends.extend(number(card, &row.text("what")?).map(|node| end(row, node)).transpose()?),
            _ => {}
        }
    }
    for supply in supplies.values_mut() {
        supply.line.retain(|waits| can_ever_fit(&supply.rooms, waits.pods));
    }
    Ok(supplies.into_values().collect())
}

fn pool(row: &Row<'_>, card: Card) -> Result<Supply> {
    let total: u32 = row.count("one")?;
    let free = total.saturating_sub(row.count("two")?);
    Ok(Supply { card, total, free, rooms: Vec::new(), line: Vec::new(), more_wait: false, ends: Vec::new() })
}

fn room(row: &Row<'_>, node: String) -> Result<Room> {
    Ok(Room {
        node,
        total: row.count("one")?,
        // Fewer than none where a node lost cards that labs hold.
        free: u32::try_from(row.integer("two")?).unwrap_or(0),
        machine: machine(row, ["three", "four", "seven"])?,
        machine_free: machine(row, ["five", "six", "eight"])?,
    })
}

fn end(row: &Row<'_>, node: String) -> Result<PlannedEnd> {
    let machine = Machine { cpu_cores: row.count("three")?, memory_gib: row.count("four")?, pods: Some(row.count("five")?) };
    Ok(PlannedEnd { at: row.timestamp("one")?, node, cards: row.count("two")?, machine })
}
