//! Cards by node: what each node has, and which lab's cards are planned or placed where (C4).
//! Call what plans only under [`crate::pools::lock`] of that kind of card.

use std::collections::BTreeMap;

use domain::{
    capacity::{Machine, Room},
    gpu::Card,
    ids::LabId,
};
use sqlx::AnyConnection;

use crate::{
    Write,
    error::Result,
    row::Row,
    script::{Insert, Script},
};

/// What a node has of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCards {
    pub node: String,
    pub total: u32,
    /// Held by pods that are no lab of this portal.
    pub others: u32,
    /// Processor, memory and pod slots of the node minus what pods other than labs take; `None` if it does not report them.
    pub machine: Option<Machine>,
}

pub(crate) fn machine(row: &Row<'_>, [cpu_cores, memory_gib, pods]: [&'static str; 3]) -> Result<Option<Machine>> {
    let some = |column| row.optional_integer(column).map(|value| value.map(|value| u32::try_from(value).unwrap_or(0)));
    let pods = some(pods)?;
    Ok(some(cpu_cores)?.zip(some(memory_gib)?).map(|(cpu_cores, memory_gib)| Machine { cpu_cores, memory_gib, pods }))
}

/// The nodes that have cards of this kind and take pods, in place of what was reported before. Nothing is written when it is the same.
pub async fn put_nodes(write: &mut Write, card: Card, nodes: &[NodeCards]) -> Result<()> {
    let rows = sqlx::query("SELECT node, total, others, cpu_cores, memory_gib, pods FROM node_cards WHERE card = $1 ORDER BY node")
        .bind(card.id())
        .fetch_all(&mut **write)
        .await?;
    let before = rows
        .iter()
        .map(|row| {
            let row = Row::of("node_cards", row);
            let machine = machine(&row, ["cpu_cores", "memory_gib", "pods"])?;
            Ok(NodeCards { node: row.text("node")?, total: row.count("total")?, others: row.count("others")?, machine })
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
    for NodeCards { node, total, others, machine } in nodes {
        sqlx::query("INSERT INTO node_cards (card, node, total, others, cpu_cores, memory_gib, pods) VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(card.id())
            .bind(node)
            .bind(i64::from(total))
            .bind(i64::from(others))
            .bind(machine.map(|machine| i64::from(machine.cpu_cores)))
            .bind(machine.map(|machine| i64::from(machine.memory_gib)))
            .bind(machine.and_then(|machine| machine.pods).map(i64::from))
            .execute(&mut **write)
            .await?;
    }
    Ok(())
}

/// Where cards of one kind are free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rooms {
    /// By name.
    pub nodes: Vec<Room>,
    /// Of the kind as a whole: less than the nodes' sum where the place of a lab's cards is not known.
    pub free: u32,
    /// Whether anybody waits for such cards.
    pub awaited: bool,
}

/// The room that there is for cards of this kind, in one statement.
pub async fn rooms(connection: &mut AnyConnection, card: Card) -> Result<Rooms> {
    let rows = sqlx::query(
        "SELECT n.node, n.total, n.total - n.others - COALESCE(t.cards, 0) AS free, n.cpu_cores, n.memory_gib, n.pods, \
           n.cpu_cores - COALESCE(u.cpu_cores, 0) AS cpu_free, n.memory_gib - COALESCE(u.memory_gib, 0) AS memory_free, \
           n.pods - COALESCE(u.pods, 0) AS pods_free, \
           CAST(COALESCE((SELECT total FROM card_pools WHERE card = $1), 0) \
                - COALESCE((SELECT SUM(cards) FROM reservations WHERE card = $1), 0) AS BIGINT) AS free_in_all, \
           CASE WHEN EXISTS (SELECT 1 FROM orders WHERE state = 'queued' AND card = $1) \
                  OR EXISTS (SELECT 1 FROM labs l LEFT JOIN reservations r ON r.lab_id = l.id \
                             WHERE l.state = 'pending' AND l.card = $1 AND r.lab_id IS NULL) \
                THEN 1 ELSE 0 END AS awaited \
         FROM node_cards n LEFT JOIN (SELECT p.node, CAST(SUM(p.cards) AS BIGINT) AS cards FROM reservations r \
           JOIN lab_places p ON p.lab_id = r.lab_id WHERE r.card = $1 GROUP BY p.node) t ON t.node = n.node \
         LEFT JOIN (SELECT p.node, CAST(SUM(l.cpu_cores * p.cards / l.cards) AS BIGINT) AS cpu_cores, \
             CAST(SUM(l.memory_gib * p.cards / l.cards) AS BIGINT) AS memory_gib, CAST(SUM(l.pods * p.cards / l.cards) AS BIGINT) AS pods \
           FROM reservations r JOIN lab_places p ON p.lab_id = r.lab_id JOIN labs l ON l.id = r.lab_id WHERE l.cards > 0 \
           GROUP BY p.node) u ON u.node = n.node \
         WHERE n.card = $1 ORDER BY n.node",
    )
    .bind(card.id())
    .fetch_all(connection)
    .await?;
    // Fewer than none where a node lost cards that labs hold.
    let some = |row: &Row<'_>, column| Ok::<_, crate::Error>(u32::try_from(row.integer(column)?).unwrap_or(0));
    let mut rooms = Rooms { nodes: Vec::with_capacity(rows.len()), free: 0, awaited: false };
    for row in &rows {
        let row = Row::of("node_cards", row);
        rooms.free = some(&row, "free_in_all")?;
        rooms.awaited = row.flag("awaited")?;
        rooms.nodes.push(Room {
            node: row.text("node")?,
            total: row.count("total")?,
            free: some(&row, "free")?,
            machine: machine(&row, ["cpu_cores", "memory_gib", "pods"])?,
            machine_free: machine(&row, ["cpu_free", "memory_free", "pods_free"])?,
        });
    }
    Ok(rooms)
}

/// Where the lab's cards are, in place of what was known before. The nodes that its pods are asked to go to stay as they were said first, so
/// that the lab's objects stay as they are.
pub async fn put_places(connection: &mut AnyConnection, lab: LabId, places: &[(String, u32)]) -> Result<()> {
    forget(connection, lab).await?;
    let mut script = Script::default();
    script.extend(new_places(lab, places));
    script.run(connection).await.map(drop)
}

/// Where the cards of a lab are that had none.
pub fn new_places(lab: LabId, places: &[(String, u32)]) -> impl Iterator<Item = Insert> {
    places.iter().map(move |(node, cards)| {
        Insert::new("INSERT INTO lab_places (lab_id, node, cards) VALUES ($1, $2, $3)")
            .bind(lab.to_string())
            .bind(node.as_str())
            .bind(i64::from(*cards))
    })
}

/// The nodes that the lab's pods are asked to go to, the first to be filled first.
pub async fn preferred_nodes(connection: &mut AnyConnection, lab: LabId) -> Result<Vec<String>> {
    let row = sqlx::query("SELECT preferred_node FROM reservations WHERE lab_id = $1").bind(lab.to_string()).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(Vec::new()) };
    let names = Row::of("reservations", &row).optional_text("preferred_node")?;
    Ok(names.iter().flat_map(|names| names.split(',')).map(ToOwned::to_owned).collect())
}

/// The cards that a lab holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    pub card: Card,
    pub cards: u32,
    /// Cards of each of its pods.
    pub per_pod: u32,
    /// Node and cards, by name of the node; cards whose place is not known are in none.
    pub places: Vec<(String, u32)>,
}

