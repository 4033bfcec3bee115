//! Stopping a lab: its pods go, its volume stays. The cards are free when the pods are gone, not before.

use domain::{
    Result,
    access::Action,
    ids::LabId,
    labs::{LabEvent, LabState, LabView},
};

use super::{
    load, read,
    transition::{self, By},
};
use crate::{Caller, Services, error::OrDomain, hub::News};

/// Asking again for what is already so is no error. Errors: `InvalidTransition` for a lab that is destroyed or on its way there.
pub async fn stop(services: &Services, caller: &Caller, id: LabId) -> Result<LabView> {
    load::changing(services, caller, Action::LabStop, id, || change(services, caller, id)).await?;
    read::view(services, caller, id).await
}

async fn change(services: &Services, caller: &Caller, id: LabId) -> Result<()> {
    let mut write = services.db.begin_write().await.or_domain()?;
    let mut lab = load::fresh(&mut write, id).await?;
    if matches!(lab.state, LabState::Stopping | LabState::Stopped) {
        return Ok(());
    }
    transition::take(services, &mut write, &mut lab, LabEvent::Stop, By::Person(caller)).await?;
    storage::labs::set_queued_at(&mut write, id, None).await.or_domain()?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(&lab));
    Ok(())
}
