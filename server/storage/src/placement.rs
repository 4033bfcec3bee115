//! Cards by node: what each node has, and which lab's cards are planned or placed where (C4).
//! Call what plans only under [`crate::pools::lock`] of that kind of card.

use std::collections::BTreeMap;

use domain::{capacity::Room, gpu::Card, ids::LabId};
use sqlx::AnyConnection;

use crate::{Write, error::Result, row::Row};

/// What a node has of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCards {
    pub node: String,
    pub total: u32,
    /// Held by pods that are no lab of this portal.
    pub others: u32,
}

/// The nodes that have cards of this kind and take pods, in place of what was reported before. Nothing is written when it is the same.
pub async fn put_nodes(write: &mut Write, card: Card, nodes: &[NodeCards]) -> Result<()> {
    let rows =
        sqlx::query("SELECT node, total, others FROM node_cards WHERE card = $1 ORDER BY node").bind(card.id()).fetch_all(&mut **write).await?;
    let before = rows
        .iter()
        .map(|row| {
            let row = Row::of("node_cards", row);
            Ok(NodeCards { node: row.text("node")?, total: row.count("total")?, others: row.count("others")? })
        })
        .collect::<Result<Vec<_>>>()?;
    let mut nodes = nodes.to_vec();
    // Not left to the database: collations differ between the engines.
    let sorted = |mut nodes: Vec<NodeCards>| {
        nodes.sort_by(|one, two| one.node.cmp(&two.node));
        nodes
    };
    nodes = sorted(nodes);
    if sorted(before) == nodes {
        return Ok(());
    }
    sqlx::query("DELETE FROM node_cards WHERE card = $1").bind(card.id()).execute(&mut **write).await?;
    for NodeCards { node, total, others } in nodes {
        sqlx::query("INSERT INTO node_cards (card, node, total, others) VALUES ($1, $2, $3, $4)")
            .bind(card.id())
            .bind(node)
            .bind(i64::from(total))
            .bind(i64::from(others))
            .execute(&mut **write)
            .await?;
    }
    Ok(())
}

/// The room that each node has for cards of this kind, by name.
pub async fn rooms(connection: &mut AnyConnection, card: Card) -> Result<Vec<Room>> {
    let rows = sqlx::query(
        "SELECT n.node, n.total, n.total - n.others - CAST(COALESCE((SELECT SUM(p.cards) FROM lab_places p \
         JOIN reservations r ON r.lab_id = p.lab_id WHERE p.node = n.node AND r.card = n.card), 0) AS BIGINT) AS free \
         FROM node_cards n WHERE n.card = $1 ORDER BY n.node",
    )
    .bind(card.id())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("node_cards", row);
            // Fewer than none where a node lost cards that labs hold.
            Ok(Room { node: row.text("node")?, total: row.count("total")?, free: u32::try_from(row.integer("free")?).unwrap_or(0) })
        })
        .collect()
}

/// Where the lab's cards are, in place of what was known before. `preferred`: the node that its pod is asked to go to; `None` leaves
/// what was said first, so that the lab's objects stay as they are.
pub async fn put_places(connection: &mut AnyConnection, lab: LabId, places: &[(String, u32)], preferred: Option<&str>) -> Result<()> {
    sqlx::query("DELETE FROM lab_places WHERE lab_id = $1").bind(lab.to_string()).execute(&mut *connection).await?;
    for (node, cards) in places {
        sqlx::query("INSERT INTO lab_places (lab_id, node, cards) VALUES ($1, $2, $3)")
            .bind(lab.to_string())
            .bind(node.clone())
            .bind(i64::from(*cards))
            .execute(&mut *connection)
            .await?;
    }
    if let Some(preferred) = preferred {
        sqlx::query("UPDATE reservations SET preferred_node = $2 WHERE lab_id = $1")
            .bind(lab.to_string())
            .bind(preferred.to_owned())
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// The node that the lab's pod is asked to go to.
pub async fn preferred_node(connection: &mut AnyConnection, lab: LabId) -> Result<Option<String>> {
    let row = sqlx::query("SELECT preferred_node FROM reservations WHERE lab_id = $1").bind(lab.to_string()).fetch_optional(connection).await?;
    row.map_or(Ok(None), |row| Row::of("reservations", &row).optional_text("preferred_node"))
}

/// Every lab that holds cards, with node and cards of each place.
pub async fn places(connection: &mut AnyConnection) -> Result<BTreeMap<LabId, Vec<(String, u32)>>> {
    let rows = sqlx::query("SELECT r.lab_id, p.node, p.cards FROM reservations r LEFT JOIN lab_places p ON p.lab_id = r.lab_id")
        .fetch_all(connection)
        .await?;
    let mut places = BTreeMap::<LabId, Vec<(String, u32)>>::new();
    for row in &rows {
        let row = Row::of("lab_places", row);
        let of_lab = places.entry(row.parse("lab_id")?).or_default();
        if let Some(node) = row.optional_text("node")? {
            of_lab.push((node, row.count("cards")?));
        }
    }
    for of_lab in places.values_mut() {
        of_lab.sort();
    }
    Ok(places)
}

/// Forgets where the lab's cards were.
pub async fn forget(connection: &mut AnyConnection, lab: LabId) -> Result<()> {
    sqlx::query("DELETE FROM lab_places WHERE lab_id = $1").bind(lab.to_string()).execute(connection).await?;
    Ok(())
}
