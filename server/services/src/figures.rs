//! Figures for operators' metrics, without a caller: counts only, nothing of anybody.

use domain::Result;

use crate::{Services, error::OrDomain};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Orders by state, and labs by state.
    pub orders: Vec<(String, i64)>,
    pub labs: Vec<(String, i64)>,
    /// Pieces of background work that are due and not done.
    pub waiting: i64,
    pub cluster_reachable: bool,
    /// Total seconds that pods of labs ran beyond their time.
    pub overrun_seconds: i64,
    /// Seconds of a jump of the machine's clock that is not followed yet; 0 without one.
    pub clock_jump_seconds: i64,
    /// Visits to labs that have not ended.
    pub visits_open: i64,
}

/// Six statements. Errors: `Unavailable`.
pub async fn read(services: &Services) -> Result<Figures> {
    let mut connection = services.db.read().await.or_domain()?;
    let orders = storage::figures::orders_by_state(&mut connection).await.or_domain()?;
    let labs = storage::figures::labs_by_state(&mut connection).await.or_domain()?;
    let (waiting, _) = storage::outbox::backlog(&mut connection, services.clock.now()).await.or_domain()?;
    let cluster = storage::cluster_status::get(&mut connection).await.or_domain()?;
    let cluster_reachable = cluster.is_some_and(|status| status.last_seen_at.is_some() && status.away_since.is_none());
    let overrun_seconds = storage::figures::overrun_seconds(&mut connection).await.or_domain()?;
    let visits_open = storage::figures::visits_open(&mut connection).await.or_domain()?;
    let clock_jump_seconds = services.clock.jump().filter(|jump| !jump.believed).map_or(0, |jump| jump.seconds);
    Ok(Figures { orders, labs, waiting: waiting.into(), cluster_reachable, overrun_seconds, clock_jump_seconds, visits_open })
}
