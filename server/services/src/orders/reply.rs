//! The requester's own word: yes or no to changes that cost more, and answers (C4).

use domain::{
    Error, Result,
    access::{Action, Resource},
    decisions::Step,
    ids::{LabId, OrderId},
    notifications::Notice,
    orders::{Order, OrderEvent, OrderState, OrderView},
};
use storage::Write;

use super::{
    audited, change,
    decide::{Needed, check_text, load, save},
    grant::Cards,
    leavers, read, stages, tell,
};
use crate::{Caller, Services, audit, error::OrDomain, hub::News, notifications::Told};

/// Agrees to the changes: only now the hold grows, and the approver's stage is passed. Agreeing again is no error.
///
/// Errors: `Forbidden`, `NotFound`, `Stale`, `InvalidTransition`, and `OverQuota` or `OverBudget` when others took it meanwhile.
pub async fn accept(services: &Services, caller: &Caller, id: OrderId, seen_version: Option<i64>) -> Result<OrderView> {
    let order = load(services, caller, id).await?;
    let what = || audited::attempt("order.accept", id, order.as_ref());
    // On the heap: it holds the order several times over.
    audit::recording(services, caller, what, Box::pin(reply(services, caller, order.as_ref(), seen_version, Reply::Yes))).await
}

/// Declines the changes: the order goes back to the stage that it was in. Errors: as [`accept`], and `Invalid` on `text`.
pub async fn decline(services: &Services, caller: &Caller, id: OrderId, text: &str, seen_version: Option<i64>) -> Result<OrderView> {
    let order = load(services, caller, id).await?;
    let what = || audited::attempt("order.decline", id, order.as_ref());
    audit::recording(services, caller, what, async {
        let text = check_text("text", text, Needed::No)?;
        Box::pin(reply(services, caller, order.as_ref(), seen_version, Reply::No(text))).await
    })
    .await
}

#[derive(Clone, Copy)]
enum Reply<'t> {
    Yes,
    No(&'t str),
}

impl Reply<'_> {
    const fn step(self) -> Step {
        match self {
            Self::Yes => Step::Accept,
            Self::No(_) => Step::Decline,
        }
    }
}

/// Whether this person speaks for the requester: nobody but themselves.
pub(super) fn may_reply(caller: &domain::access::Actor, order: &Order) -> Result<()> {
    caller.can(Action::OrderReply, &Resource::owned(order.tenant, order.course, order.owner))
}

async fn reply(services: &Services, caller: &Caller, order: Option<&Order>, seen: Option<i64>, reply: Reply<'_>) -> Result<OrderView> {
    let order = order.ok_or(Error::NotFound)?;
    may_reply(&caller.actor, order)?;
    let mut write = services.db.begin_write().await.or_domain()?;
    storage::quotas::lock(&mut write, order.course).await.or_domain()?;
    let before = storage::orders::find(&mut write, order.id).await.or_domain()?.ok_or(Error::NotFound)?;
    let (lab, told) = if before.state == OrderState::AwaitingRequester {
        if seen.is_some_and(|seen| seen != before.version) {
            return Err(Error::Stale);
        }
        carry_out(services, &mut write, caller, &before, reply).await?
    } else {
        // A second click finds its own answer as the last one.
        let steps = storage::decisions::of_order(&mut write, order.id).await.or_domain()?;
        if !steps.iter().any(|step| step.step == reply.step() && step.by.as_ref().is_some_and(|by| by.id == caller.actor.user)) {
            before.state.after(OrderEvent::Resume)?;
        }
        (None, Told::default())
    };
    let listed = storage::orders::get(&mut write, order.id).await.or_domain()?.ok_or(Error::NotFound)?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::order(&before));
    if let Some(lab) = lab {
        services.hub.tell(News::lab_of(&before, lab));
    }
    told.tell(services);
    Ok(read::view(services, &caller.actor, listed))
}

async fn carry_out(services: &Services, write: &mut Write, caller: &Caller, before: &Order, reply: Reply<'_>) -> Result<(Option<LabId>, Told)> {
    let mut open = before.clone();
    let proposal = open.proposal.take().ok_or(Error::Stale)?;
    let (by, on_behalf_of) = (proposal.by, proposal.on_behalf_of);
    let (after, lab, text) = match reply {
        Reply::Yes => {
            leavers::check(write, before).await?;
            let quota = change::without(services, write, before).await?;
            change::check(&quota, before, &proposal.to, services.clock.now())?;
            let mut changed = proposal.to.applied(open);
            changed.ruling = proposal.ruling;
            let (after, lab) = stages::pass(services, write, &mut Cards::default(), changed, by, on_behalf_of).await?;
            (after, lab, "")
        }
        Reply::No(text) => {
            open.state = before.state.after(OrderEvent::Resume)?;
            (save(write, open).await?, None, text)
        }
    };
    let step = reply.step();
    let done = stages::Done { step, text, changes: Vec::new(), on_behalf_of: None };
    stages::note(services, write, caller, before, done).await?;
    let action = format!("order.{}", step.as_str());
    let entry = audited::entry(&action, &after).before(audited::tracked(before)).after(audited::tracked(&after));
    audit::success(services, write, caller, entry).await?;
    let notice = Notice::ProposalAnswered { order: after.id, number: after.number, version: after.version, agreed: step == Step::Accept };
    let mut told = tell::person(services, write, by, &notice).await?;
    if step == Step::Accept {
        told = told.and(tell::passed(services, write, &after).await?);
    }
    Ok((lab, told))
}
