//! Approving, approving with changes and rejecting (C2, C4, C5). Each stage is one decision; the last one reserves the cards or queues the
//! order, in its own transaction.

use domain::{
    Error, Result,
    decisions::{Change, ChangeForm, Proposal, Step, TEXT_MAX},
    ids::{LabId, OrderId},
    notifications::{Notice, Verdict as Decided},
    orders::{Order, OrderEvent, OrderState, OrderView},
    people::PersonRef,
    texts,
};
use serde_json::Value;
use storage::Write;

use super::{
    audited, change,
    grant::Cards,
    lab_changes::{self, Found},
    leavers, name, read, stages, tell,
};
use crate::{Caller, Services, audit, delegations, error::OrDomain, hub::News, notifications::Told};

/// `seen_version`: the version that the decider looked at; another one is `Stale`. Approving again what the same person approved is no error.
///
/// A change of a lab that costs more than the order says is `Stale` too, and the order then says what it costs.
///
/// Errors: `OwnOrder`, `Forbidden`, `DecidedBefore`, `NotFound`, `Stale`, `InvalidTransition`; `RequesterLeft` if the requester may not
/// order for the course any more; of a change of a lab also `OverBudget`, `OverQuota`, `OverCapacity` and `RefusedByPolicy`.
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
    let checked = if needed == Needed::Yes { texts::check_some(text, TEXT_MAX) } else { texts::check(text, TEXT_MAX) };
    checked.map_err(|problem| Error::field(field, problem))
}

#[derive(Clone, Copy)]
enum Verdict<'r> {
    Approve,
    Change(&'r ChangeForm, &'r str),
    Reject(&'r str),
}

async fn decide(services: &Services, caller: &Caller, order: Option<&Order>, seen: Option<i64>, verdict: Verdict<'_>) -> Result<OrderView> {
    let order = order.ok_or(Error::NotFound)?;
    let (id, course) = (order.id, order.course);
    // A second click of a person who has already passed the stage is no error.
    match name::before(services, caller, order).await {
        Err(Error::Forbidden | Error::DecidedBefore) if decided_before(caller, order, seen, verdict) => {}
        other => _ = other?,
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
        let on_behalf_of = name::of(services, &mut write, caller, &before).await?;
        if !matches!(verdict, Verdict::Reject(_)) {
            leavers::check(&mut write, &before).await?;
        }
        // On the heap: it holds the order several times over.
        Box::pin(carry_out(services, &mut write, &Decider { caller, on_behalf_of }, &before, verdict)).await?
    };
    let listed = storage::orders::get(&mut write, id).await.or_domain()?.ok_or(Error::NotFound)?;
    // Before the commit: afterwards nothing may fail any more.
    let away = delegations::away(services, &caller.actor).await?;
    write.commit().await.or_domain()?;

    services.hub.tell(News::order(&before));
    if let Some(lab) = done.lab {
        services.hub.tell(News::lab_of(&before, lab));
    }
    done.told.tell(services);
    if done.is_stale {
        return Err(Error::Stale);
    }
    Ok(read::view_for(services, &caller.actor, &away, listed))
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

/// Effects of a decision besides the change of the order itself.
#[derive(Default)]
struct Done {
    lab: Option<LabId>,
    told: Told,
    /// It was not decided: the order says something else now than the caller saw.
    is_stale: bool,
}

/// The person who decides, and the absent approver whom they represent.
pub(super) struct Decider<'c> {
    pub caller: &'c Caller,
    pub on_behalf_of: Option<PersonRef>,
}

impl Decider<'_> {
    /// What the record keeps of it.
    fn signed(&self, value: Value) -> Value {
        audited::signed(value, self.on_behalf_of.as_ref())
    }

    fn done<'t>(&self, step: Step, text: &'t str, changes: Vec<Change>) -> stages::Done<'t> {
        stages::Done { step, text, changes, on_behalf_of: self.on_behalf_of.clone() }
    }
}

