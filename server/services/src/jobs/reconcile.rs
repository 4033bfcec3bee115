//! Makes the cluster as the database wants it, one lab at a time, and writes down what the cluster reports.

use domain::{Error, Result, ids::LabId};

use super::{
    outbox,
    step::{self, Next, Trouble},
};
use crate::{Services, cluster_status, ports::ClusterError};

/// One step for one lab: apply, stop or destroy if wanted, then observe. Returns whether another step is wanted soon.
///
/// Errors: `Unavailable` while the cluster or the database is away.
pub async fn lab(services: &Services, id: LabId) -> Result<bool> {
    // A step has many ways to go; on the heap its future burdens no caller.
    match Box::pin(step::lab(services, id)).await {
        Ok(next) => Ok(!matches!(next, Next::Done)),
        Err(Trouble::Cluster(ClusterError::Away(reason))) => {
            cluster_status::away(services, &reason).await?;
            Err(Error::Unavailable { retry_after_seconds: 5 })
        }
        Err(Trouble::Cluster(ClusterError::Busy(_) | ClusterError::Refused { .. } | ClusterError::Blocked(_))) => Ok(true),
        Err(Trouble::Portal(error)) => Err(error),
    }
}

/// Does all work that is due; returns how many pieces.
pub async fn due(services: &Services) -> Result<u32> {
    outbox::due(services).await
}
