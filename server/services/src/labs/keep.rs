//! Keeping a lab that is down: its files are not destroyed when they would be.

use domain::{
    Error, Result,
    access::Action,
    ids::LabId,
    labs::{LabState, LabView},
};

use super::{
    load, read,
    transition::{self, By},
};
use crate::{Caller, Services, error::OrDomain, hub::News};

/// The time that it is kept begins anew. Asking again on the same day changes nothing.
///
/// Errors: `InvalidTransition` unless it is stopped or has failed.
pub async fn keep(services: &Services, caller: &Caller, id: LabId) -> Result<LabView> {
    load::changing(services, caller, Action::LabKeep, id, || change(services, caller, id)).await?;
    read::view(services, caller, id).await
}

async fn change(services: &Services, caller: &Caller, id: LabId) -> Result<()> {
    let mut write = services.db.begin_write().await.or_domain()?;
    let mut lab = load::fresh(&mut write, id).await?;
    if !matches!(lab.state, LabState::Stopped | LabState::Failed) {
        return Err(Error::InvalidTransition { state: lab.state.as_str().into(), event: "keep".into() });
    }
    let minutes = services.settings.keep_stopped_days * 24 * 60;
    let until = services.clock.now().plus_minutes(minutes);
    // A second click moves nothing that one could see.
    if lab.lifecycle.kept_until.is_some_and(|kept| until.seconds_since(kept) < 3_600) {
        return Ok(());
    }
    let now = services.clock.now();
    if let Some(from) = lab.lifecycle.grace_from.filter(|from| *from < now) {
        // The owner wants the lab kept, so it is charged again from here on.
        storage::labs::add_free_storage(&mut write, id, from, now).await.or_domain()?;
    }
    transition::alter(services, &mut write, &mut lab, "lab.keep", By::Person(caller), |lab| {
        (lab.lifecycle.kept_until, lab.lifecycle.grace_from) = (Some(until), None);
    })
    .await?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(&lab));
    Ok(())
}
