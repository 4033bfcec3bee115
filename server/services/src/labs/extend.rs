//! More time for a lab. What it costs is held in the transaction that gives it; what the policy asks somebody for becomes an order that
//! waits for them, and changes the lab once it is approved.

use domain::{
    Error, Result,
    access::Action,
    approvals::Ruling,
    ids::LabId,
    labs::{Extension, Lab, LabState, LabView, extend::Extended, lifecycle::EXTENSIONS},
    money::Money,
    orders::{ChangeTo, class::Span},
    quotas::{Amounts, QuotaStatus},
    time::Timestamp,
};
use storage::{Write, labs::Listed};

use super::{
    basis, ended, load, read,
    transition::{self, By},
};
use crate::{
    Caller, Services,
    catalogue::Shelf,
    error::OrDomain,
    hub::News,
    orders::{self, Wanted},
};

/// `seen_minutes`: all minutes of the lab as the caller saw them. When they are what this would make of them it was done before (a second
/// click, a lost answer); when they are something else it is `Stale`. Without it a repeated request adds again, except one with an end.
///
/// An end past the daily stop moves that to the day after. A lab whose time is over is stopped first; the added time is for its next start.
///
/// Where somebody must approve it, the lab stays as it is and `pending_change` names the order that was filed; asking the same again files
/// nothing more.
///
/// Errors: `Invalid` on `minutes` or `until`, `OverBudget`, `RefusedByPolicy`, `Stale`; `InvalidTransition` for one that is destroyed;
/// `ChangeWaits` where it would be filed while another change of it waits for approval.
pub async fn extend(services: &Services, caller: &Caller, id: LabId, by: Extension, seen_minutes: Option<u32>) -> Result<LabView> {
    let change_filed = load::changing(services, caller, Action::LabExtend, id, || change(services, caller, id, by, seen_minutes)).await?;
    Ok(LabView { change_filed, ..read::view(services, caller, id).await? })
}

/// The effect of an extension, without extending the lab. Errors: those of [`extend`].
pub async fn extend_preview(services: &Services, caller: &Caller, id: LabId, by: Extension) -> Result<Extended> {
    let now = services.clock.now();
    let shelf = basis::shelf_now(services).await?;
    let mut read = services.db.read().await.or_domain()?;
    let listed = basis::listed(&mut read, id).await?;
    load::authorise(caller, Action::LabExtend, &listed.lab)?;
    let quota = storage::quotas::of_course(&mut read, listed.lab.course, now).await.or_domain()?.ok_or(Error::NotFound)?.status;
    decide(&shelf, caller, &listed, by, &quota, now).map(|(extended, _)| extended)
}

/// Which of the usual extensions would wait for somebody's approval. What would be refused is not among them.
pub(super) fn asks_somebody(shelf: &Shelf, caller: &Caller, listed: &Listed, quota: &QuotaStatus, now: Timestamp) -> Vec<u32> {
    let asks = |minutes: &u32| matches!(decide(shelf, caller, listed, Extension::Minutes(*minutes), quota, now), Ok((_, Some(_))));
    EXTENSIONS.into_iter().filter(asks).collect()
}

