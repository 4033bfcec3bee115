//! Destroying a lab: everything of it leaves the cluster. An order whose lab never ran is cancelled with it.

use domain::{
    Result,
    access::Action,
    ids::LabId,
    labs::{LabEvent, LabState, LabView},
    orders::OrderEvent,
};

use super::{
    load, read,
    transition::{self, By},
};
use crate::{Caller, Services, error::OrDomain, hub::News};

/// Asking again for what is already so is no error.
pub async fn destroy(services: &Services, caller: &Caller, id: LabId) -> Result<LabView> {
    load::changing(services, caller, Action::LabDestroy, id, || change(services, caller, id)).await?;
    read::view(services, caller, id).await
}

async fn change(services: &Services, caller: &Caller, id: LabId) -> Result<()> {
    let mut write = services.db.begin_write().await.or_domain()?;
    let mut lab = load::fresh(&mut write, id).await?;
    if matches!(lab.state, LabState::Destroying | LabState::Destroyed) {
        return Ok(());
    }
    // Orders before labs, like everybody who changes both, so that nobody waits in a circle.
    let order = transition::order(services, &mut write, &lab, OrderEvent::Cancel, None, By::Person(caller)).await?;
    transition::take(services, &mut write, &mut lab, LabEvent::Destroy, By::Person(caller)).await?;
    storage::labs::set_queued_at(&mut write, id, None).await.or_domain()?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(&lab));
    if let Some(news) = order {
        services.hub.tell(news);
    }
    Ok(())
}
