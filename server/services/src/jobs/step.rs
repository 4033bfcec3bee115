//! One step of one lab. What to do follows from the stored rows alone, the cluster is called outside of transactions, and what
//! it said is written by compare-and-set: a lab that changed meanwhile is looked at again. So a step may be cut off or repeated anywhere.

mod follow;
pub(super) mod keys;
mod leave;
mod reason;
mod volume;

use domain::{
    Error, Result,
    ids::{CourseId, LabId},
    labs::{Lab, LabEvent, LabState, Observation, ObservedPhase},
};

use super::{lab_order, lease, with_secrets};
use crate::{
    Services, cluster_status,
    error::OrDomain,
    hub::News,
    labs::{
        kept_logs,
        transition::{self, By},
    },
    orders,
    ports::{ClusterError, LabOrder},
};

/// The name under which the audit record knows the reconciler.
const JOB: &str = "reconcile";
/// Seconds until a lab that only waits for its pods is looked at without news of it; the watch is faster.
const LOOK_AGAIN: i64 = 15;

/// The next action after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing, until somebody wants it again.
    Done,
    /// The next step now.
    Again,
    /// The next step in so many seconds.
    Soon(i64),
}

/// Why a step did not work out. Nothing is lost: it is tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{0}")]
    Cluster(#[from] ClusterError),
    #[error("{0}")]
    Portal(#[from] Error),
}

pub(super) async fn lab(services: &Services, id: LabId) -> Result<Next, Trouble> {
    let Some(order) = lab_order(services, id).await? else { return Ok(Next::Done) };
    let next = match (order.lab.state, order.lab.reserved) {
        // It waits for cards; the queue wants it when it has them.
        (LabState::Pending, false) => return Ok(Next::Done),
        (LabState::Pending, true) => start(services, &order).await,
        (LabState::Starting | LabState::Running, _) => follow::lab(services, &order).await,
        (LabState::Stopping, _) => leave::stop(services, &order).await,
        (LabState::Failed, true) => leave::clear(services, &order).await,
        (LabState::Failed | LabState::Stopped, _) => leave::keep_down(services, &order).await,
        (LabState::Destroying, _) => leave::destroy(services, &order).await,
        (LabState::Destroyed, _) => leave::keep_away(services, &order).await,
    };
    match next {
        Err(Trouble::Cluster(ClusterError::Away(_))) => next,
        // Somebody changed the lab at the same time.
        Err(Trouble::Portal(Error::Stale)) => Ok(Next::Again),
        Err(Trouble::Cluster(error)) => {
            cluster_status::answered(services).await?;
            reason::show(services, &order.lab, &error).await?;
            Err(error.into())
        }
        _ => {
            cluster_status::answered(services).await?;
            next
        }
    }
}

/// Brings a course's ResourceQuota in line with the portal's.
pub(super) async fn quota(services: &Services, id: CourseId) -> Result<Next, Trouble> {
    let course = {
        let mut read = services.db.read().await.or_domain()?;
        storage::courses::by_id(&mut read, id).await.or_domain()?
    };
    if let Some(course) = course
        && let Err(error) = services.cluster.set_quota(&course, &course.settings.limits).await
    {
        reason::note(services, &error).await?;
        return Err(error.into());
    }
    Ok(Next::Done)
}

/// Has the cluster make the objects. A lab that was stopped meanwhile does not come up: the state no longer fits, and the
/// next step takes away what this one made.
async fn start(services: &Services, order: &LabOrder) -> Result<Next, Trouble> {
    if order.lab.is_overdue(order.at) {
        // The job that stops ended labs will stop it.
        return Ok(Next::Soon(1));
    }
    // Only a lab that was there before can have left something that ended badly, or well: a job cannot be started over it.
    if order.lab.version > 1 {
        let left = services.cluster.observe(order).await?;
        if let Some(lost) = volume::lost(services, order, &left).await? {
            return volume::fail(services, &order.lab, &lost, left).await;
        }
        if matches!(left.phase, ObservedPhase::Failed | ObservedPhase::Finished) {
            kept_logs::keep(services, order).await?;
            services.cluster.stop(order).await?;
            if services.cluster.observe(order).await?.pods > 0 {
                return Ok(Next::Soon(1));
            }
        }
    }
    match services.cluster.start(&with_secrets(services, order).await?).await {
        Ok(()) => {}
        Err(ClusterError::Refused { reason, message }) => return follow::fail(services, &order.lab, &reason, &message, None).await,
        Err(busy @ ClusterError::Busy(_)) => {
            // The lab's page shows what the start waits for, such as a volume that is being deleted.
            let seen = volume::remembered(services, order, services.cluster.observe(order).await?).await?;
            keep_observation(services, &order.lab, &seen).await?;
            return Err(busy.into());
        }
        Err(other) => return Err(other.into()),
    }
    let mut lab = order.lab.clone();
    let mut write = lease::begin_write(services).await?;
    transition::take(services, &mut write, &mut lab, LabEvent::Applied, By::Job(JOB)).await?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(&lab));
    Ok(Next::Again)
}

/// Keeps what the cluster said, where it differs from what it said before. Errors: `Stale` if the lab's state changed meanwhile: an
/// observation from before a stop would replace the reason why the stop waits.
pub(super) async fn keep_observation(services: &Services, lab: &Lab, observation: &Observation) -> Result<()> {
    let before = {
        let mut read = services.db.read().await.or_domain()?;
        storage::observations::get(&mut read, lab.id).await.or_domain()?
    };
    let now = services.clock.now();
    // A page shows how old the report is, so the time of an unchanged one is kept fresh, roughly.
    if before.is_some_and(|(before, at)| before == *observation && now.seconds_since(at) < 60) {
        return Ok(());
    }
    let mut write = lease::begin_write(services).await?;
    let current = storage::labs::get(&mut write, lab.id).await.or_domain()?;
    if current.is_none_or(|current| current.state != lab.state) {
        return Err(Error::Stale);
    }
    storage::observations::put(&mut write, lab.id, observation, now).await.or_domain()?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(lab));
    Ok(())
}

/// Cards became free: whoever waits for them gets them now and not only with the queue's next round.
async fn promote(services: &Services) {
    if let Err(error) = orders::promote(services).await {
        tracing::warn!(%error, "the queue is left to its next round");
    }
}

/// Whether all pods are gone. The pods of a job that ended are still there until the job goes.
fn without_pods(observation: &Observation) -> bool {
    observation.pods == 0 && observation.phase != ObservedPhase::Finished
}
