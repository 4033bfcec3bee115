//! Stopping labs when the time that was ordered for them is over, or when their owner's time of day has come.

use domain::{
    Error, Result,
    labs::{Lab, LabEvent, LabState, Observation, moment::USUAL_SECONDS},
    time::Timestamp,
};
use storage::{Write, labs::Due};

use super::{
    load,
    transition::{self, By},
};
use crate::{
    Services,
    error::OrDomain,
    hub::News,
    jobs::{lab_order, lease},
    ports::ClusterError,
};

/// The most that are stopped at once; the rest comes with the next run.
const BATCH: u32 = 200;

/// Stops labs whose ordered time is over; returns how many. One short transaction each: a lesson's end stops hundreds.
pub async fn stop_ended(services: &Services) -> Result<u32> {
    let ended = {
        let mut read = services.db.read().await.or_domain()?;
        storage::labs::ended(&mut read, services.clock.now(), BATCH).await.or_domain()?
    };
    let (mut stopped, mut answers) = (0, true);
    for due in ended {
        stopped += u32::from(stop(services, due, "stop_ended", Lab::is_over, &mut answers).await?);
    }
    Ok(stopped)
}

/// Stops labs whose owner wants them stopped at this time of day; returns how many.
pub async fn stop_daily(services: &Services) -> Result<u32> {
    let due = {
        let mut read = services.db.read().await.or_domain()?;
        storage::labs::daily_stops(&mut read, services.clock.now(), BATCH).await.or_domain()?
    };
    let (mut stopped, mut answers) = (0, true);
    for due in due {
        let still = |lab: &Lab, now| lab.lifecycle.daily_stop_at.is_some_and(|at| at <= now);
        stopped += u32::from(stop(services, due, "stop_daily", still, &mut answers).await?);
    }
    Ok(stopped)
}

/// Whether it was stopped: not when its time was moved, or somebody stopped it, in this moment. `answers`: whether the cluster does.
async fn stop(services: &Services, due: Due, job: &'static str, still: impl Fn(&Lab, Timestamp) -> bool, answers: &mut bool) -> Result<bool> {
    let seen = evidence(services, due, answers).await?;
    let mut write = lease::begin_write(services).await?;
    let mut lab = load::fresh(&mut write, due.lab).await?;
    if !still(&lab, services.clock.now()) {
        return Ok(false);
    }
    match over(services, &mut write, &mut lab, job, seen.as_ref()).await {
        Ok(()) => {
            write.commit().await.or_domain()?;
            services.hub.tell(News::lab(&lab));
            Ok(true)
        }
        // Somebody stopped or destroyed it first.
        Err(Error::Stale | Error::InvalidTransition { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// After an outage, what the cluster says of the lab: its pods may have ended before their time, or may still be there. A cluster that does
/// not answer is asked once: hundreds of labs must not wait for its silence one after the other.
async fn evidence(services: &Services, due: Due, answers: &mut bool) -> Result<Option<Observation>> {
    if !*answers || services.clock.now().seconds_since(due.about) <= USUAL_SECONDS {
        return Ok(None);
    }
    let Some(order) = lab_order(services, due.lab).await? else { return Ok(None) };
    let seen = services.cluster.observe(&order).await;
    *answers = !matches!(seen, Err(ClusterError::Away(_)));
    Ok(seen.ok())
}

/// Stops a lab whose time is over; the stop is dated to the end of its time. Errors: those of [`transition::take`].
pub(crate) async fn over(services: &Services, write: &mut Write, lab: &mut Lab, job: &'static str, seen: Option<&Observation>) -> Result<()> {
    transition::take_with(services, write, lab, LabEvent::Stop, By::Job(job), seen, None).await?;
    storage::labs::set_queued_at(write, lab.id, None).await.or_domain()
}

/// Stops a lab whose time is over before its time is changed, so that the change does not charge the overrun. Returns whether it was
/// stopped.
pub(super) async fn stop_overdue(services: &Services, write: &mut Write, lab: &mut Lab) -> Result<bool> {
    let now = services.clock.now();
    let is_up = matches!(lab.state, LabState::Pending | LabState::Starting | LabState::Running);
    if !is_up || lab.stops_at().is_none_or(|end| end > now) {
        return Ok(false);
    }
    over(services, write, lab, "stop_ended", None).await.map(|()| true)
}
