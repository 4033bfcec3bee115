//! What changes of a lab after it was made, and which labs the clock has come round for.

use std::collections::BTreeMap;

use domain::{
    ids::{ClassId, LabId, OrderId},
    labs::{EarlierSize, Lab},
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{
    error::Result,
    row::{Row, json},
};

/// Writes the lab's spec and what is summed of it. Only after [`super::save`] in the same transaction, which guards the row.
pub async fn set_size(connection: &mut AnyConnection, lab: &Lab) -> Result<()> {
    let spec = &lab.spec;
    sqlx::query(
        "UPDATE labs SET spec = $2, card = $3, cards = $4, card_parts = $5, cpu_cores = $6, memory_gib = $7, storage_gib = $8, pods = $9 \
         WHERE id = $1",
    )
    .bind(lab.id.to_string())
    .bind(json(spec))
    .bind(spec.card.id())
    .bind(i64::from(spec.cards()))
    .bind(spec.card_share().parts())
    .bind(i64::from(spec.total_cpu_cores()))
    .bind(i64::from(spec.total_memory_gib()))
    .bind(i64::from(spec.storage_gib))
    .bind(i64::from(spec.nodes))
    .execute(connection)
    .await?;
    Ok(())
}

/// What the lab was of until now. Two changes at one instant leave the first: nothing ran in between.
pub async fn add_earlier_size(connection: &mut AnyConnection, lab: LabId, size: &EarlierSize) -> Result<()> {
    sqlx::query("INSERT INTO lab_sizes (lab_id, until_at, spec) VALUES ($1, $2, $3) ON CONFLICT (lab_id, until_at) DO NOTHING")
        .bind(lab.to_string())
        .bind(size.until.micros())
        .bind(json(&size.spec))
        .execute(connection)
        .await?;
    Ok(())
}

/// Earlier sizes of every lab that is not metered to its end, with ids after `after` up to `last`, the earliest first.
pub async fn sizes_of_unmetered(connection: &mut AnyConnection, after: Option<LabId>, last: LabId) -> Result<BTreeMap<LabId, Vec<EarlierSize>>> {
    let rows = sqlx::query(
        "SELECT s.lab_id, s.until_at, s.spec FROM lab_sizes s JOIN labs l ON l.id = s.lab_id \
         WHERE l.metered_to IS NULL AND l.id > $1 AND l.id <= $2 ORDER BY s.lab_id, s.until_at",
    )
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(last.to_string())
    .fetch_all(connection)
    .await?;
    let mut sizes = BTreeMap::<LabId, Vec<EarlierSize>>::new();
    for row in &rows {
        let row = Row::of("lab_sizes", row);
        let size = EarlierSize { until: row.timestamp("until_at")?, spec: row.json("spec")? };
        sizes.entry(row.parse("lab_id")?).or_default().push(size);
    }
    Ok(sizes)
}

/// Stores a period for which the lab's volume was kept without charge.
pub async fn add_free_storage(connection: &mut AnyConnection, lab: LabId, from: Timestamp, to: Timestamp) -> Result<()> {
    sqlx::query("INSERT INTO lab_free_storage (lab_id, from_at, to_at) VALUES ($1, $2, $3) ON CONFLICT (lab_id, from_at) DO NOTHING")
        .bind(lab.to_string())
        .bind(from.micros())
        .bind(to.micros())
        .execute(connection)
        .await?;
    Ok(())
}

/// Such periods of all labs that are not fully metered, with ids after `after` up to `last`, the earliest first.
pub async fn free_storage_of_unmetered(
    connection: &mut AnyConnection,
    after: Option<LabId>,
    last: LabId,
) -> Result<BTreeMap<LabId, Vec<(Timestamp, Timestamp)>>> {
    let rows = sqlx::query(
        "SELECT s.lab_id, s.from_at, s.to_at FROM lab_free_storage s JOIN labs l ON l.id = s.lab_id \
         WHERE l.metered_to IS NULL AND l.id > $1 AND l.id <= $2 ORDER BY s.lab_id, s.from_at",
    )
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(last.to_string())
    .fetch_all(connection)
    .await?;
    let mut free = BTreeMap::<LabId, Vec<(Timestamp, Timestamp)>>::new();
    for row in &rows {
        let row = Row::of("lab_free_storage", row);
        free.entry(row.parse("lab_id")?).or_default().push((row.timestamp("from_at")?, row.timestamp("to_at")?));
    }
    Ok(free)
}

/// Whether an order is for a lesson, which has a fixed time.
pub async fn is_for_lesson(connection: &mut AnyConnection, order: OrderId) -> Result<bool> {
    let row = sqlx::query("SELECT CASE WHEN starts_at IS NULL THEN 0 ELSE 1 END AS lesson FROM orders WHERE id = $1")
        .bind(order.to_string())
        .fetch_one(connection)
        .await?;
    Row::of("orders", &row).flag("lesson")
}

/// Whether the pods that the lab has now were made for another size of it.
pub async fn is_resized(connection: &mut AnyConnection, lab: LabId) -> Result<bool> {
    let row = sqlx::query("SELECT cause FROM lab_changes WHERE lab_id = $1 AND cause IN ('applied', 'restart', 'resize') ORDER BY seq DESC LIMIT 1")
        .bind(lab.to_string())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(false) };
    Ok(Row::of("lab_changes", &row).text("cause")? == "resize")
}

