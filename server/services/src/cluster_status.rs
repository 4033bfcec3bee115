//! What the portal last heard of its cluster; kept in the database so that every replica and every restart knows it.

mod places;

use std::collections::BTreeMap;

use domain::{
    Error, Result,
    access::{Action, Resource},
    capacity::Pool,
    cluster::{ClusterStatus, Node, Obstacle},
    gpu::Card,
};

use storage::{AnyConnection, Write};

use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
    hub::News,
    jobs::lease,
    orders,
    ports::{ClusterError, ClusterInfo},
};

/// How old `last_seen_at` may grow while the cluster answers and nothing changes.
const SEEN_SECONDS: i64 = 30;
/// How old an event of a node may be and still be shown.
const EVENT_SECONDS: i64 = 3_600;

/// Without a permission check: parts of it are on every page.
pub async fn current(services: &Services) -> Result<ClusterStatus> {
    let status = services.cache.cluster.get_or_load(services.clock.now(), load(services)).await?;
    Ok(ClusterStatus::clone(&status))
}

/// With nodes, for operators.
pub async fn get(services: &Services, caller: &Caller) -> Result<ClusterStatus> {
    audit::recording(services, caller, || Entry::new(audit::action(Action::ClusterRead), "cluster", "cluster", ""), async {
        caller.actor.can(Action::ClusterRead, &Resource::tenant(caller.actor.tenant))?;
        load(services).await
    })
    .await
}

pub(crate) async fn load(services: &Services) -> Result<ClusterStatus> {
    let mut read = services.db.read().await.or_domain()?;
    load_in(services, &mut read).await
}

/// The stored status in the transaction that changes it. Changes wait for each other, so that none writes back an older status.
pub(crate) async fn for_change(services: &Services, write: &mut Write) -> Result<ClusterStatus> {
    storage::dialect::lock(write, "cluster_status").await.or_domain()?;
    load_in(services, write).await
}

async fn load_in(services: &Services, connection: &mut AnyConnection) -> Result<ClusterStatus> {
    let pools = storage::pools::all(connection).await.or_domain()?;
    let status = storage::cluster_status::get(connection).await.or_domain()?;
    let simulated = services.settings.simulated_cluster;
    Ok(match status {
        Some(status) => ClusterStatus { simulated, pools, ..status },
        None => {
            ClusterStatus { version: String::new(), simulated, away_since: None, last_seen_at: None, nodes: Vec::new(), pools, obstacles: Vec::new() }
        }
    })
}

/// Asks the cluster for its version and nodes, counts the cards, notes where labs' pods are, and lets the queue go on when there are more
/// cards. Returns whether anything changed that open pages are told of.
///
/// A cluster that does not answer is no error: it is noted as away.
pub async fn refresh(services: &Services) -> Result<bool> {
    let ClusterInfo { version, mut nodes, obstacles } = match services.cluster.info().await {
        Ok(info) => info,
        Err(ClusterError::Away(reason)) => {
            away(services, &reason).await?;
            return Ok(false);
        }
        Err(ClusterError::Blocked(obstacle)) => {
            answered(services).await?;
            blocked(services, &obstacle).await?;
            return Ok(false);
        }
        Err(error) => {
            answered(services).await?;
            tracing::warn!(%error, "the cluster does not tell its nodes");
            return Err(Error::Unavailable { retry_after_seconds: 10 });
        }
    };
    for obstacle in &obstacles {
        blocked(services, obstacle).await?;
    }
    let now = services.clock.now();
    for node in &mut nodes {
        node.events.retain(|event| now.seconds_since(event.at) < EVENT_SECONDS);
    }
    let before = load(services).await?;
    let pools = count(&nodes, &before.pools);
    let had: BTreeMap<_, _> = before.pools.iter().map(|pool| (pool.card, pool.total)).collect();
    let lasting = |nodes: &[Node]| nodes.iter().map(Node::lasting).collect::<Vec<_>>();
    let more_or_less = totals(&pools) != had;
    let changed = more_or_less || lasting(&before.nodes) != lasting(&nodes) || before.version != version || before.away_since.is_some();
    let fresh = before.last_seen_at.is_some_and(|at| now.seconds_since(at) < SEEN_SECONDS);
    if !changed && fresh && before.nodes == nodes {
        return Ok(false);
    }
    let mut write = lease::begin_write(services).await?;
    for (card, (total, largest)) in &pools {
        storage::pools::put(&mut write, *card, *total, *largest, now).await.or_domain()?;
    }
    places::put(&mut write, &nodes, pools.keys().copied()).await?;
    let stored = for_change(services, &mut write).await?;
    let was_away = stored.away_since.is_some();
    let status = ClusterStatus { version, nodes, away_since: None, last_seen_at: Some(now), ..stored };
    storage::cluster_status::put(&mut write, &status, now).await.or_domain()?;
    if was_away {
        storage::outbox::hasten(&mut write, now).await.or_domain()?;
    }
    write.commit().await.or_domain()?;
    services.cache.cluster.forget();
    if changed {
        services.hub.tell(News::Cluster);
        services.hub.wake();
    }
    if was_away {
        tracing::info!("the cluster answers again");
    }
    if more_or_less {
        orders::promote(services).await?;
    }
    Ok(changed)
}

