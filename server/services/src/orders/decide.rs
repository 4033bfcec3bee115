//! Approving, approving with changes and rejecting (C2, C4, C5). Each stage is one decision; the last one reserves the cards or queues the
//! order, in its own transaction.

use domain::{
    Error, Problem, Result,
    access::{Action, Actor, Resource},
    decisions::{Change, ChangeForm, Proposal, Step, TEXT_MAX},
    ids::{LabId, OrderId},
    notifications::{Notice, Verdict as Decided},
    orders::{Order, OrderEvent, OrderState, OrderView},
};
use storage::Write;

use super::{audited, change, read, stages, tell};
use crate::{Caller, Services, audit, error::OrDomain, hub::News, notifications::Told};

/// `seen_version`: the version that the decider looked at; another one is `Stale`. Approving again what the same person approved is no error.
///
/// Errors: `OwnOrder`, `Forbidden`, `DecidedBefore`, `NotFound`, `Stale`, `InvalidTransition`.
pub async fn approve(services: &Services, caller: &Caller, id: OrderId, seen_version: Option<i64>) -> Result<OrderView> {
    let order = load(services, caller, id).await?;
    let what = || audited::attempt("order.approve", id, order.as_ref());
    // On the heap: it holds the order several times over.
    audit::recording(services, caller, what, Box::pin(decide(services, caller, order.as_ref(), seen_version, Verdict::Approve))).await
}

/// Approves the order as changed. Where that costs more it waits for the requester's yes; a form that changes nothing approves as asked.
///
/// Errors: `Invalid` per field, `OverQuota`, `OverBudget`, `RefusedByPolicy`, and those of [`approve`].
pub async fn approve_with(
    services: &Services,
    caller: &Caller,
    id: OrderId,
    form: &ChangeForm,
    text: &str,
    seen_version: Option<i64>,
) -> Result<OrderView> {
    let order = load(services, caller, id).await?;
    let what = || audited::attempt("order.approve", id, order.as_ref());
    audit::recording(services, caller, what, async {
        let text = check_text("text", text, Needed::No)?;
        let verdict = if form.is_empty() { Verdict::Approve } else { Verdict::Change(form, text) };
        Box::pin(decide(services, caller, order.as_ref(), seen_version, verdict)).await
    })
    .await
}

/// Errors: `Invalid` on `reason` (1 to 500 characters), and those of [`approve`].
pub async fn reject(services: &Services, caller: &Caller, id: OrderId, reason: &str, seen_version: Option<i64>) -> Result<OrderView> {
    let order = load(services, caller, id).await?;
    let what = || audited::attempt("order.reject", id, order.as_ref());
    audit::recording(services, caller, what, async {
        let verdict = Verdict::Reject(check_text("reason", reason, Needed::Yes)?);
        Box::pin(decide(services, caller, order.as_ref(), seen_version, verdict)).await
    })
    .await
}

/// `None` for an order that is not there or another tenant's: those two must look the same everywhere.
pub(super) async fn load(services: &Services, caller: &Caller, id: OrderId) -> Result<Option<Order>> {
    let mut connection = services.db.read().await.or_domain()?;
    Ok(storage::orders::find(&mut connection, id).await.or_domain()?.filter(|order| order.tenant == caller.actor.tenant))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    Yes,
    No,
}

/// What somebody wrote, trimmed. Errors: `Invalid` on `field`.
pub(super) fn check_text<'t>(field: &str, text: &'t str, needed: Needed) -> Result<&'t str> {
    let text = text.trim();
    match text.chars().count() {
        0 if needed == Needed::Yes => Err(Error::field(field, Problem::Missing)),
        count if count > TEXT_MAX as usize => Err(Error::field(field, Problem::TooLong { max: TEXT_MAX })),
        _ => Ok(text),
    }
}

#[derive(Clone, Copy)]
enum Verdict<'r> {
    Approve,
    Change(&'r ChangeForm, &'r str),
    Reject(&'r str),
}

