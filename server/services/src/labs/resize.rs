//! Another size for a lab. Quota, budget and cards are checked and taken in one transaction, as at approval. A running lab gets new pods
//! of the new size; a stopped one takes it at its next start. What is given back is free when the old pods are gone, not before.
//! A larger volume is checked with the cluster first: a size that the cluster would refuse is not stored.

use domain::{
    Error, Result,
    access::{Action, Resource},
    catalogue::ParameterInput,
    ids::LabId,
    labs::{
        EarlierSize, Lab, LabEvent, LabState, LabView,
        resize::{FreeCards, ResizeContext, ResizeRules, Resized, resized, size_values, still_asked},
    },
    money::Money,
    orders::{ChangeTo, PURPOSE_MAX, class::Span},
    pricing::Estimate,
    quotas::{Amounts, QuotaStatus},
    texts,
    time::Timestamp,
};
use storage::{AnyConnection, Write, labs::Listed};

use super::{
    basis, load, read,
    transition::{self, By},
    volume,
};
use crate::{
    Caller, Services, capacity,
    catalogue::{Shelf, shelf},
    error::OrDomain,
    hub::News,
    orders::{self, Wanted},
};

/// What the form is drawn from and computes by. Errors: `NotFound`, `Forbidden`; `Invalid` on `offering` when it is no longer on sale.
pub async fn resize_context(services: &Services, caller: &Caller, id: LabId) -> Result<ResizeContext> {
    let shelf = basis::shelf_now(services).await?;
    let mut read = services.db.read().await.or_domain()?;
    let listed = basis::listed(&mut read, id).await?;
    load::authorise(caller, Action::LabResize, &listed.lab)?;
    let offering = basis::offering(&shelf, &listed)?.clone();
    let book = shelf.book(caller.actor.tenant).clone();
    let volume_gib = volume::reported(&mut read, id).await?;
    let now = services.clock.now();
    let (lab, pending_change) = (listed.lab, listed.pending_change);
    let free = storage::pools::all(&mut read).await.or_domain()?.iter().map(FreeCards::from).collect();
    let mut rules = None;
    if caller.actor.can(Action::QuotaRead, &Resource::course(lab.tenant, lab.course)).is_ok() {
        let quota = storage::quotas::of_course(&mut read, lab.course, now).await.or_domain()?.ok_or(Error::NotFound)?.status;
        let (policy, requester) = (shelf.policy(caller.actor.tenant).clone(), caller.actor.roles.clone());
        rules = Some(ResizeRules { policy, quota, requester, decides: basis::decides(caller, &lab) });
    }
    Ok(ResizeContext { lab, offering, book, volume_gib, rules, pending_change, free, now })
}

/// What is not in `input` stays. A lab that has this size already is left alone. Where somebody must approve it, the lab stays as it is and
/// `pending_change` names the order that was filed; asking the same again files nothing more.
///
/// `purpose`: for the people who must approve it; may be empty.
///
/// Errors: `Invalid` per parameter, also for a volume that cannot grow, and on `purpose`; `Unavailable` while the cluster cannot be asked;
/// `OverQuota`, `OverBudget`, `OverCapacity`, `RefusedByPolicy`; `InvalidTransition` unless it runs, is stopped or has failed; `ChangeWaits`
/// where it would be filed while another change of it waits for approval.
pub async fn resize(services: &Services, caller: &Caller, id: LabId, input: &ParameterInput, purpose: &str) -> Result<LabView> {
    let change_filed = load::changing(services, caller, Action::LabResize, id, || Box::pin(change(services, caller, id, input, purpose))).await?;
    Ok(LabView { change_filed, ..read::view(services, caller, id).await? })
}

/// Whether it waits for approval: it was filed now, or the same was filed before.
async fn change(services: &Services, caller: &Caller, id: LabId, input: &ParameterInput, purpose: &str) -> Result<bool> {
    let purpose = texts::check(purpose, PURPOSE_MAX).map_err(|problem| Error::field("purpose", problem))?;
    let shelf = basis::shelf_now(services).await?;
    let now = services.clock.now();
    // Before the transaction: nobody else can write while it is open, and the cluster may be slow.
    let volume = volume::check(services, caller, &shelf, id, input).await?;
    let mut write = services.db.begin_write().await.or_domain()?;
    let course = load::fresh(&mut write, id).await?;
    let quota = basis::quota(&mut write, &course, now).await?;
    let listed = basis::listed(&mut write, id).await?;
    let on = basis::of(&shelf, caller, &quota, now);
    let wanted = resized(&listed.lab, basis::offering(&shelf, &listed)?, input, volume.gib, on.book, now)?;
    if wanted.spec == listed.lab.spec {
        return Ok(false);
    }
    if wanted.spec.storage_gib != listed.lab.spec.storage_gib && volume.checked != Some(wanted.spec.storage_gib) {
        return Err(Error::Stale);
    }
    check_state(&listed.lab, now)?;
    let decided = fits(&listed, &wanted, &quota, now).and_then(|()| {
        quota.check_budget(wanted.difference, now)?;
        basis::to_wait_for(caller, &listed.lab, on.ruling(&listed.lab, &wanted.spec, listed.lab.minutes)?)
    });
    let asked = |to: &ChangeTo| matches!(to, ChangeTo::Resize { parameters, .. } if parameters == input);
    // Its own hold may have used up the budget: asked before an error of the decision is told.
    let is_invalid = matches!(decided, Err(Error::Invalid(_)));
    if !matches!(decided, Ok(None)) && basis::waits_already(&mut write, caller, &listed.lab, is_invalid, asked).await? {
        return Ok(true);
    }
    if let Some(ruling) = decided? {
        let minutes = listed.lab.minutes_left(now).max(1);
        let estimate = on.book.estimate(&wanted.spec, minutes, now)?;
        // The additional price is held.
        let total = Money { micros: wanted.difference.micros.max(0), ..wanted.difference };
        let offering = basis::offering(&shelf, &listed)?;
        let to = ChangeTo::Resize { parameters: input.clone(), seen: size_values(offering, &listed.lab.spec) };
        let estimate = Estimate { total, ..estimate };
        let wanted = Wanted { offering, to, spec: wanted.spec, estimate, ruling, purpose: purpose.to_owned() };
        // On the heap: it holds the order several times over.
        let filed = Box::pin(orders::file_change(services, &mut write, caller, &listed, wanted)).await?;
        write.commit().await.or_domain()?;
        filed.tell(services);
        services.hub.tell(News::lab(&listed.lab));
        return Ok(true);
    }
    let news = save(services, &mut write, By::Person(caller), listed, wanted).await?;
    // More time that waits costs what the new size costs, and another size that waits is what is left of it.
    let renewed = Box::pin(orders::renew_change(services, &mut write, caller, id)).await?;
    write.commit().await.or_domain()?;
    services.hub.tell(news);
    if let Some(renewed) = renewed {
        renewed.tell(services);
    }
    Ok(false)
}

