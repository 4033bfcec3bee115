//! Starts that take much longer than usual: the owner is told once for each start, also over a restart of the portal. The warning is a row
//! with the beginning of the start, written with the notice.

use domain::{
    Result,
    ids::LabId,
    labs::{
        LabState,
        start::{LATE_SECONDS, StepTime},
    },
    notifications::Notice,
    time::Timestamp,
};
use storage::labs::LATE_WARNING;

use super::{load, notices, starts};
use crate::{Services, error::OrDomain, hub::News, jobs::lease};

/// Slow labs of one statement.
const BATCH: u32 = 200;

/// Tells owners of labs whose start is late; returns how many labs that were. A lab that starts within a minute costs nothing, a slow one
/// two statements a round.
pub async fn warn_late(services: &Services) -> Result<u32> {
    let before = services.clock.now().plus_seconds(-LATE_SECONDS);
    let (mut told, mut after) = (0, None);
    loop {
        let slow = {
            let mut read = services.db.read().await.or_domain()?;
            storage::labs::slow(&mut read, before, after, BATCH).await.or_domain()?
        };
        let Some((last, _)) = slow.last() else { return Ok(told) };
        after = Some(*last);
        for (lab, began) in slow {
            if let Some(step) = late_step(services, lab).await? {
                told += u32::from(warn(services, lab, began, step).await?);
            }
        }
    }
}

/// The step that lasts and is late, if one is.
async fn late_step(services: &Services, lab: LabId) -> Result<Option<StepTime>> {
    let mut read = services.db.read().await.or_domain()?;
    let Some(facts) = storage::labs::start_facts(&mut read, lab).await.or_domain()? else { return Ok(None) };
    let history = storage::labs::history(&mut read, lab).await.or_domain()?;
    let of_order = (facts.order, facts.offering);
    let steps = starts::of_order(services, &mut read, of_order, facts.state, &history, &facts.seen).await?;
    let now = services.clock.now();
    Ok(steps.into_iter().find(|step| step.is_late(now)))
}

/// Whether it was given: not when the lab became ready in this moment, or another replica was quicker.
async fn warn(services: &Services, id: LabId, began: Timestamp, step: StepTime) -> Result<bool> {
    let now = services.clock.now();
    let mut write = lease::begin_write(services).await?;
    let lab = load::fresh(&mut write, id).await?;
    if lab.state != LabState::Starting || !storage::labs::warn(&mut write, id, LATE_WARNING, began, now).await.or_domain()? {
        return Ok(false);
    }
    let (step, usual_seconds) = (step.step, step.usual_seconds.unwrap_or_default());
    let told = notices::warned(services, &mut write, &lab, (LATE_WARNING, began), |class| match class {
        Some((class, number)) => Notice::ClassLate { class: class.id, number, began, step, usual_seconds },
        None => Notice::LabLate { lab: id, name: lab.name.clone(), began, step, usual_seconds },
    })
    .await?;
    write.commit().await.or_domain()?;
    told.tell(services);
    services.hub.tell(News::lab(&lab));
    Ok(true)
}
