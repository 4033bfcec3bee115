//! How long the steps of labs' starts took.

use domain::{
    ids::{LabId, OfferingId, OrderId, TenantId},
    labs::{
        Failure, LabState, Observation,
        start::{OrderTimes, StartStep},
    },
    nodes::LateStart,
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{
    error::Result,
    row::{Row, json},
};

/// The offering's starts that are counted: enough for a median, few enough to follow a change.
const COUNTED: i64 = 21;

/// Stores a start that is over. Writing it again changes nothing.
pub async fn add_start(
    connection: &mut AnyConnection,
    lab: LabId,
    ready_at: Timestamp,
    offering: OfferingId,
    steps: &[(StartStep, u32)],
) -> Result<()> {
    sqlx::query("INSERT INTO lab_starts (lab_id, ready_at, offering_id, steps) VALUES ($1, $2, $3, $4) ON CONFLICT (lab_id, ready_at) DO NOTHING")
        .bind(lab.to_string())
        .bind(ready_at.micros())
        .bind(offering.to_string())
        .bind(json(&steps))
        .execute(connection)
        .await?;
    Ok(())
}

/// The last starts of the offering's labs, the newest first.
pub async fn earlier_starts(connection: &mut AnyConnection, offering: OfferingId) -> Result<Vec<Vec<(StartStep, u32)>>> {
    let rows = sqlx::query("SELECT steps FROM lab_starts WHERE offering_id = $1 ORDER BY ready_at DESC LIMIT $2")
        .bind(offering.to_string())
        .bind(COUNTED)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Row::of("lab_starts", row).json("steps")).collect()
}

/// When the order was submitted and decided, and of which offering it is; `None` if there is no such order.
pub async fn order_times(connection: &mut AnyConnection, order: OrderId) -> Result<Option<(OrderTimes, OfferingId)>> {
    let row = sqlx::query("SELECT submitted_at, decided_at, offering_id FROM orders WHERE id = $1")
        .bind(order.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        let row = Row::of("orders", &row);
        let times = OrderTimes { submitted_at: row.timestamp("submitted_at")?, decided_at: row.optional_timestamp("decided_at")? };
        Ok((times, row.parse("offering_id")?))
    })
    .transpose()
}

/// A lab as those see it who wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartFacts {
    pub state: LabState,
    pub ends_at: Option<Timestamp>,
    pub failure: Option<Failure>,
    pub order: OrderTimes,
    pub offering: OfferingId,
    /// Empty before the first report.
    pub seen: Observation,
}

/// One statement; `None` if there is no such lab.
pub async fn start_facts(connection: &mut AnyConnection, lab: LabId) -> Result<Option<StartFacts>> {
    let row = sqlx::query(
        "SELECT l.state, l.ends_at, l.failure, g.submitted_at, g.decided_at, g.offering_id, o.document \
         FROM labs l JOIN orders g ON g.id = l.order_id LEFT JOIN lab_observations o ON o.lab_id = l.id WHERE l.id = $1",
    )
    .bind(lab.to_string())
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let row = Row::of("labs", &row);
        Ok(StartFacts {
            state: row.state("state", LabState::parse)?,
            ends_at: row.optional_timestamp("ends_at")?,
            failure: row.optional_json("failure")?,
            order: OrderTimes { submitted_at: row.timestamp("submitted_at")?, decided_at: row.optional_timestamp("decided_at")? },
            offering: row.parse("offering_id")?,
            seen: row.optional_json("document")?.unwrap_or_default(),
        })
    })
    .transpose()
}

/// Kind of the warning that a start takes longer than usual; it is about the instant at which the start began.
pub const LATE_WARNING: &str = "late";

/// Labs that have been starting since `before` or longer and whose owners were not told of it, each with the beginning of its start; in the
/// order of their ids, from the one after `after`. One statement.
pub async fn slow(connection: &mut AnyConnection, before: Timestamp, after: Option<LabId>, limit: u32) -> Result<Vec<(LabId, Timestamp)>> {
    let rows = sqlx::query(
        "SELECT s.id, s.began FROM (SELECT l.id, MAX(c.at) AS began FROM labs l JOIN lab_changes c ON c.lab_id = l.id \
         WHERE l.state = 'starting' AND l.id > $1 AND (c.to_state = 'pending' OR c.cause IN ('restart', 'resize')) GROUP BY l.id) AS s \
         LEFT JOIN lab_warnings w ON w.lab_id = s.id AND w.kind = $2 AND w.about_at = s.began \
         WHERE w.lab_id IS NULL AND s.began <= $3 ORDER BY s.id LIMIT $4",
    )
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(LATE_WARNING)
    .bind(before.micros())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("labs", row);
            Ok((row.parse("id")?, row.timestamp("began")?))
        })
        .collect()
}

/// Labs of the college whose start is late at the moment, one for each node that their cards are on. Only warnings since `since` count. One
/// statement.
pub async fn late_starts(connection: &mut AnyConnection, tenant: TenantId, since: Timestamp) -> Result<Vec<LateStart>> {
    let rows = sqlx::query(
        "SELECT DISTINCT l.id, l.offering_name, p.node FROM lab_warnings w JOIN labs l ON l.id = w.lab_id \
         LEFT JOIN lab_places p ON p.lab_id = l.id WHERE w.kind = $1 AND w.at >= $2 AND l.state = 'starting' AND l.tenant_id = $3 ORDER BY l.id",
    )
    .bind(LATE_WARNING)
    .bind(since.micros())
    .bind(tenant.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("labs", row);
            Ok(LateStart { lab: row.parse("id")?, offering: row.json("offering_name")?, node: row.optional_text("node")? })
        })
        .collect()
}