fn check_state(lab: &Lab, now: Timestamp) -> Result<()> {
    let state = match lab.state {
        LabState::Running if lab.is_overdue(now) => "ended",
        LabState::Running | LabState::Stopped | LabState::Failed => return Ok(()),
        other => other.as_str(),
    };
    Err(Error::InvalidTransition { state: state.into(), event: LabEvent::Resize.as_str().into() })
}

/// Whether the course's quota takes what it needs in addition. Errors: `OverQuota`.
fn fits(listed: &Listed, wanted: &Resized, quota: &QuotaStatus, now: Timestamp) -> Result<()> {
    let lab = &listed.lab;
    // A stopped lab counts with its volume only; the rest is checked when it starts.
    let more = if lab.state.holds_cards() { wanted.more } else { Amounts { storage_gib: wanted.more.storage_gib, ..Amounts::default() } };
    // Lessons that are to come while it runs have their places.
    let span = Span { from: now, to: lab.ends_at.map_or_else(|| now.plus_minutes(lab.minutes.into()), |end| end.max(now)) };
    quota.during(span, now).check_amounts(&more)
}

/// What a request that waited makes of the lab as it is now: a parameter that others have changed since it was filed is only raised.
/// `seen`: the size that the lab had then. `None` where nothing is left to change.
///
/// Errors: `Invalid` when the offering does not allow it any more, `PriceMissing`.
pub(super) async fn rest(
    connection: &mut AnyConnection,
    shelf: &Shelf,
    listed: &Listed,
    (input, seen): (&ParameterInput, &ParameterInput),
    now: Timestamp,
) -> Result<Option<Resized>> {
    let volume_gib = volume::reported(connection, listed.lab.id).await?;
    let offering = basis::offering(shelf, listed)?;
    let input = still_asked(&listed.lab.spec, offering, input, seen);
    let wanted = resized(&listed.lab, offering, &input, volume_gib, shelf.book(listed.lab.tenant), now)?;
    Ok(Some(wanted).filter(|wanted| wanted.spec != listed.lab.spec))
}

/// Gives what an approved order still changes, at the price of the lab as it is now. The cluster was asked about the volume when it was
/// filed. `sizes`: those asked for, and those that the lab had then; `most`: what the approver saw and the order holds.
///
/// Errors: those of [`rest`]; `Stale` where it costs more than `most`; `OverQuota`, `OverCapacity`, `InvalidTransition`.
pub(super) async fn apply(
    services: &Services,
    write: &mut Write,
    listed: Listed,
    sizes: (&ParameterInput, &ParameterInput),
    most: Money,
) -> Result<()> {
    let now = services.clock.now();
    let shelf = shelf(services, write).await?;
    let quota = basis::quota(write, &listed.lab, now).await?;
    let Some(wanted) = rest(write, &shelf, &listed, sizes, now).await? else { return Ok(()) };
    if wanted.difference.micros.max(0) > most.micros {
        return Err(Error::Stale);
    }
    check_state(&listed.lab, now)?;
    fits(&listed, &wanted, &quota, now)?;
    save(services, write, By::Job("approval"), listed, wanted).await.map(drop)
}

async fn save(services: &Services, write: &mut Write, who: By<'_>, listed: Listed, wanted: Resized) -> Result<News> {
    let Listed { mut lab, held_micros, .. } = listed;
    let now = services.clock.now();
    let earlier = EarlierSize { until: now, spec: std::mem::replace(&mut lab.spec, wanted.spec) };
    if lab.reserved {
        capacity::resize(write, lab.id, &earlier.spec, &lab.spec, now).await?;
    }
    // The record of the change tells both sizes.
    let after = std::mem::replace(&mut lab.spec, earlier.spec.clone());
    match lab.state {
        LabState::Running => {
            transition::take_changed(services, write, &mut lab, LabEvent::Resize, who, |lab| lab.spec = after).await?;
        }
        _ => transition::alter(services, write, &mut lab, "lab.resize", who, |lab| lab.spec = after).await?,
    }
    storage::labs::set_size(write, &lab).await.or_domain()?;
    storage::labs::add_earlier_size(write, lab.id, &earlier).await.or_domain()?;
    storage::labs::set_held(write, lab.order, held_micros.saturating_add(wanted.difference.micros).max(0)).await.or_domain()?;
    Ok(News::lab(&lab))
}
