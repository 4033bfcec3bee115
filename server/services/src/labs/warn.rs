//! Warnings before a lab stops by itself: each once, whatever is restarted, and again for another end.

use domain::{
    Result,
    ids::LabId,
    labs::{LabState, lifecycle::WARN_MINUTES},
    notifications::Notice,
    time::Timestamp,
};

use super::{load, notices};
use crate::{Services, error::OrDomain, hub::News, jobs::lease};

const BATCH: u32 = 200;

/// What a warning of so many minutes is stored as.
fn kind(minutes: u32) -> String {
    format!("ends_{minutes}")
}

/// Minutes that are left, rounded up: a late warning says how late it is.
fn minutes_to(about: Timestamp, now: Timestamp) -> u32 {
    u32::try_from((about.seconds_since(now) + 59) / 60).unwrap_or_default()
}

/// Warns owners of labs that soon stop by themselves; returns how many warnings were given. When several are due at once, after a time
/// without this job, only the most urgent one is given.
pub async fn warn_ending(services: &Services) -> Result<u32> {
    let now = services.clock.now();
    let mut given = 0;
    let mut minutes = WARN_MINUTES;
    minutes.sort_unstable();
    for (at, minutes) in minutes.into_iter().enumerate() {
        let due = {
            let mut read = services.db.read().await.or_domain()?;
            storage::labs::ending(&mut read, &kind(minutes), now, now.plus_minutes(minutes.into()), BATCH).await.or_domain()?
        };
        for due in due {
            given += u32::from(warn(services, due.lab, due.about, minutes, &WARN_MINUTES[..WARN_MINUTES.len() - 1 - at]).await?);
        }
    }
    Ok(given)
}

/// Whether it was given: not when the lab's end was moved, or it was stopped, in this moment.
async fn warn(services: &Services, id: LabId, about: Timestamp, minutes: u32, earlier: &[u32]) -> Result<bool> {
    let now = services.clock.now();
    let mut write = lease::begin_write(services).await?;
    let lab = load::fresh(&mut write, id).await?;
    if lab.stops_at() != Some(about) || !matches!(lab.state, LabState::Starting | LabState::Running) {
        return Ok(false);
    }
    if !storage::labs::warn(&mut write, id, &kind(minutes), about, now).await.or_domain()? {
        return Ok(false);
    }
    // What should have been said before is said by this one.
    for earlier in earlier {
        storage::labs::warn(&mut write, id, &kind(*earlier), about, now).await.or_domain()?;
    }
    // Labs that started some seconds later end some seconds later.
    let told = notices::warned(services, &mut write, &lab, (&kind(minutes), about), |class| match class {
        Some((class, number)) => Notice::ClassEndsSoon { class: class.id, number, ends_at: about, minutes },
        None => Notice::LabEndsSoon { lab: id, name: lab.name.clone(), ends_at: about, minutes: minutes_to(about, now) },
    })
    .await?;
    write.commit().await.or_domain()?;
    told.tell(services);
    services.hub.tell(News::lab(&lab));
    Ok(true)
}
