//! When a lab stops by itself besides the end of its time: its owner's choice.

use domain::{
    Error, Result,
    access::Action,
    ids::LabId,
    labs::{Autostop, LabState, LabView},
};

use super::{
    ended, load, read,
    transition::{self, By},
};
use crate::{Caller, Services, error::OrDomain, hub::News};

/// The whole setting; what is left out is off. Errors: `Invalid` on `idle_minutes`; `InvalidTransition` for a lab that is destroyed.
pub async fn set_autostop(services: &Services, caller: &Caller, id: LabId, wanted: Autostop) -> Result<LabView> {
    load::changing(services, caller, Action::LabAutostop, id, || change(services, caller, id, wanted)).await?;
    read::view(services, caller, id).await
}

async fn change(services: &Services, caller: &Caller, id: LabId, wanted: Autostop) -> Result<()> {
    let wanted = wanted.check()?;
    let mut write = services.db.begin_write().await.or_domain()?;
    let mut lab = load::fresh(&mut write, id).await?;
    if matches!(lab.state, LabState::Destroying | LabState::Destroyed) {
        return Err(Error::InvalidTransition { state: lab.state.as_str().into(), event: "autostop".into() });
    }
    if lab.lifecycle.autostop == wanted {
        return Ok(());
    }
    ended::stop_overdue(services, &mut write, &mut lab).await?;
    let now = services.clock.now();
    transition::alter(services, &mut write, &mut lab, "lab.autostop", By::Person(caller), |lab| {
        lab.lifecycle.autostop = wanted;
        let up = matches!(lab.state, LabState::Pending | LabState::Starting | LabState::Running);
        lab.lifecycle.daily_stop_at = wanted.daily.filter(|_| up).map(|time| time.next_after(now));
    })
    .await?;
    transition::want(services, &mut write, id).await?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(&lab));
    Ok(())
}
