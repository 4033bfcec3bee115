//! More time for a lab. What it costs is held in the transaction that gives it; what the policy would ask approval for is refused.

use domain::{
    Error, Result,
    access::Action,
    ids::LabId,
    labs::{Extension, Lab, LabState, LabView, extend::Extended},
    orders::class::Span,
    quotas::{Amounts, QuotaStatus},
    time::Timestamp,
};
use storage::labs::Listed;

use super::{
    basis, ended, load, read,
    transition::{self, By},
};
use crate::{Caller, Services, catalogue::Shelf, error::OrDomain, hub::News};

/// `seen_minutes`: all minutes of the lab as the caller saw them. When they are what this would make of them it was done before (a second
/// click, a lost answer); when they are something else it is `Stale`. Without it a repeated request adds again, except one with an end.
///
/// An end past the daily stop moves that to the day after. A lab whose time is over stops all the same; its time is for the next start.
///
/// Errors: `Invalid` on `minutes` or `until`, `OverBudget`, `ApprovalNeeded`, `Stale`; `InvalidTransition` for one that is destroyed.
pub async fn extend(services: &Services, caller: &Caller, id: LabId, by: Extension, seen_minutes: Option<u32>) -> Result<LabView> {
    load::changing(services, caller, Action::LabExtend, id, || change(services, caller, id, by, seen_minutes)).await?;
    read::view(services, caller, id).await
}

/// What it would come to. Errors: those of [`extend`].
pub async fn extend_preview(services: &Services, caller: &Caller, id: LabId, by: Extension) -> Result<Extended> {
    let now = services.clock.now();
    let shelf = basis::shelf_now(services).await?;
    let mut read = services.db.read().await.or_domain()?;
    let listed = basis::listed(&mut read, id).await?;
    load::authorise(caller, Action::LabExtend, &listed.lab)?;
    let quota = storage::quotas::of_course(&mut read, listed.lab.course, now).await.or_domain()?.ok_or(Error::NotFound)?.status;
    decide(&shelf, caller, &listed, by, &quota, now)
}

async fn change(services: &Services, caller: &Caller, id: LabId, by: Extension, seen_minutes: Option<u32>) -> Result<()> {
    let shelf = basis::shelf_now(services).await?;
    let now = services.clock.now();
    let mut write = services.db.begin_write().await.or_domain()?;
    let course = load::fresh(&mut write, id).await?;
    let quota = basis::quota(&mut write, &course, now).await?;
    // Again under the course's lock: what it holds is decided on too.
    let mut listed = basis::listed(&mut write, id).await?;
    ended::stop_overdue(services, &mut write, &mut listed.lab).await?;
    if let Some(next) = daily_stop_past(&listed.lab, by)
        && matches!(by, Extension::Until(until) if listed.lab.ends_at.is_some_and(|end| until <= end))
    {
        // It has the time already: only the daily stop was before it.
        let change = |lab: &mut Lab| lab.lifecycle.daily_stop_at = Some(next);
        transition::alter(services, &mut write, &mut listed.lab, "lab.extend", By::Person(caller), change).await?;
        transition::want(services, &mut write, id).await?;
        write.commit().await.or_domain()?;
        services.hub.tell(News::lab(&listed.lab));
        return Ok(());
    }
    if done_before(&listed, by, seen_minutes)? {
        return Ok(());
    }
    let extended = decide(&shelf, caller, &listed, by, &quota, now)?;
    let held = held_after(&listed, &extended, now);
    let mut lab = listed.lab;
    let free = lab.lifecycle.grace_from;
    if let Some(from) = free.filter(|from| *from < now) {
        storage::labs::add_free_storage(&mut write, id, from, now).await.or_domain()?;
    }
    let after_lesson = free.is_some() && storage::labs::is_for_lesson(&mut write, lab.order).await.or_domain()?;
    transition::alter(services, &mut write, &mut lab, "lab.extend", By::Person(caller), |lab| {
        lab.minutes = extended.minutes;
        lab.ends_at = extended.ends_at;
        // Kept without charge after its lesson, it is so after its new end. Any other is wanted again, and charged.
        lab.lifecycle.grace_from = extended.ends_at.filter(|_| after_lesson);
        lab.lifecycle.daily_stop_at = daily_stop_past(lab, by).or(lab.lifecycle.daily_stop_at);
    })
    .await?;
    storage::labs::set_held(&mut write, lab.order, held).await.or_domain()?;
    // The cluster ends its pods at their time by itself, so it has to know the new one.
    transition::want(services, &mut write, id).await?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(&lab));
    Ok(())
}

/// Who asks for a lab until an instant does not want it stopped before: when its daily stop would come first, the next one after that.
fn daily_stop_past(lab: &Lab, by: Extension) -> Option<Timestamp> {
    let Extension::Until(until) = by else { return None };
    let before = lab.lifecycle.daily_stop_at.is_some_and(|at| at < until);
    lab.lifecycle.autostop.daily.filter(|_| before).map(|time| time.next_after(until))
}

fn done_before(listed: &Listed, by: Extension, seen: Option<u32>) -> Result<bool> {
    let lab = &listed.lab;
    match (by, seen) {
        (Extension::Until(until), _) if lab.ends_at == Some(until) => Ok(true),
        (Extension::Minutes(minutes), Some(seen)) if lab.minutes == seen.saturating_add(minutes) => Ok(true),
        (_, Some(seen)) if lab.minutes != seen => Err(Error::Stale),
        _ => Ok(false),
    }
}

/// Whether the lab fits beside the lessons that are booked in its added time. Errors: `OverQuota`.
fn check_later(quota: &QuotaStatus, lab: &Lab, added: Span, now: Timestamp) -> Result<()> {
    if !quota.booked.iter().any(|booking| booking.span.overlaps(&added)) {
        return Ok(());
    }
    let amounts = Amounts { storage_gib: 0, ..Amounts::running(&lab.spec) };
    let mut others = quota.during(added, now);
    others.used = others.used.minus(amounts);
    others.check_amounts(&amounts)
}

fn decide(shelf: &Shelf, caller: &Caller, listed: &Listed, by: Extension, quota: &QuotaStatus, now: Timestamp) -> Result<Extended> {
    let lab = &listed.lab;
    if matches!(lab.state, LabState::Destroying | LabState::Destroyed) {
        return Err(Error::InvalidTransition { state: lab.state.as_str().into(), event: "extend".into() });
    }
    let on = basis::of(shelf, caller, quota, now);
    let extended = domain::labs::extend::extended(lab, basis::offering(shelf, listed)?.duration, by, on.book, now)?;
    // It has its place; what it needs in addition is the time, in which lessons may be booked.
    if let (Some(from), Some(to)) = (lab.counts_from(now), extended.ends_at)
        && lab.state.holds_cards()
    {
        check_later(quota, lab, Span { from, to }, now)?;
    }
    quota.check_budget(extended.cost, now)?;
    basis::check_ruling(caller, lab, on.ruling(lab, &lab.spec, extended.minutes)?)?;
    Ok(extended)
}

/// A lab whose time was over has given the rest of its hold back: only the new time is held then.
fn held_after(listed: &Listed, extended: &Extended, now: Timestamp) -> i64 {
    let gave_back = listed.lab.state == LabState::Stopped && listed.lab.is_over(now);
    let before = if gave_back { listed.cost.micros.min(listed.held_micros) } else { listed.held_micros };
    before.saturating_add(extended.cost.micros)
}
