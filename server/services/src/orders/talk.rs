//! Questions and answers about an order that waits: it stays as it is meanwhile (C2).

use domain::{
    Error, Result,
    decisions::{Decision, Step},
    ids::{DecisionId, OrderId, UserId},
    notifications::Notice,
    orders::Order,
};
use serde_json::json;
use storage::Write;

use super::{
    audited,
    decide::{Needed, check_text, load},
    name,
    reply::may_reply,
    stages, tell,
};
use crate::{Caller, Services, audit, error::OrDomain, hub::News, notifications::Told};

/// The approver asks the requester. The same question twice in a row is one.
///
/// Errors: `Invalid` on `text` (1 to 500 characters), `OwnOrder`, `Forbidden`, `NotFound`, `InvalidTransition`.
pub async fn ask(services: &Services, caller: &Caller, id: OrderId, text: &str) -> Result<Vec<Decision>> {
    say(services, caller, id, Step::Ask, text).await
}

/// The requester answers whoever asked last. Errors: as [`ask`]; `InvalidTransition` also where nobody asked.
pub async fn answer(services: &Services, caller: &Caller, id: OrderId, text: &str) -> Result<Vec<Decision>> {
    say(services, caller, id, Step::Answer, text).await
}

async fn say(services: &Services, caller: &Caller, id: OrderId, step: Step, text: &str) -> Result<Vec<Decision>> {
    let order = load(services, caller, id).await?;
    let action = format!("order.{}", step.as_str());
    let what = || audited::attempt(&action, id, order.as_ref());
    audit::recording(services, caller, what, async {
        let text = check_text("text", text, Needed::Yes)?;
        let order = order.as_ref().ok_or(Error::NotFound)?;
        if step == Step::Ask { name::before(services, caller, order).await.map(drop) } else { may_reply(&caller.actor, order) }?;
        let mut write = services.db.begin_write().await.or_domain()?;
        storage::quotas::lock(&mut write, order.course).await.or_domain()?;
        let order = storage::orders::find(&mut write, id).await.or_domain()?.ok_or(Error::NotFound)?;
        let steps = storage::decisions::of_order(&mut write, id).await.or_domain()?;
        let talked = steps.iter().rev().find(|each| matches!(each.step, Step::Ask | Step::Answer));
        if talked.is_some_and(|last| last.step == step && last.text == text && of(last) == Some(caller.actor.user)) {
            return Ok(steps);
        }
        let closed = || Error::InvalidTransition { state: order.state.as_str().into(), event: step.as_str().into() };
        if order.awaits().is_none() && order.proposal.is_none() {
            return Err(closed());
        }
        let on_behalf_of = match step {
            Step::Ask => name::of(services, &mut write, caller, &order).await?,
            _ => may_reply(&caller.actor, &order).map(|()| None)?,
        };
        let asker = steps.iter().rev().find(|each| each.step == Step::Ask).and_then(of);
        if step == Step::Answer && asker.is_none() {
            return Err(closed());
        }
        let record = audited::entry(&action, &order).after(audited::signed(json!({ "text": text }), on_behalf_of.as_ref()));
        let done = stages::Done { step, text, changes: Vec::new(), on_behalf_of };
        let said = stages::note(services, &mut write, caller, &order, done).await?;
        audit::success(services, &mut write, caller, record).await?;
        let told = tell_other(services, &mut write, &order, asker, (step, said)).await?;
        let steps = storage::decisions::of_order(&mut write, id).await.or_domain()?;
        write.commit().await.or_domain()?;
        services.hub.tell(News::order(&order));
        told.tell(services);
        Ok(steps)
    })
    .await
}

fn of(decision: &Decision) -> Option<UserId> {
    decision.by.as_ref().map(|by| by.id)
}

async fn tell_other(services: &Services, write: &mut Write, order: &Order, asker: Option<UserId>, said: (Step, DecisionId)) -> Result<Told> {
    let (id, number) = (order.id, order.number);
    match (said, asker) {
        ((Step::Answer, decision), Some(asker)) => tell::person(services, write, asker, &Notice::OrderAnswered { order: id, number, decision }).await,
        ((_, decision), _) => tell::owner(services, write, order, &Notice::OrderAsked { order: id, number, decision }).await,
    }
}
