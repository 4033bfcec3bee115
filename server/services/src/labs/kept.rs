//! What becomes of labs that are down: they are kept for some days, their owners are warned a day before, then they are destroyed.

use domain::{
    Error, Result,
    ids::LabId,
    labs::{Lab, LabEvent, LabState},
    time::Timestamp,
};

use super::{
    load, notices,
    transition::{self, By},
};
use crate::{Services, error::OrDomain, hub::News, jobs::lease};

const BATCH: u32 = 200;
const WARNING: &str = "destroy";
const DAY: i64 = 24 * 60;

fn is_down(lab: &Lab) -> bool {
    matches!(lab.state, LabState::Stopped | LabState::Failed)
}

/// Tells owners a day before; returns how many. After a time without this job the end is moved, so that there is always a day.
pub async fn warn_kept(services: &Services) -> Result<u32> {
    let now = services.clock.now();
    let due = {
        let mut read = services.db.read().await.or_domain()?;
        storage::labs::expiring(&mut read, WARNING, now.plus_minutes(DAY), BATCH).await.or_domain()?
    };
    let mut told = 0;
    for due in due {
        told += u32::from(warn(services, due.lab, due.about, now).await?);
    }
    Ok(told)
}

async fn warn(services: &Services, id: LabId, about: Timestamp, now: Timestamp) -> Result<bool> {
    let mut write = lease::begin_write(services).await?;
    let mut lab = load::fresh(&mut write, id).await?;
    if !is_down(&lab) || lab.lifecycle.kept_until != Some(about) {
        return Ok(false);
    }
    let day = now.plus_minutes(DAY);
    // An hour of the day may have gone by between two rounds; more than that is a time without this job.
    let about = if day.seconds_since(about) > 3_600 { day } else { about };
    if lab.lifecycle.kept_until != Some(about) {
        let later = |lab: &mut Lab| {
            // The portal was down when the warning was due; the time that this adds is not charged.
            lab.lifecycle.grace_from = lab.lifecycle.grace_from.or(lab.lifecycle.kept_until);
            lab.lifecycle.kept_until = Some(about);
        };
        match transition::alter(services, &mut write, &mut lab, "lab.keep", By::Job("warn_kept"), later).await {
            Err(Error::Stale) => return Ok(false),
            other => other?,
        }
    }
    if !storage::labs::warn(&mut write, id, WARNING, about, now).await.or_domain()? {
        return Ok(false);
    }
    let told = notices::goes_soon(services, &mut write, &lab, about).await?;
    write.commit().await.or_domain()?;
    told.tell(services);
    services.hub.tell(News::lab(&lab));
    Ok(true)
}

/// Destroys labs whose time to be kept is over and whose owners were told so; returns how many.
pub async fn destroy_kept(services: &Services) -> Result<u32> {
    let now = services.clock.now();
    let due = {
        let mut read = services.db.read().await.or_domain()?;
        storage::labs::destroy_due(&mut read, WARNING, now, BATCH).await.or_domain()?
    };
    let mut destroyed = 0;
    for due in due {
        destroyed += u32::from(destroy(services, due.lab, due.about).await?);
    }
    Ok(destroyed)
}

async fn destroy(services: &Services, id: LabId, about: Timestamp) -> Result<bool> {
    let mut write = lease::begin_write(services).await?;
    let mut lab = load::fresh(&mut write, id).await?;
    // Kept, or started again, in this moment.
    if !is_down(&lab) || lab.lifecycle.kept_until != Some(about) {
        return Ok(false);
    }
    match transition::take(services, &mut write, &mut lab, LabEvent::Destroy, By::Job("destroy_kept")).await {
        Ok(()) => {}
        Err(Error::Stale) => return Ok(false),
        Err(error) => return Err(error),
    }
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(&lab));
    Ok(true)
}