/// Whether this person may decide the stage that waits: the policy's action, the stage's role, and nobody else's stage before (C5).
pub(super) fn may_decide(actor: &Actor, order: &Order) -> Result<()> {
    actor.can(Action::OrderDecide, &Resource::owned(order.tenant, order.course, order.owner))?;
    match order.awaits() {
        Some(role) if !actor.roles_in(order.course).contains(&role) => Err(Error::Forbidden),
        Some(_) if order.barred.contains(&actor.user) => Err(Error::DecidedBefore),
        // What is decided already says so by its state.
        _ => Ok(()),
    }
}

async fn decide(services: &Services, caller: &Caller, order: Option<&Order>, seen: Option<i64>, verdict: Verdict<'_>) -> Result<OrderView> {
    let order = order.ok_or(Error::NotFound)?;
    let (id, course) = (order.id, order.course);
    // Who passed the stage before may be here again by a second click, which is no error.
    match may_decide(&caller.actor, order) {
        Err(Error::Forbidden | Error::DecidedBefore) if decided_before(caller, order, seen, verdict) => {}
        other => other?,
    }

    let mut write = services.db.begin_write().await.or_domain()?;
    storage::quotas::lock(&mut write, course).await.or_domain()?;
    let before = storage::orders::find(&mut write, id).await.or_domain()?.ok_or(Error::NotFound)?;
    let done = if decided_before(caller, &before, seen, verdict) {
        Done::default()
    } else {
        // Without a version the stage that was read is what was decided on.
        if seen.is_some_and(|seen| seen != before.version) || before.stage != order.stage {
            return Err(Error::Stale);
        }
        may_decide(&caller.actor, &before)?;
        carry_out(services, &mut write, caller, &before, verdict).await?
    };
    let listed = storage::orders::get(&mut write, id).await.or_domain()?.ok_or(Error::NotFound)?;
    write.commit().await.or_domain()?;

    services.hub.tell(News::order(&before));
    if let Some(lab) = done.lab {
        services.hub.tell(News::lab_of(&before, lab));
    }
    done.told.tell(services);
    Ok(read::view(&caller.actor, listed))
}

/// The same person decided the same before: a second click, or a retry whose first answer was lost.
fn decided_before(caller: &Caller, order: &Order, seen: Option<i64>, verdict: Verdict<'_>) -> bool {
    let last = order.decided_by == Some(caller.actor.user);
    match verdict {
        Verdict::Reject(reason) => last && order.state == OrderState::Rejected && order.reason.as_deref() == Some(reason),
        Verdict::Approve | Verdict::Change(..) => {
            let approved = matches!(order.state, OrderState::Approved | OrderState::Queued | OrderState::Fulfilled | OrderState::Failed);
            let proposed = order.proposal.as_ref().is_some_and(|proposal| proposal.by == caller.actor.user);
            // An earlier stage: what they looked at is over, or the stage that waits is not theirs anyway.
            let passed = order.barred.contains(&caller.actor.user)
                && seen.map_or_else(
                    || order.awaits().is_some_and(|role| !caller.actor.roles_in(order.course).contains(&role)),
                    |seen| seen < order.version,
                );
            last && approved || proposed && matches!(verdict, Verdict::Change(..)) || passed
        }
    }
}

/// What a decision led to besides the order's own change.
#[derive(Default)]
struct Done {
    lab: Option<LabId>,
    told: Told,
}