/// Whether it waits for approval: it was filed now, or the same was filed before.
async fn change(services: &Services, caller: &Caller, id: LabId, by: Extension, seen_minutes: Option<u32>) -> Result<bool> {
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
        return Ok(false);
    }
    if done_before(&listed, by, seen_minutes)? {
        return Ok(false);
    }
    let decided = decide(&shelf, caller, &listed, by, &quota, now);
    let asked = |to: &ChangeTo| match (to, by) {
        (ChangeTo::Extend { until, .. }, Extension::Until(wanted)) => *until == Some(wanted),
        (ChangeTo::Extend { minutes, until: None, .. }, Extension::Minutes(wanted)) => *minutes == wanted,
        _ => false,
    };
    // Its own hold may have used up the budget: asked before an error of the decision is told.
    let is_invalid = matches!(decided, Err(Error::Invalid(_)));
    if !matches!(decided, Ok((_, None))) && basis::waits_already(&mut write, caller, &listed.lab, is_invalid, asked).await? {
        return Ok(true);
    }
    let (extended, waits_for) = decided?;
    if let Some(ruling) = waits_for {
        let until = match by {
            Extension::Until(until) => Some(until),
            Extension::Minutes(_) => None,
        };
        let estimate = shelf.book(listed.lab.tenant).estimate(&listed.lab.spec, extended.added, now)?;
        let to = ChangeTo::Extend { minutes: extended.added, until, seen: Some(listed.lab.minutes) };
        let offering = basis::offering(&shelf, &listed)?;
        let spec = listed.lab.spec.clone();
        let wanted = Wanted { offering, to, spec, estimate, ruling, purpose: String::new() };
        // On the heap: it holds the order several times over.
        let filed = Box::pin(orders::file_change(services, &mut write, caller, &listed, wanted)).await?;
        write.commit().await.or_domain()?;
        filed.tell(services);
        services.hub.tell(News::lab(&listed.lab));
        return Ok(true);
    }
    let lab = give(services, &mut write, By::Person(caller), listed, &extended, Some(by)).await?;
    // Another size that waits costs more for the added time.
    let renewed = Box::pin(orders::renew_change(services, &mut write, caller, lab.id)).await?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(&lab));
    if let Some(renewed) = renewed {
        renewed.tell(services);
    }
    Ok(false)
}

/// Gives the time and holds what it costs. `by`: what the person asked for, who does not want it stopped before.
async fn give(services: &Services, write: &mut Write, who: By<'_>, listed: Listed, extended: &Extended, by: Option<Extension>) -> Result<Lab> {
    let now = services.clock.now();
    let held = held_after(&listed, extended, now);
    let mut lab = listed.lab;
    let free = lab.lifecycle.grace_from;
    if let Some(from) = free.filter(|from| *from < now) {
        storage::labs::add_free_storage(write, lab.id, from, now).await.or_domain()?;
    }
    let after_lesson = free.is_some() && storage::labs::is_for_lesson(write, lab.order).await.or_domain()?;
    transition::alter(services, write, &mut lab, "lab.extend", who, |lab| {
        lab.minutes = extended.minutes;
        lab.ends_at = extended.ends_at;
        // Kept without charge after its lesson, it is so after its new end. Any other is wanted again, and charged.
        lab.lifecycle.grace_from = extended.ends_at.filter(|_| after_lesson);
        lab.lifecycle.daily_stop_at = by.and_then(|by| daily_stop_past(lab, by)).or(lab.lifecycle.daily_stop_at);
    })
    .await?;
    storage::labs::set_held(write, lab.order, held).await.or_domain()?;
    // The cluster ends its pods at their time by itself, so it has to know the new one.
    transition::want(services, write, lab.id).await?;
    Ok(lab)
}

/// The change that an approved order asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub minutes: u32,
    pub until: Option<Timestamp>,
    /// Minutes that others have given the lab since it was filed.
    pub given: u32,
}

/// What a request that waited still adds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    /// Minutes that are added.
    pub added: u32,
    /// When the lab ends then; `None` for one that has not run yet.
    pub ends_at: Option<Timestamp>,
}

/// What the request adds to the lab as it is now: so many minutes from the end that is planned, or from now when that is over; not beyond
/// `until`. What others have given meanwhile is not given twice: `None` where they gave it all.
///
/// Errors: `InvalidTransition` for a lab that is destroyed, and when `until` is over.
pub(super) fn rest(lab: &Lab, Asked { minutes, until, given }: Asked, now: Timestamp) -> Result<Option<Rest>> {
    check_alive(lab)?;
    let rest = if until.is_none() { minutes.saturating_sub(given) } else { minutes };
    if rest == 0 {
        return Ok(None);
    }
    if until.is_some_and(|until| until <= now) {
        return Err(Error::InvalidTransition { state: "ended".into(), event: "extend".into() });
    }
    let from = lab.counts_from(now);
    let ends_at = until.or_else(|| from.map(|from| from.plus_minutes(rest.into())));
    if lab.ends_at.is_some_and(|end| ends_at.is_some_and(|wanted| wanted <= end)) {
        return Ok(None);
    }
    let added = match (until, from) {
        (Some(until), Some(from)) => rest.min(minutes_between(from, until)),
        _ => rest,
    };
    Ok(Some(Rest { added, ends_at }))
}

