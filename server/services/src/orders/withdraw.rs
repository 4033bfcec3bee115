//! The approver takes back changes that the requester has not answered: the order waits for a decision again, as it was asked for (C2).

use domain::{
    Error, Result,
    decisions::Step,
    ids::OrderId,
    notifications::Notice,
    orders::{Order, OrderEvent, OrderState, OrderView},
};
use storage::Write;

use super::{
    audited,
    decide::{Needed, check_text, load, save},
    name, read, stages, tell,
};
use crate::{
    Caller, Services, audit, delegations,
    error::OrDomain,
    hub::News,
    notifications::{Told, settle},
};

/// Who proposed, or whoever else may decide the stage. `text` says why and may be empty. Withdrawing again is no error.
///
/// Errors: `Invalid` on `text`, `OwnOrder`, `Forbidden`, `DecidedBefore`, `NotFound`, `Stale`, `InvalidTransition`.
pub async fn withdraw(services: &Services, caller: &Caller, id: OrderId, text: &str, seen_version: Option<i64>) -> Result<OrderView> {
    let order = load(services, caller, id).await?;
    let what = || audited::attempt("order.withdraw", id, order.as_ref());
    audit::recording(services, caller, what, async {
        let text = check_text("text", text, Needed::No)?;
        // On the heap: it holds the order several times over.
        Box::pin(once(services, caller, order.as_ref(), text, seen_version)).await
    })
    .await
}

async fn once(services: &Services, caller: &Caller, order: Option<&Order>, text: &str, seen: Option<i64>) -> Result<OrderView> {
    let order = order.ok_or(Error::NotFound)?;
    name::before(services, caller, order).await?;
    let mut write = services.db.begin_write().await.or_domain()?;
    storage::quotas::lock(&mut write, order.course).await.or_domain()?;
    let before = storage::orders::find(&mut write, order.id).await.or_domain()?.ok_or(Error::NotFound)?;
    let told = if before.state == OrderState::AwaitingRequester {
        if seen.is_some_and(|seen| seen != before.version) {
            return Err(Error::Stale);
        }
        carry_out(services, &mut write, caller, &before, text).await?
    } else {
        // A second click finds its own step as the last one.
        let steps = storage::decisions::of_order(&mut write, order.id).await.or_domain()?;
        let own = |step: &&domain::decisions::Decision| step.by.as_ref().is_some_and(|by| by.id == caller.actor.user);
        if before.state != OrderState::PendingApproval || steps.last().filter(own).is_none_or(|last| last.step != Step::Withdraw) {
            return Err(Error::InvalidTransition { state: before.state.as_str().into(), event: Step::Withdraw.as_str().into() });
        }
        Told::default()
    };
    let listed = storage::orders::get(&mut write, order.id).await.or_domain()?.ok_or(Error::NotFound)?;
    // Before the commit: afterwards nothing may fail any more.
    let away = delegations::away(services, &caller.actor).await?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::order(&before));
    told.tell(services);
    Ok(read::view_for(services, &caller.actor, &away, listed))
}

async fn carry_out(services: &Services, write: &mut Write, caller: &Caller, before: &Order, text: &str) -> Result<Told> {
    let on_behalf_of = name::of(services, write, caller, before).await?;
    let mut open = before.clone();
    let proposal = open.proposal.take().ok_or(Error::Stale)?;
    // The requester's no does the same; what was held stays as it was.
    open.state = before.state.after(OrderEvent::Resume)?;
    let after = save(write, open).await?;
    let record = audited::signed(audited::tracked(&after), on_behalf_of.as_ref());
    let done = stages::Done { step: Step::Withdraw, text, changes: Vec::new(), on_behalf_of };
    stages::note(services, write, caller, before, done).await?;
    let entry = audited::entry("order.withdraw", &after).before(audited::tracked(before)).after(record);
    audit::success(services, write, caller, entry).await?;
    let (order, number) = (after.id, after.number);
    let asked = Notice::OrderProposed { order, number, version: before.version, cost: proposal.to.estimate.total };
    let told = settle(services, write, &asked).await?;
    let notice = Notice::ProposalWithdrawn { order, number, version: after.version };
    Ok(told.and(tell::owner(services, write, &after, &notice).await?))
}
