//! What the nodes' page needs beside the cluster's own report: who holds cards where, and what waits.

use domain::{
    capacity::Machine,
    catalogue::LabSpec,
    courses::CourseRef,
    gpu::Card,
    ids::{LabId, TenantId},
    labs::{LabState, Observation},
    people::PersonRef,
    time::Timestamp,
};
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// A lab's cards on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub node: String,
    pub card: Card,
    pub cards: u32,
    /// The lab's processors, memory and pod slots on the node.
    pub machine: Machine,
    pub lab: LabId,
    pub tenant: TenantId,
    pub name: String,
    pub state: LabState,
    pub owner: PersonRef,
    pub course: CourseRef,
    pub ends_at: Option<Timestamp>,
}

/// Every place of every lab that holds cards, of all tenants: nodes are everybody's.
pub async fn held(connection: &mut AnyConnection) -> Result<Vec<Held>> {
    let rows = sqlx::query(
        "SELECT p.node, r.card, p.cards, CASE WHEN l.cards > 0 THEN l.cpu_cores * p.cards / l.cards ELSE 0 END AS cpu_cores, \
         CASE WHEN l.cards > 0 THEN l.memory_gib * p.cards / l.cards ELSE 0 END AS memory_gib, \
         CASE WHEN l.cards > 0 THEN l.pods * p.cards / l.cards ELSE 0 END AS pods, l.id AS lab_id, l.tenant_id, l.name, l.state, l.ends_at, \
         l.owner_id, u.login, u.name AS owner_name, l.course_id, c.code, c.name AS course_name \
         FROM lab_places p JOIN reservations r ON r.lab_id = p.lab_id JOIN labs l ON l.id = p.lab_id \
         JOIN users u ON u.id = l.owner_id JOIN courses c ON c.id = l.course_id WHERE p.cards > 0 ORDER BY l.id, p.node",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("lab_places", row);
            Ok(Held {
                node: row.text("node")?,
                card: row.parse("card")?,
                cards: row.count("cards")?,
                machine: Machine { cpu_cores: row.count("cpu_cores")?, memory_gib: row.count("memory_gib")?, pods: Some(row.count("pods")?) },
                lab: row.parse("lab_id")?,
                tenant: row.parse("tenant_id")?,
                name: row.text("name")?,
                state: row.state("state", LabState::parse)?,
                owner: PersonRef { id: row.parse("owner_id")?, login: row.text("login")?, name: row.text("owner_name")? },
                course: CourseRef { id: row.parse("course_id")?, code: row.text("code")?, name: row.text("course_name")? },
                ends_at: row.optional_timestamp("ends_at")?,
            })
        })
        .collect()
}

/// The tenant's labs that are coming up, with what the cluster last said of each; at most `limit`, longest first.
pub async fn coming_up(connection: &mut AnyConnection, tenant: TenantId, limit: u32) -> Result<Vec<(LabId, String, Observation)>> {
    let rows = sqlx::query(
        "SELECT l.id, l.name, o.document FROM labs l JOIN lab_observations o ON o.lab_id = l.id \
         WHERE l.state = 'starting' AND l.tenant_id = $1 ORDER BY l.id LIMIT $2",
    )
    .bind(tenant.to_string())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("lab_observations", row);
            Ok((row.parse("id")?, row.text("name")?, row.json("document")?))
        })
        .collect()
}

/// What the tenant's orders that wait for cards are made of; at most `limit`, longest first.
pub async fn queued(connection: &mut AnyConnection, tenant: TenantId, now: Timestamp, limit: u32) -> Result<Vec<LabSpec>> {
    let rows = sqlx::query("SELECT spec FROM orders WHERE tenant_id = $1 AND state = 'queued' AND queued_at <= $3 ORDER BY queued_at, id LIMIT $2")
        .bind(tenant.to_string())
        .bind(i64::from(limit))
        .bind(now.micros())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Row::of("orders", row).json("spec")).collect()
}