async fn carry_out(services: &Services, write: &mut Write, decider: &Decider<'_>, before: &Order, verdict: Verdict<'_>) -> Result<Done> {
    let caller = decider.caller;
    match verdict {
        Verdict::Reject(reason) => {
            let after = reject_one(services, write, decider, before, reason).await?;
            let told = tell::settled(services, write, before).await?;
            Ok(Done { told: told.and(tell::decided(services, write, &after, Decided::Rejected).await?), ..Done::default() })
        }
        Verdict::Approve => {
            // Before any lock on cards: what is decided already must not wait for them.
            waits_for_approver(before)?;
            match Box::pin(lab_changes::look_again(services, write, caller, before)).await? {
                Found::AsSeen(order) => {
                    pass(services, write, decider, before, *order, Passing { step: Step::Approve, text: "", changes: Vec::new() }).await
                }
                Found::More(told) => Ok(Done { lab: None, told, is_stale: true }),
            }
        }
        Verdict::Change(form, text) => {
            waits_for_approver(before)?;
            let (changes, ruling) = change::work_out(services, write, before, form).await?;
            let list = changes.list(before);
            if list.is_empty() {
                return pass(services, write, decider, before, before.clone(), Passing { step: Step::Approve, text, changes: list }).await;
            }
            if !changes.costs_more(before) {
                let smaller = Order { ruling, ..changes.applied(before.clone()) };
                return pass(services, write, decider, before, smaller, Passing { step: Step::Change, text, changes: list }).await;
            }
            let cost = changes.estimate.total;
            let mut after = before.clone();
            after.state = before.state.after(OrderEvent::Propose)?;
            let (by, at) = (caller.actor.user, services.clock.now());
            let on_behalf_of = decider.on_behalf_of.as_ref().map(|absent| absent.id);
            after.proposal = Some(Proposal { to: changes, ruling, by, on_behalf_of, at, text: text.to_owned() });
            let after = save(write, after).await?;
            stages::note(services, write, caller, before, decider.done(Step::Propose, text, list)).await?;
            let after_it = decider.signed(audited::tracked(&after));
            let entry = audited::entry("order.propose", &after).before(audited::tracked(before)).after(after_it);
            audit::success(services, write, caller, entry).await?;
            let notice = Notice::OrderProposed { order: after.id, number: after.number, version: after.version, cost };
            let told = tell::settled(services, write, before).await?;
            Ok(Done { told: told.and(tell::owner(services, write, &after, &notice).await?), ..Done::default() })
        }
    }
}

/// Rejects it, without telling anybody. Errors: `InvalidTransition` before anything is written; `Stale`.
pub(super) async fn reject_one(services: &Services, write: &mut Write, decider: &Decider<'_>, before: &Order, reason: &str) -> Result<Order> {
    let caller = decider.caller;
    let mut after = before.clone();
    after.state = before.state.after(OrderEvent::Reject)?;
    after.decided_at = Some(services.clock.now());
    after.decided_by = Some(caller.actor.user);
    after.reason = Some(reason.to_owned());
    let after = save(write, after).await?;
    stages::note(services, write, caller, before, decider.done(Step::Reject, reason, Vec::new())).await?;
    let after_it = decider.signed(audited::transition(&after));
    let entry = audited::entry("order.reject", &after).before(audited::transition(before)).after(after_it);
    audit::success(services, write, caller, entry).await?;
    Ok(after)
}

/// Approves the open stage as it was asked, without telling anybody. Errors: `InvalidTransition` before anything is written; `Stale`.
pub(super) async fn approve_one(
    services: &Services,
    write: &mut Write,
    decider: &Decider<'_>,
    cards: &mut Cards,
    before: &Order,
) -> Result<(Order, Option<LabId>)> {
    waits_for_approver(before)?;
    let how = Passing { step: Step::Approve, text: "", changes: Vec::new() };
    // On the heap: it holds the order several times over.
    Box::pin(pass_one(services, write, decider, cards, before, before.clone(), how)).await
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

async fn pass(services: &Services, write: &mut Write, decider: &Decider<'_>, before: &Order, changed: Order, how: Passing<'_>) -> Result<Done> {
    let step = how.step;
    let (after, lab) = Box::pin(pass_one(services, write, decider, &mut Cards::default(), before, changed, how)).await?;
    let mut told = tell::settled(services, write, before).await?.and(tell::passed(services, write, &after).await?);
    if step == Step::Change {
        let notice = Notice::OrderChanged { order: after.id, number: after.number, version: after.version };
        told = told.and(tell::owner(services, write, &after, &notice).await?);
    }
    Ok(Done { lab, told, is_stale: false })
}

async fn pass_one(
    services: &Services,
    write: &mut Write,
    decider: &Decider<'_>,
    cards: &mut Cards,
    before: &Order,
    changed: Order,
    how: Passing<'_>,
) -> Result<(Order, Option<LabId>)> {
    let (Passing { step, text, changes }, caller) = (how, decider.caller);
    let absent = decider.on_behalf_of.as_ref().map(|absent| absent.id);
    let (after, lab) = stages::pass(services, write, cards, changed, caller.actor.user, absent).await?;
    stages::note(services, write, caller, before, decider.done(step, text, changes)).await?;
    let (action, was, is) = match step {
        Step::Change => ("order.change", audited::tracked(before), audited::tracked(&after)),
        _ => ("order.approve", audited::transition(before), audited::transition(&after)),
    };
    let entry = audited::entry(action, &after).before(was).after(decider.signed(is));
    audit::success(services, write, caller, entry).await?;
    Ok((after, lab))
}

/// Writes the order and gives it as it now stands. Errors: `Stale`.
pub(super) async fn save(write: &mut Write, mut order: Order) -> Result<Order> {
    if !storage::orders::save(write, &order).await.or_domain()? {
        return Err(Error::Stale);
    }
    order.version += 1;
    Ok(order)
}
