//! Loading a lab for somebody who wants to do something to it.

use domain::{
    Error, Result,
    access::{Action, Resource},
    ids::LabId,
    labs::Lab,
};
use storage::Write;

use crate::{Caller, Services, audit, error::OrDomain};

use super::transition;

/// The lab as it is now, without a permission check.
pub(super) async fn seen(services: &Services, id: LabId) -> Result<Option<Lab>> {
    let mut read = services.db.read().await.or_domain()?;
    storage::labs::get(&mut read, id).await.or_domain()
}

/// Whether the caller may do it. Errors: those of [`domain::access::Actor::can`].
pub(super) fn authorise(caller: &Caller, action: Action, lab: &Lab) -> Result<()> {
    caller.actor.can(action, &Resource::owned(lab.tenant, lab.course, lab.owner))
}

/// Again inside the transaction that changes it. Labs are never deleted.
pub(super) async fn fresh(write: &mut Write, id: LabId) -> Result<Lab> {
    storage::labs::get(write, id).await.or_domain()?.ok_or(Error::NotFound)
}

/// Tries of a change that meets a report of the cluster on the same lab.
const TRIES: u32 = 4;

/// Authorises, runs the change and records a refusal.
pub(super) async fn changing<F, T>(services: &Services, caller: &Caller, action: Action, id: LabId, change: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let seen = seen(services, id).await?;
    audit::recording(services, caller, || transition::attempt(caller, action, id, seen.as_ref()), async {
        authorise(caller, action, seen.as_ref().ok_or(Error::NotFound)?)?;
        for _ in 1..TRIES {
            match change().await {
                // A concurrent report of the cluster is no reason to refuse the caller.
                Err(Error::Stale) => {}
                other => return other,
            }
        }
        change().await
    })
    .await
}
