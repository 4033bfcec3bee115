//! Nodes for operators, and the inventory for programs: the cluster's last report with who holds what. Nothing here asks the cluster;
//! the watch has written down what it said.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Error, Result,
    access::{Action, Resource},
    capacity::wait_reason,
    cluster::{self, ClusterStatus, Node},
    gpu::Card,
    ids::{LabId, TenantId},
    labs::ConditionStatus,
    nodes::{Holder, Inventory, KindUse, LabHolder, NodeView, NodesView, Stuck, Who, findings, inventory as of_nodes, late_findings},
    time::Timestamp,
};
use storage::nodes::Held;

use crate::{
    Caller, Services,
    audit::{self, Entry},
    cluster_status,
    error::OrDomain,
};

/// Labs and orders that are looked through for findings.
const LOOKED_AT: u32 = 200;
/// Late starts of so many minutes count together.
const LATE_MINUTES: i64 = 60;

/// All nodes with their holders, and what somebody should look at. Errors: `Forbidden`, `ScopeMissing`.
pub async fn list(services: &Services, caller: &Caller) -> Result<NodesView> {
    authorise(services, caller, "").await?;
    let tenant = caller.actor.tenant;
    let (status, nodes) = load(services, tenant).await?;
    let now = services.clock.now();
    let (coming_up, queued, late) = {
        let mut read = services.db.read().await.or_domain()?;
        let coming_up = storage::nodes::coming_up(&mut read, tenant, LOOKED_AT).await.or_domain()?;
        let queued = storage::nodes::queued(&mut read, tenant, now, LOOKED_AT).await.or_domain()?;
        (coming_up, queued, storage::labs::late_starts(&mut read, tenant, now.plus_minutes(-LATE_MINUTES)).await.or_domain()?)
    };
    let stuck: Vec<_> = coming_up
        .into_iter()
        .filter_map(|(lab, name, observation)| {
            let refused = observation.conditions.into_iter().find(|condition| {
                condition.kind == "Scheduled" && condition.status == ConditionStatus::False && condition.reason == "Unschedulable"
            })?;
            Some(Stuck { lab, name, message: refused.message })
        })
        .collect();
    let pool = |card: Card| status.pools.iter().find(|pool| pool.card == card);
    let waits: Vec<_> = queued.iter().map(|spec| wait_reason(pool(spec.card), spec)).collect();
    let met: Vec<_> = status.obstacles.iter().filter(|met| now.seconds_since(met.last) < met.obstacle.lasts_seconds()).cloned().collect();
    let mut findings = findings(&nodes, &stuck, &waits, &met);
    findings.extend(late_findings(&late));
    let ClusterStatus { version, simulated, away_since, last_seen_at, nodes: _, pools, obstacles: _ } = status;
    Ok(NodesView { version, simulated, away_since, reported_at: last_seen_at, nodes, pools, findings })
}

/// One node. Errors: `NotFound`, `Forbidden`, `ScopeMissing`.
pub async fn get(services: &Services, caller: &Caller, name: &str) -> Result<(NodeView, Option<Timestamp>)> {
    authorise(services, caller, name).await?;
    let (status, nodes) = load(services, caller.actor.tenant).await?;
    let node = nodes.into_iter().find(|view| view.node.name == name).ok_or(Error::NotFound)?;
    Ok((node, status.last_seen_at))
}

/// The nodes that have cards, and when the cluster was last heard (I2). Errors: `Forbidden`, `ScopeMissing`.
pub async fn inventory(services: &Services, caller: &Caller) -> Result<(Vec<Inventory>, Option<Timestamp>)> {
    authorise(services, caller, "").await?;
    let (status, nodes) = load(services, caller.actor.tenant).await?;
    Ok((of_nodes(&nodes), status.last_seen_at))
}

async fn authorise(services: &Services, caller: &Caller, node: &str) -> Result<()> {
    let label: String = node.chars().take(64).collect();
    audit::recording(services, caller, || Entry::new(audit::action(Action::ClusterRead), "cluster", "cluster", label), async {
        caller.actor.can(Action::ClusterRead, &Resource::tenant(caller.actor.tenant))
    })
    .await
}

async fn load(services: &Services, tenant: TenantId) -> Result<(ClusterStatus, Vec<NodeView>)> {
    let mut status = cluster_status::load(services).await?;
    let held = {
        let mut read = services.db.read().await.or_domain()?;
        storage::nodes::held(&mut read).await.or_domain()?
    };
    let labs: BTreeSet<_> = held.iter().map(|held| held.lab).collect();
    let mut by_node = BTreeMap::<String, Vec<Held>>::new();
    for held in held {
        by_node.entry(held.node.clone()).or_default().push(held);
    }
    let nodes = std::mem::take(&mut status.nodes);
    let views = nodes.into_iter().map(|node| view(by_node.remove(&node.name).unwrap_or_default(), node, tenant, &labs)).collect();
    Ok((status, views))
}

/// `labs`: all that hold cards anywhere; a pod that names none of them is not ours.
fn view(held: Vec<Held>, node: Node, tenant: TenantId, labs: &BTreeSet<LabId>) -> NodeView {
    let machine_left = held.iter().fold(node.machine(|lab| labs.contains(&lab)), |left, held| left.map(|left| left.without(held.machine)));
    let is_usable = node.takes_pods() && machine_left.is_none_or(|left| left.holds_labs(1));
    let bound: BTreeSet<_> = node.holds.iter().filter_map(|hold| hold.lab).collect();
    let mut holders: Vec<_> = held
        .into_iter()
        .map(|held| {
            let Held { node: _, card, cards, machine: _, lab, tenant: of, name, state, owner, course, ends_at } = held;
            let who = if of == tenant {
                Who::Lab(Box::new(LabHolder { id: lab, name, state, owner, course, ends_at, bound: bound.contains(&lab) }))
            } else {
                Who::OtherTenant
            };
            Holder { card, cards, who }
        })
        .collect();
    let foreign = node.holds.iter().filter(|hold| hold.lab.is_none_or(|lab| !labs.contains(&lab)));
    holders.extend(foreign.map(|hold| Holder { card: hold.card, cards: hold.cards, who: Who::Pod(format!("{}/{}", hold.namespace, hold.pod)) }));
    let kinds = node
        .cards
        .iter()
        .map(|(card, total)| {
            let used = cluster::sum(holders.iter().filter(|holder| holder.card == *card).map(|holder| holder.cards));
            // Pods keep cards that the node does not offer any more.
            let had = node.capacity.iter().find(|(of, _)| of == card).map_or(*total, |(_, count)| *count);
            let total = (*total).max(had.min(used));
            KindUse { card: *card, total, used, free: if is_usable { total.saturating_sub(used) } else { 0 } }
        })
        .collect();
    NodeView { node, kinds, holders, machine_left }
}

#[cfg(test)]
mod tests;
