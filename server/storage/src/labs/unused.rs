//! Running labs that have not been used for some time.

use domain::{ids::LabId, labs::Lab, time::Timestamp};
use sqlx::AnyConnection;

use super::read::{lab, lab_columns};
use crate::{error::Result, row::Row};

/// The kind of warning that announces a stop for want of use.
pub const IDLE_WARNING: &str = "idle";

/// A running lab that has not been used for some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    pub lab: Lab,
    /// Its last use, or when it became ready, if that is later.
    pub since: Timestamp,
    /// The latest stop for want of use that was announced to its owner.
    pub warned: Option<Timestamp>,
}

/// Labs that were neither used nor became ready after `before`, in the order of their ids, from the one after `after`. One statement.
pub async fn unused(connection: &mut AnyConnection, before: Timestamp, after: Option<LabId>, limit: u32) -> Result<Vec<Unused>> {
    let sql = concat!(
        "SELECT * FROM (SELECT ",
        lab_columns!(),
        ", (SELECT MAX(h.at) FROM lab_changes h WHERE h.lab_id = l.id AND h.to_state = 'running') AS running_since, y.last_used_at, \
         (SELECT MAX(w.about_at) FROM lab_warnings w WHERE w.lab_id = l.id AND w.kind = $1) AS warned_about \
         FROM labs l LEFT JOIN reservations r ON r.lab_id = l.id LEFT JOIN lab_use y ON y.lab_id = l.id \
         WHERE l.state = 'running' AND l.id > $3) AS up \
         WHERE running_since <= $2 AND (last_used_at IS NULL OR last_used_at <= $2) ORDER BY id LIMIT $4"
    );
    sqlx::query(sql)
        .bind(IDLE_WARNING)
        .bind(before.micros())
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?
        .iter()
        .map(|any| {
            let row = Row::of("lab_use", any);
            let began = row.timestamp("running_since")?;
            let since = row.optional_timestamp("last_used_at")?.map_or(began, |used| used.max(began));
            Ok(Unused { lab: lab(any)?, since, warned: row.optional_timestamp("warned_about")? })
        })
        .collect()
}
