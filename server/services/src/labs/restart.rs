//! Making a lab's pods anew: its files, its cards and its time stay, and it counts as no start of the day. The card is not billed
//! between the old pods and the new ones, as the states say.

use domain::{
    Error, Result,
    access::Action,
    ids::LabId,
    labs::{LabEvent, LabState, LabView},
};

use super::{
    load, read, retry,
    transition::{self, By},
};
use crate::{Caller, Services, error::OrDomain, hub::News};

/// `seen`: the generation of pods that the caller looked at; when it was made anew since, nothing is done again.
/// A lab that is coming up is left to it; a failed one is tried again.
///
/// Errors: `InvalidTransition` for one that is down or on its way there; for a failed one those of [`super::retry`].
pub async fn restart(services: &Services, caller: &Caller, id: LabId, seen: Option<u32>) -> Result<LabView> {
    load::changing(services, caller, Action::LabRestart, id, || change(services, caller, id, seen)).await?;
    read::view(services, caller, id).await
}

async fn change(services: &Services, caller: &Caller, id: LabId, seen: Option<u32>) -> Result<()> {
    let mut write = services.db.begin_write().await.or_domain()?;
    let mut lab = load::fresh(&mut write, id).await?;
    if seen.is_some_and(|seen| seen < lab.lifecycle.generation) {
        return Ok(());
    }
    match lab.state {
        LabState::Pending | LabState::Starting => return Ok(()),
        LabState::Failed => {
            drop(write);
            return retry::change(services, caller, id).await;
        }
        LabState::Running if lab.is_overdue(services.clock.now()) => {
            return Err(Error::InvalidTransition { state: "ended".into(), event: LabEvent::Restart.as_str().into() });
        }
        _ => {}
    }
    transition::take(services, &mut write, &mut lab, LabEvent::Restart, By::Person(caller)).await?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(&lab));
    Ok(())
}
