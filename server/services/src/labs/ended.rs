//! Stopping labs when the time that was ordered for them is over, or when their owner's time of day has come.

use domain::{
    Error, Result,
    ids::LabId,
    labs::{Lab, LabEvent},
    time::Timestamp,
};

use super::{
    load,
    transition::{self, By},
};
use crate::{Services, error::OrDomain, hub::News, jobs::lease};

/// The most that are stopped at once; the rest comes with the next run.
const BATCH: u32 = 200;

/// Stops labs whose ordered time is over; returns how many. One short transaction each: a lesson's end stops hundreds.
pub async fn stop_ended(services: &Services) -> Result<u32> {
    let ended = {
        let mut read = services.db.read().await.or_domain()?;
        storage::labs::ended(&mut read, services.clock.now(), BATCH).await.or_domain()?
    };
    let mut stopped = 0;
    for id in ended {
        stopped += u32::from(stop(services, id, "stop_ended", Lab::is_over).await?);
    }
    Ok(stopped)
}

/// Stops labs whose owner wants them stopped at this time of day; returns how many.
pub async fn stop_daily(services: &Services) -> Result<u32> {
    let due = {
        let mut read = services.db.read().await.or_domain()?;
        storage::labs::daily_stops(&mut read, services.clock.now(), BATCH).await.or_domain()?
    };
    let mut stopped = 0;
    for due in due {
        let still = |lab: &Lab, now| lab.lifecycle.daily_stop_at.is_some_and(|at| at <= now);
        stopped += u32::from(stop(services, due.lab, "stop_daily", still).await?);
    }
    Ok(stopped)
}

/// Whether it was stopped: not when its time was moved, or somebody stopped it, in this moment.
async fn stop(services: &Services, id: LabId, job: &'static str, still: impl Fn(&Lab, Timestamp) -> bool) -> Result<bool> {
    let mut write = lease::begin_write(services).await?;
    let mut lab = load::fresh(&mut write, id).await?;
    if !still(&lab, services.clock.now()) {
        return Ok(false);
    }
    match transition::take(services, &mut write, &mut lab, LabEvent::Stop, By::Job(job)).await {
        Ok(()) => {
            storage::labs::set_queued_at(&mut write, id, None).await.or_domain()?;
            write.commit().await.or_domain()?;
            services.hub.tell(News::lab(&lab));
            Ok(true)
        }
        // Somebody stopped or destroyed it first.
        Err(Error::Stale | Error::InvalidTransition { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
