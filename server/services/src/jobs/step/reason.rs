//! Why the cluster does not do what the portal asks: as a condition on the lab's page, and for operators among the cluster's findings.

use domain::{
    Error, Result,
    labs::{Condition, ConditionStatus, Lab, Observation},
};

use super::keep_observation;
use crate::{Services, cluster_status, error::OrDomain, ports::ClusterError};

/// Kind of the condition. The next observation replaces it.
pub(super) const ACCEPTED: &str = "Accepted";

/// Stores the reason for the lab's readers and for operators. `Away` and `Busy` are temporary, and are shown elsewhere.
pub(super) async fn show(services: &Services, lab: &Lab, error: &ClusterError) -> Result<()> {
    note(services, error).await?;
    let (reason, message) = match error {
        // Only operators see which part of the cluster's set-up is missing.
        ClusterError::Blocked(obstacle) => (obstacle.reason().to_owned(), String::new()),
        ClusterError::Refused { reason, message } => (reason.clone(), message.clone()),
        ClusterError::Away(_) | ClusterError::Busy(_) => return Ok(()),
    };
    let before = {
        let mut read = services.db.read().await.or_domain()?;
        storage::observations::get(&mut read, lab.id).await.or_domain()?
    };
    let mut seen = before.map_or_else(Observation::default, |(seen, _)| seen);
    let known = seen.conditions.iter().find(|condition| condition.kind == ACCEPTED && condition.reason == reason && condition.message == message);
    let since = known.map_or(Some(services.clock.now()), |condition| condition.since);
    seen.conditions.retain(|condition| condition.kind != ACCEPTED);
    seen.conditions.insert(0, Condition { kind: ACCEPTED.into(), status: ConditionStatus::False, reason, message, since });
    match keep_observation(services, lab, &seen).await {
        // The lab's next step meets its own obstacle.
        Err(Error::Stale) => Ok(()),
        other => other,
    }
}

/// Stores the reason for operators only: used when no single lab is affected.
pub(super) async fn note(services: &Services, error: &ClusterError) -> Result<()> {
    match error {
        ClusterError::Blocked(obstacle) => cluster_status::blocked(services, obstacle).await,
        _ => Ok(()),
    }
}
