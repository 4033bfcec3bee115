//! A lab as its own site shows it to those who wait for it. The page is polled every two seconds, so nothing is read for a poll: two
//! statements for each state and each report of a lab, shared by all who wait for it, and again after half a minute.

use std::sync::Arc;

use domain::{
    Error, Result,
    ids::LabId,
    labs::{LabState, start::StepTime},
    time::Timestamp,
};

use crate::{Services, error::OrDomain, labs::starts};

/// Facts of a lab that is not ready.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// When the lab came into its state.
    pub since: Option<Timestamp>,
    /// The steps of its start with their usual times; empty for a lab that is down.
    pub steps: Vec<StepTime>,
    /// When its ordered time ends.
    pub ends_at: Option<Timestamp>,
    /// Stable reason of its failure: `ImagePullBackOff`.
    pub failure: Option<String>,
}

/// Which look at a lab a [`Waiting`] belongs to: its state and the time of the last report on it, as the pass in memory knows them.
pub type Look = (LabId, LabState, Option<Timestamp>);

/// Facts for the waiting page, and the time now. Errors: `Unavailable` while the database is away, `NotFound`.
pub async fn waiting(services: &Services, look: Look) -> Result<(Arc<Waiting>, Timestamp)> {
    let now = services.clock.now();
    // On the heap: nearly all polls find the facts in memory.
    let load = Box::pin(load(services, look.0));
    Ok((services.cache.waiting.get_or_load(look, now, load).await?, now))
}

async fn load(services: &Services, lab: LabId) -> Result<Waiting> {
    if services.visits.is_database_away() {
        return Err(Error::Unavailable { retry_after_seconds: 5 });
    }
    let mut read = services.db.read().await.or_domain()?;
    let facts = storage::labs::start_facts(&mut read, lab).await.or_domain()?.ok_or(Error::NotFound)?;
    let history = storage::labs::history(&mut read, lab).await.or_domain()?;
    let of_order = (facts.order, facts.offering);
    let steps = starts::of_order(services, &mut read, of_order, facts.state, &history, &facts.seen).await?;
    Ok(Waiting {
        since: history.last().map(|change| change.at),
        steps,
        ends_at: facts.ends_at,
        failure: facts.failure.filter(|_| facts.state == LabState::Failed).map(|failure| failure.reason),
    })
}