async fn carry_out(services: &Services, write: &mut Write, caller: &Caller, before: &Order, verdict: Verdict<'_>) -> Result<Done> {
    match verdict {
        Verdict::Reject(reason) => {
            let mut after = before.clone();
            after.state = before.state.after(OrderEvent::Reject)?;
            after.decided_at = Some(services.clock.now());
            after.decided_by = Some(caller.actor.user);
            after.reason = Some(reason.to_owned());
            let after = save(write, after).await?;
            stages::note(services, write, caller, before, Step::Reject, reason, Vec::new()).await?;
            let entry = audited::entry("order.reject", &after).before(audited::transition(before)).after(audited::transition(&after));
            audit::success(services, write, caller, entry).await?;
            let notice = Notice::OrderDecided { order: after.id, number: after.number, verdict: Decided::Rejected };
            let told = tell::settled(services, write, before).await?;
            Ok(Done { lab: None, told: told.and(tell::owner(services, write, &after, &notice).await?) })
        }
        Verdict::Approve => {
            // Before any lock on cards: what is decided already must not wait for them.
            waits_for_approver(before)?;
            pass(services, write, caller, before, before.clone(), Passing { step: Step::Approve, text: "", changes: Vec::new() }).await
        }
        Verdict::Change(form, text) => {
            waits_for_approver(before)?;
            let (changes, ruling) = change::work_out(services, write, before, form).await?;
            let list = changes.list(before);
            if list.is_empty() {
                return pass(services, write, caller, before, before.clone(), Passing { step: Step::Approve, text, changes: list }).await;
            }
            if !changes.costs_more(before) {
                let smaller = Order { ruling, ..changes.applied(before.clone()) };
                return pass(services, write, caller, before, smaller, Passing { step: Step::Change, text, changes: list }).await;
            }
            let cost = changes.estimate.total;
            let mut after = before.clone();
            after.state = before.state.after(OrderEvent::Propose)?;
            let (by, at) = (caller.actor.user, services.clock.now());
            after.proposal = Some(Proposal { to: changes, ruling, by, at, text: text.to_owned() });
            let after = save(write, after).await?;
            stages::note(services, write, caller, before, Step::Propose, text, list).await?;
            let entry = audited::entry("order.propose", &after).before(audited::tracked(before)).after(audited::tracked(&after));
            audit::success(services, write, caller, entry).await?;
            let notice = Notice::OrderProposed { order: after.id, number: after.number, version: after.version, cost };
            let told = tell::settled(services, write, before).await?;
            Ok(Done { lab: None, told: told.and(tell::owner(services, write, &after, &notice).await?) })
        }
    }
}

/// While the requester must agree there is nothing to approve.
fn waits_for_approver(order: &Order) -> Result<()> {
    match order.awaits() {
        Some(_) => Ok(()),
        None => Err(Error::InvalidTransition { state: order.state.as_str().into(), event: OrderEvent::Approve.as_str().into() }),
    }
}

/// How a stage is passed.
struct Passing<'t> {
    step: Step,
    text: &'t str,
    changes: Vec<Change>,
}

async fn pass(services: &Services, write: &mut Write, caller: &Caller, before: &Order, changed: Order, how: Passing<'_>) -> Result<Done> {
    let Passing { step, text, changes } = how;
    let (after, lab) = stages::pass(services, write, changed, caller.actor.user).await?;
    stages::note(services, write, caller, before, step, text, changes).await?;
    let entry = match step {
        Step::Change => audited::entry("order.change", &after).before(audited::tracked(before)).after(audited::tracked(&after)),
        _ => audited::entry("order.approve", &after).before(audited::transition(before)).after(audited::transition(&after)),
    };
    audit::success(services, write, caller, entry).await?;
    let mut told = tell::settled(services, write, before).await?.and(tell::passed(services, write, &after).await?);
    if step == Step::Change {
        let notice = Notice::OrderChanged { order: after.id, number: after.number, version: after.version };
        told = told.and(tell::owner(services, write, &after, &notice).await?);
    }
    Ok(Done { lab, told })
}

/// Writes the order and gives it as it now stands. Errors: `Stale`.
pub(super) async fn save(write: &mut Write, mut order: Order) -> Result<Order> {
    if !storage::orders::save(write, &order).await.or_domain()? {
        return Err(Error::Stale);
    }
    order.version += 1;
    Ok(order)
}