/// Cards of each kind on nodes that can take pods: all of them, and the most on one node. Kinds that were there before are there with none.
fn count(nodes: &[Node], before: &[Pool]) -> BTreeMap<Card, (u32, u32)> {
    let mut pools: BTreeMap<Card, (u32, u32)> = before.iter().map(|pool| (pool.card, (0, 0))).collect();
    for node in nodes.iter().filter(|node| node.takes_pods()) {
        for (card, count) in &node.cards {
            let (total, largest) = pools.entry(*card).or_default();
            *total = total.saturating_add(*count);
            *largest = (*largest).max(*count);
        }
    }
    pools
}

fn totals(pools: &BTreeMap<Card, (u32, u32)>) -> BTreeMap<Card, u32> {
    pools.iter().map(|(card, (total, _))| (*card, *total)).collect()
}

/// Notes that the cluster does not answer, if that is news.
pub(crate) async fn away(services: &Services, reason: &str) -> Result<()> {
    if load(services).await?.away_since.is_some() {
        return Ok(());
    }
    let now = services.clock.now();
    let mut write = lease::begin_write(services).await?;
    let before = for_change(services, &mut write).await?;
    if before.away_since.is_some() {
        return Ok(());
    }
    storage::cluster_status::put(&mut write, &ClusterStatus { away_since: Some(now), ..before }, now).await.or_domain()?;
    write.commit().await.or_domain()?;
    tracing::warn!("the cluster does not answer, what it has to do waits: {reason}");
    services.cache.cluster.forget();
    services.hub.tell(News::Cluster);
    Ok(())
}

/// Stores an obstacle to the portal's work, for operators to see.
pub(crate) async fn blocked(services: &Services, obstacle: &Obstacle) -> Result<()> {
    let now = services.clock.now();
    // Usually this only reads the cache: every blocked step calls this function.
    let mut known = current(services).await?;
    if !known.meet(obstacle, now) {
        return Ok(());
    }
    let mut write = lease::begin_write(services).await?;
    let mut status = for_change(services, &mut write).await?;
    services.cache.cluster.forget();
    let met_before = status.obstacles.iter().any(|met| met.obstacle == *obstacle);
    if !status.meet(obstacle, now) {
        return Ok(());
    }
    storage::cluster_status::put(&mut write, &status, now).await.or_domain()?;
    write.commit().await.or_domain()?;
    services.cache.cluster.forget();
    if !met_before {
        if matches!(obstacle, Obstacle::ForeignPolicy { .. }) {
            tracing::warn!("{obstacle}");
        } else {
            tracing::warn!("the cluster does not let the portal do its work: {obstacle}");
        }
    }
    services.hub.tell(News::Cluster);
    Ok(())
}

/// Notes that the cluster answered, if it was away, and has everything tried again that failed meanwhile.
pub(crate) async fn answered(services: &Services) -> Result<()> {
    // Usually a look into memory: this runs after every step.
    if current(services).await?.away_since.is_none() {
        return Ok(());
    }
    let now = services.clock.now();
    let mut write = lease::begin_write(services).await?;
    let before = for_change(services, &mut write).await?;
    if before.away_since.is_none() {
        services.cache.cluster.forget();
        return Ok(());
    }
    storage::cluster_status::put(&mut write, &ClusterStatus { away_since: None, last_seen_at: Some(now), ..before }, now).await.or_domain()?;
    storage::outbox::hasten(&mut write, now).await.or_domain()?;
    write.commit().await.or_domain()?;
    services.cache.cluster.forget();
    tracing::info!("the cluster answers again");
    services.hub.tell(News::Cluster);
    services.hub.wake();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestWorld;

    #[tokio::test]
    async fn nodes_with_absurd_numbers_of_cards_are_counted_without_overflow() {
        let world = TestWorld::college().await;
        let mut nodes = world.services.cluster.info().await.expect("an answer").nodes;
        for (_, count) in nodes.iter_mut().flat_map(|node| &mut node.cards) {
            *count = u32::MAX;
        }
        let pools = count(&nodes, &[]);
        assert!(nodes.len() > pools.len(), "two nodes have the same cards");
        assert!(pools.values().all(|pool| *pool == (u32::MAX, u32::MAX)), "{pools:?}");
    }
}
