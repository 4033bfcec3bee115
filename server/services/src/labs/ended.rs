//! Stopping labs when the time that was ordered for them is over.

use domain::{Error, Result, labs::LabEvent};

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
        let mut write = lease::begin_write(services).await?;
        let mut lab = load::fresh(&mut write, id).await?;
        match transition::take(services, &mut write, &mut lab, LabEvent::Stop, By::Job("stop_ended")).await {
            Ok(()) => {
                storage::labs::set_queued_at(&mut write, id, None).await.or_domain()?;
                write.commit().await.or_domain()?;
                services.hub.tell(News::Lab(lab.tenant, id));
                stopped += 1;
            }
            // Somebody stopped or destroyed it first.
            Err(Error::Stale | Error::InvalidTransition { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(stopped)
}
