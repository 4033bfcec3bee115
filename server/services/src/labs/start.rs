//! Starting a lab again: quota is checked again, and cards are set aside again or the lab waits for them in the queue.

use domain::{
    Error, Result,
    access::Action,
    ids::LabId,
    labs::{LabEvent, LabState, LabView},
    orders::class::Span,
    quotas::Amounts,
};
use storage::Write;

use super::{
    load, read,
    transition::{self, By},
};
use crate::{
    Caller, Services,
    capacity::{self, Counter},
    error::OrDomain,
    hub::News,
};

/// From stopped or failed: cards are reserved again or the lab waits for them. While it stops it keeps those that it has, and is made anew.
/// Asking again for what is already so is no error.
///
/// Errors: `OverQuota`; `InvalidTransition` when it is destroyed and when its ordered time is over (state `ended`).
pub async fn start(services: &Services, caller: &Caller, id: LabId) -> Result<LabView> {
    load::changing(services, caller, Action::LabStart, id, || change(services, caller, id)).await?;
    read::view(services, caller, id).await
}

pub(super) async fn change(services: &Services, caller: &Caller, id: LabId) -> Result<()> {
    let mut write = services.db.begin_write().await.or_domain()?;
    let now = services.clock.now();
    let mut lab = load::fresh(&mut write, id).await?;
    if matches!(lab.state, LabState::Pending | LabState::Starting | LabState::Running) {
        return Ok(());
    }
    if lab.state.allows(LabEvent::Start) && lab.ends_at.is_some_and(|end| end <= now) {
        return Err(Error::InvalidTransition { state: "ended".into(), event: LabEvent::Start.as_str().into() });
    }
    if lab.state == LabState::Stopped {
        check_quota(services, &mut write, &lab).await?;
    }
    let has_cards = lab.reserved || reserve(&mut write, &lab, now).await?;
    transition::take(services, &mut write, &mut lab, LabEvent::Start, By::Person(caller)).await?;
    storage::labs::set_queued_at(&mut write, id, (!has_cards).then_some(now)).await.or_domain()?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(&lab));
    Ok(())
}

/// A stopped lab counts with its volume only, so the rest must fit again. A failed one still counts with everything.
async fn check_quota(services: &Services, write: &mut Write, lab: &domain::labs::Lab) -> Result<()> {
    storage::quotas::lock(write, lab.course).await.or_domain()?;
    let now = services.clock.now();
    let quota = storage::quotas::of_course(write, lab.course, now).await.or_domain()?.ok_or(Error::NotFound)?;
    let asked = Amounts { storage_gib: 0, ..Amounts::running(&lab.spec) };
    // Lessons that are to come while it runs have their places.
    let span = Span { from: now, to: lab.ends_at.unwrap_or_else(|| now.plus_minutes(lab.minutes.into())) };
    quota.status.during(span, now).check_amounts(&asked)
}

/// Sets cards aside, unless others already wait for them.
async fn reserve(write: &mut Write, lab: &domain::labs::Lab, now: domain::time::Timestamp) -> Result<bool> {
    match Counter::open(write, lab.spec.card, now).await?.take(&lab.spec) {
        Some(places) => capacity::reserve(write, lab.id, &lab.spec, &places, now).await,
        None => Ok(false),
    }
}