/// Micro-units that an order holds of its course's budget.
pub async fn held(connection: &mut AnyConnection, order: OrderId) -> Result<i64> {
    let row = sqlx::query("SELECT held_micros FROM orders WHERE id = $1").bind(order.to_string()).fetch_one(connection).await?;
    Row::of("orders", &row).integer("held_micros")
}

/// Only under the course's lock, in the transaction that checked the budget.
pub async fn set_held(connection: &mut AnyConnection, order: OrderId, micros: i64) -> Result<()> {
    sqlx::query("UPDATE orders SET held_micros = $2 WHERE id = $1").bind(order.to_string()).bind(micros).execute(connection).await?;
    Ok(())
}

/// A lab that the clock has come round for, and the instant that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub lab: LabId,
    pub about: Timestamp,
}

fn due(rows: &[sqlx::any::AnyRow]) -> Result<Vec<Due>> {
    rows.iter()
        .map(|row| {
            let row = Row::of("labs", row);
            Ok(Due { lab: row.parse("id")?, about: row.timestamp("about_at")? })
        })
        .collect()
}

/// Labs that are up and stop by themselves before `before`, of whose stop no warning of this kind was given.
pub async fn ending(connection: &mut AnyConnection, kind: &str, now: Timestamp, before: Timestamp, limit: u32) -> Result<Vec<Due>> {
    let rows = sqlx::query(
        "SELECT id, about_at FROM (SELECT l.id, \
           CASE WHEN l.daily_stop_at IS NOT NULL AND (l.ends_at IS NULL OR l.daily_stop_at < l.ends_at) THEN l.daily_stop_at ELSE l.ends_at END \
           AS about_at FROM labs l WHERE l.state IN ('starting', 'running')) AS up \
         WHERE about_at IS NOT NULL AND about_at > $2 AND about_at <= $3 \
         AND NOT EXISTS (SELECT 1 FROM lab_warnings w WHERE w.lab_id = up.id AND w.kind = $1 AND w.about_at = up.about_at) \
         ORDER BY about_at, id LIMIT $4",
    )
    .bind(kind.to_owned())
    .bind(now.micros())
    .bind(before.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    due(&rows)
}

/// Labs whose ordered time is over and that are up or starting, longest over first.
pub async fn ended(connection: &mut AnyConnection, now: Timestamp, limit: u32) -> Result<Vec<Due>> {
    let rows = sqlx::query(
        "SELECT id, ends_at AS about_at FROM labs WHERE state IN ('pending', 'starting', 'running') AND ends_at IS NOT NULL AND ends_at <= $1 \
         ORDER BY ends_at, id LIMIT $2",
    )
    .bind(now.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    due(&rows)
}

/// Labs that are up or coming up and whose daily stop has come.
pub async fn daily_stops(connection: &mut AnyConnection, now: Timestamp, limit: u32) -> Result<Vec<Due>> {
    let rows = sqlx::query(
        "SELECT id, daily_stop_at AS about_at FROM labs WHERE state IN ('pending', 'starting', 'running') AND daily_stop_at IS NOT NULL \
         AND daily_stop_at <= $1 ORDER BY daily_stop_at, id LIMIT $2",
    )
    .bind(now.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    due(&rows)
}

/// Labs that are down and destroyed before `before`, of which their owners have not been told.
pub async fn expiring(connection: &mut AnyConnection, kind: &str, before: Timestamp, limit: u32) -> Result<Vec<Due>> {
    let rows = sqlx::query(
        "SELECT l.id, l.kept_until AS about_at FROM labs l WHERE l.state IN ('stopped', 'failed') AND l.kept_until IS NOT NULL \
         AND l.kept_until <= $2 \
         AND NOT EXISTS (SELECT 1 FROM lab_warnings w WHERE w.lab_id = l.id AND w.kind = $1 AND w.about_at = l.kept_until) \
         ORDER BY l.kept_until, l.id LIMIT $3",
    )
    .bind(kind.to_owned())
    .bind(before.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    due(&rows)
}

/// Labs that are down, whose time to be kept is over and whose owners were told of exactly that.
pub async fn destroy_due(connection: &mut AnyConnection, kind: &str, now: Timestamp, limit: u32) -> Result<Vec<Due>> {
    let rows = sqlx::query(
        "SELECT l.id, l.kept_until AS about_at FROM labs l JOIN lab_warnings w ON w.lab_id = l.id AND w.kind = $1 AND w.about_at = l.kept_until \
         WHERE l.state IN ('stopped', 'failed') AND l.kept_until <= $2 ORDER BY l.kept_until, l.id LIMIT $3",
    )
    .bind(kind.to_owned())
    .bind(now.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    due(&rows)
}

/// Notes that a warning is given. `false` when it was given before: then it is not given again.
pub async fn warn(connection: &mut AnyConnection, lab: LabId, kind: &str, about: Timestamp, now: Timestamp) -> Result<bool> {
    let done =
        sqlx::query("INSERT INTO lab_warnings (lab_id, kind, about_at, at) VALUES ($1, $2, $3, $4) ON CONFLICT (lab_id, kind, about_at) DO NOTHING")
            .bind(lab.to_string())
            .bind(kind.to_owned())
            .bind(about.micros())
            .bind(now.micros())
            .execute(connection)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether another lab of the class was given a warning of this kind, for an instant at most `within` seconds from `about`.
pub async fn class_warned(connection: &mut AnyConnection, class: ClassId, lab: LabId, kind: &str, (about, within): (Timestamp, i64)) -> Result<bool> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS warned FROM lab_warnings w JOIN labs l ON l.id = w.lab_id JOIN orders o ON o.id = l.order_id \
         WHERE o.class_id = $1 AND w.lab_id <> $2 AND w.kind = $3 AND w.about_at BETWEEN $4 AND $5",
    )
    .bind(class.to_string())
    .bind(lab.to_string())
    .bind(kind.to_owned())
    .bind(about.plus_seconds(-within).micros())
    .bind(about.plus_seconds(within).micros())
    .fetch_one(connection)
    .await?;
    Ok(Row::of("lab_warnings", &row).integer("warned")? > 0)
}

/// Kinds of the warnings given of a lab, in the order in which they were.
pub async fn warned(connection: &mut AnyConnection, lab: LabId) -> Result<Vec<(String, Timestamp)>> {
    let rows = sqlx::query("SELECT kind, about_at FROM lab_warnings WHERE lab_id = $1 ORDER BY at, kind")
        .bind(lab.to_string())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("lab_warnings", row);
            Ok((row.text("kind")?, row.timestamp("about_at")?))
        })
        .collect()
}