/// Gives what an approved order still adds, at the price of the lab as it is now. `most`: what the approver saw and the order holds.
///
/// Errors: those of [`rest`]; `Stale` where it costs more than `most`; `OverQuota` beside lessons that were booked since.
pub(super) async fn apply(services: &Services, write: &mut Write, mut listed: Listed, asked: Asked, most: Money) -> Result<()> {
    let now = services.clock.now();
    let Some(Rest { added, ends_at }) = rest(&listed.lab, asked, now)? else { return Ok(()) };
    let shelf = crate::catalogue::shelf(services, write).await?;
    let cost = shelf.book(listed.lab.tenant).estimate(&listed.lab.spec, added, now)?.total;
    if cost.micros > most.micros {
        return Err(Error::Stale);
    }
    ended::stop_overdue(services, write, &mut listed.lab).await?;
    let quota = basis::quota(write, &listed.lab, now).await?;
    check_lessons(&quota, &listed.lab, ends_at, now)?;
    let extended = Extended { added, minutes: listed.lab.minutes.saturating_add(added), ends_at, cost };
    give(services, write, By::Job("approval"), listed, &extended, asked.until.map(Extension::Until)).await.map(drop)
}

/// Rounded up.
fn minutes_between(from: Timestamp, to: Timestamp) -> u32 {
    u32::try_from((to.seconds_since(from).max(0) + 59) / 60).unwrap_or(u32::MAX)
}

fn check_alive(lab: &Lab) -> Result<()> {
    if matches!(lab.state, LabState::Destroying | LabState::Destroyed) {
        return Err(Error::InvalidTransition { state: lab.state.as_str().into(), event: "extend".into() });
    }
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
        (Extension::Minutes(minutes), Some(seen)) if minutes > 0 && lab.minutes == seen.saturating_add(minutes) => Ok(true),
        (_, Some(seen)) if lab.minutes != seen => Err(Error::Stale),
        _ => Ok(false),
    }
}

/// Whether the lab fits beside the lessons that are booked in its added time: it has its place, what it needs in addition is the time.
/// Errors: `OverQuota`.
fn check_lessons(quota: &QuotaStatus, lab: &Lab, ends_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    let (Some(from), Some(to)) = (lab.counts_from(now), ends_at) else { return Ok(()) };
    let added = Span { from, to };
    if !lab.state.holds_cards() || !quota.booked.iter().any(|booking| booking.span.overlaps(&added)) {
        return Ok(());
    }
    let amounts = Amounts { storage_gib: 0, ..Amounts::running(&lab.spec) };
    let mut others = quota.during(added, now);
    others.used = others.used.minus(amounts);
    others.check_amounts(&amounts)
}

/// Its price, and the ruling that it must wait for.
fn decide(shelf: &Shelf, caller: &Caller, listed: &Listed, by: Extension, quota: &QuotaStatus, now: Timestamp) -> Result<(Extended, Option<Ruling>)> {
    let lab = &listed.lab;
    check_alive(lab)?;
    let on = basis::of(shelf, caller, quota, now);
    let extended = domain::labs::extend::extended(lab, basis::offering(shelf, listed)?.duration, by, on.book, now)?;
    check_lessons(quota, lab, extended.ends_at, now)?;
    quota.check_budget(extended.cost, now)?;
    let waits_for = basis::to_wait_for(caller, lab, on.ruling(lab, &lab.spec, extended.minutes)?)?;
    Ok((extended, waits_for))
}

/// A lab whose time was over has given the rest of its hold back: only the new time is held then.
fn held_after(listed: &Listed, extended: &Extended, now: Timestamp) -> i64 {
    let gave_back = listed.lab.state == LabState::Stopped && listed.lab.is_over(now);
    let before = if gave_back { listed.cost.micros.min(listed.held_micros) } else { listed.held_micros };
    before.saturating_add(extended.cost.micros)
}
