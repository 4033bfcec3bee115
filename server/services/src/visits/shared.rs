//! Opening a lab by a link of its owner's. Looking at the link does nothing; only this makes a pass, which ends with the link.

use domain::{Error, Result, visits::VisitRole};

use super::{
    Opening, Way,
    open::{As, issue},
    record,
};
use crate::{Caller, Services, audit, shares};

/// Makes a pass for the lab's own port by the link with this secret, whatever other rights the caller has there: so the owner sees by a link
/// what others see.
///
/// Errors: `NotFound` for a link that is unknown, over, withdrawn or of another college; `Forbidden` for tokens; `Unavailable` where labs
/// have no site.
pub async fn open_shared(services: &Services, caller: &Caller, secret: &str, session: &str, origin: &str) -> Result<Opening> {
    let shared = shares::find(services, caller, secret).await?;
    let lab = &shared.lab;
    audit::recording(services, caller, || record("lab.open", lab), async {
        if caller.actor.scopes.is_some() {
            return Err(Error::Forbidden);
        }
        let way = Way { session, origin, next: "/", port: 0 };
        issue(services, caller, lab, way, As { role: VisitRole::Share, reason: None, share: Some(shared.id) }).await
    })
    .await
}