/// Every lab that holds cards, with the place of each.
pub async fn places(connection: &mut AnyConnection) -> Result<BTreeMap<LabId, Reserved>> {
    let rows = sqlx::query(
        "SELECT r.lab_id, r.card, r.cards, CASE WHEN l.pods > 0 THEN l.cards / l.pods ELSE l.cards END AS per_pod, p.node, p.cards AS here \
         FROM reservations r JOIN labs l ON l.id = r.lab_id LEFT JOIN lab_places p ON p.lab_id = r.lab_id",
    )
    .fetch_all(connection)
    .await?;
    let mut labs = BTreeMap::<LabId, Reserved>::new();
    for row in &rows {
        let row = Row::of("lab_places", row);
        let new = Reserved { card: row.parse("card")?, cards: row.count("cards")?, per_pod: row.count("per_pod")?, places: Vec::new() };
        let lab = labs.entry(row.parse("lab_id")?).or_insert(new);
        if let Some(node) = row.optional_text("node")? {
            lab.places.push((node, row.count("here")?));
        }
    }
    for lab in labs.values_mut() {
        lab.places.sort();
    }
    Ok(labs)
}

/// Node and cards of each place of one lab.
pub async fn places_of(connection: &mut AnyConnection, lab: LabId) -> Result<Vec<(String, u32)>> {
    let rows = sqlx::query("SELECT node, cards FROM lab_places WHERE lab_id = $1 ORDER BY node").bind(lab.to_string()).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("lab_places", row);
            Ok((row.text("node")?, row.count("cards")?))
        })
        .collect()
}

/// Forgets where the lab's cards were.
pub async fn forget(connection: &mut AnyConnection, lab: LabId) -> Result<()> {
    sqlx::query("DELETE FROM lab_places WHERE lab_id = $1").bind(lab.to_string()).execute(connection).await?;
    Ok(())
}
