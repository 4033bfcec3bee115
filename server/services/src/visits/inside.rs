//! Entering a lab without its site: what the portal itself carries into the lab, such as a terminal, goes by a pass of its own, so that it
//! ends as every pass does and is in the connection log.

use std::sync::Arc;

use domain::{
    Error, Result,
    ids::{LabId, PassId},
    labs::{LabState, host::host_label},
};
use storage::visits::{NewPass, PORTAL_ORIGIN};

use super::{
    EnterError, Entry, admit, enter,
    open::{TICKET_SECONDS, attempt, authorise, check_reason, make},
};
use crate::{Caller, Services, audit, error::OrDomain};

/// Makes a pass to the running lab and enters by it at once. `session`: the stored id of the caller's session; `reason`: for a break-glass
/// visit.
///
/// Errors: as of [`super::open`]; `InvalidTransition` for a lab that does not run.
pub async fn enter_from_portal(services: &Services, caller: &Caller, session: &str, lab: LabId, reason: Option<&str>) -> Result<Arc<Entry>> {
    let seen = {
        let mut read = services.db.read().await.or_domain()?;
        storage::labs::get(&mut read, lab).await.or_domain()?
    };
    let made = audit::recording(services, caller, || attempt(caller, lab, seen.as_ref(), reason.is_some()), async {
        let lab = seen.as_ref().ok_or(Error::NotFound)?;
        let role = authorise(caller, lab, reason.is_some())?;
        let reason = reason.map(check_reason).transpose()?;
        if lab.state != LabState::Running {
            return Err(Error::InvalidTransition { state: lab.state.as_str().into(), event: "terminal".into() });
        }
        let now = services.clock.now();
        let pass = NewPass {
            id: PassId::from_uuid(services.entropy.uuid()),
            tenant: lab.tenant,
            lab: lab.id,
            user: caller.actor.user,
            session: session.to_owned(),
            role,
            reason,
            share: None,
            port: 0,
            origin: PORTAL_ORIGIN.to_owned(),
            next: "/".to_owned(),
            created_at: now,
            ticket_expires_at: now.plus_seconds(TICKET_SECONDS),
        };
        let ticket = make(services, caller, lab, &pass).await?;
        Ok((host_label(&lab.name, lab.id), ticket))
    });
    let (label, ticket) = made.await?;
    let entered = enter(services, &label, ticket.expose(), Some(PORTAL_ORIGIN), caller.origin.address.as_deref()).await;
    let cookie = match entered {
        Ok(entered) => entered.cookie,
        Err(EnterError::Unavailable(error)) => return Err(error),
        // The right was lost in between.
        Err(EnterError::NoTicket | EnterError::WrongOrigin) => return Err(Error::Forbidden),
    };
    // The cookie is given to nobody: the pass is the entry that the caller holds.
    admit(services, &label, cookie.expose()).await?.ok_or(Error::Forbidden)
}
