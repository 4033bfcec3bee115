//! Approving and rejecting (C2, C4, C5). Approval reserves the cards or queues the order, in the transaction that approves.

use domain::{
    Error, Problem, Result,
    access::{Action, Actor, Resource},
    approvals::Outcome,
    capacity::Placement,
    ids::{LabId, OrderId},
    orders::{Order, OrderEvent, OrderState, OrderView},
};
use storage::Write;

use super::{audited, grant, read};
use crate::{Caller, Services, audit, error::OrDomain, hub::News};

/// Longest reason, in characters.
const REASON_MAX: u32 = 500;

/// `seen_version`: the version that the decider looked at; another one is `Stale`. Approving again what the same person approved is no error.
///
/// Errors: `OwnOrder`, `Forbidden`, `NotFound`, `Stale`, `InvalidTransition`.
pub async fn approve(services: &Services, caller: &Caller, id: OrderId, seen_version: Option<i64>) -> Result<OrderView> {
    let order = load(services, caller, id).await?;
    let what = || audited::attempt("order.approve", id, order.as_ref());
    audit::recording(services, caller, what, decide(services, caller, order.as_ref(), seen_version, Verdict::Approve)).await
}

/// Errors: `Invalid` on `reason` (1 to 500 characters), and those of [`approve`].
pub async fn reject(services: &Services, caller: &Caller, id: OrderId, reason: &str, seen_version: Option<i64>) -> Result<OrderView> {
    let order = load(services, caller, id).await?;
    let what = || audited::attempt("order.reject", id, order.as_ref());
    audit::recording(services, caller, what, async {
        let verdict = Verdict::Reject(check_reason(reason)?);
        decide(services, caller, order.as_ref(), seen_version, verdict).await
    })
    .await
}

/// `None` for an order that is not there or another tenant's: those two must look the same everywhere.
pub(super) async fn load(services: &Services, caller: &Caller, id: OrderId) -> Result<Option<Order>> {
    let mut connection = services.db.read().await.or_domain()?;
    Ok(storage::orders::find(&mut connection, id).await.or_domain()?.filter(|order| order.tenant == caller.actor.tenant))
}

fn check_reason(reason: &str) -> Result<&str> {
    let reason = reason.trim();
    match reason.chars().count() {
        0 => Err(Error::field("reason", Problem::Missing)),
        count if count > REASON_MAX as usize => Err(Error::field("reason", Problem::TooLong { max: REASON_MAX })),
        _ => Ok(reason),
    }
}

#[derive(Clone, Copy)]
enum Verdict<'r> {
    Approve,
    Reject(&'r str),
}

/// Whether this person may decide this order: the policy's action, and the role that the rule asked for.
pub(super) fn may_decide(actor: &Actor, order: &Order) -> Result<()> {
    actor.can(Action::OrderDecide, &Resource::owned(order.tenant, order.course, order.owner))?;
    match order.ruling.outcome {
        Outcome::Approval(role) if !actor.roles_in(order.course).contains(&role) => Err(Error::Forbidden),
        Outcome::Approval(_) | Outcome::Automatic => Ok(()),
    }
}

async fn decide(services: &Services, caller: &Caller, order: Option<&Order>, seen: Option<i64>, verdict: Verdict<'_>) -> Result<OrderView> {
    let order = order.ok_or(Error::NotFound)?;
    let (id, course) = (order.id, order.course);
    may_decide(&caller.actor, order)?;

    let mut write = services.db.begin_write().await.or_domain()?;
    storage::quotas::lock(&mut write, course).await.or_domain()?;
    let before = storage::orders::find(&mut write, id).await.or_domain()?.ok_or(Error::NotFound)?;
    let lab = if decided_before(caller, &before, verdict) {
        None
    } else {
        if seen.is_some_and(|seen| seen != before.version) {
            return Err(Error::Stale);
        }
        let (after, lab) = carry_out(services, &mut write, caller, &before, verdict).await?;
        let action = match verdict {
            Verdict::Approve => "order.approve",
            Verdict::Reject(_) => "order.reject",
        };
        let entry = audited::entry(action, &after).before(audited::transition(&before)).after(audited::transition(&after));
        audit::success(services, &mut write, caller, entry).await?;
        lab
    };
    let listed = storage::orders::get(&mut write, id).await.or_domain()?.ok_or(Error::NotFound)?;
    write.commit().await.or_domain()?;

    services.hub.tell(News::Order(before.tenant, id));
    if let Some(lab) = lab {
        services.hub.tell(News::Lab(before.tenant, lab));
    }
    Ok(read::view(&caller.actor, listed))
}

/// The same person decided the same before: a second click, or a retry whose first answer was lost.
fn decided_before(caller: &Caller, order: &Order, verdict: Verdict<'_>) -> bool {
    order.decided_by == Some(caller.actor.user)
        && match verdict {
            Verdict::Approve => matches!(order.state, OrderState::Approved | OrderState::Queued | OrderState::Fulfilled | OrderState::Failed),
            Verdict::Reject(reason) => order.state == OrderState::Rejected && order.reason.as_deref() == Some(reason),
        }
}

async fn carry_out(services: &Services, write: &mut Write, caller: &Caller, before: &Order, verdict: Verdict<'_>) -> Result<(Order, Option<LabId>)> {
    let now = services.clock.now();
    let mut after = before.clone();
    after.decided_at = Some(now);
    after.decided_by = Some(caller.actor.user);
    let mut lab = None;
    match verdict {
        Verdict::Reject(reason) => {
            after.state = before.state.after(OrderEvent::Reject)?;
            after.reason = Some(reason.to_owned());
            after = save(write, after).await?;
        }
        Verdict::Approve => {
            // Before any lock on cards: what is decided already must not wait for them.
            before.state.after(OrderEvent::Approve)?;
            let fits = grant::placement(write, before).await? == Placement::Fits;
            after.state = before.state.after(if fits { OrderEvent::Approve } else { OrderEvent::Queue })?;
            after.queued_at = (!fits).then_some(now);
            after = save(write, after).await?;
            if fits {
                lab = Some(grant::make_lab(services, write, &after, Some(caller.actor.user)).await?);
            }
        }
    }
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
