//! One stage after the other: passing the one that waits, and the row that remembers who did what.

use domain::{
    Error, Result,
    decisions::{Change, Decision, Step},
    ids::{DecisionId, LabId, UserId},
    orders::{EXPIRED, Order, OrderEvent, OrderState},
    people::PersonRef,
};
use storage::{Write, script::Script};

use super::{decide::save, grant};
use crate::{Caller, Services, error::OrDomain, labs};

/// Passes the stage that waits. After the last one the cards are set aside and the lab is made, or the order queues (for a lesson to come until its time): two approvals at the
/// same moment meet at the lock of [`grant::Cards`]. Comes after the course's lock.
///
/// `on_behalf_of`: for whom `by` stands in; then neither of them may pass another stage.
///
/// Errors: `InvalidTransition`, `Stale`.
pub(super) async fn pass(
    services: &Services,
    write: &mut Write,
    cards: &mut grant::Cards,
    order: Order,
    by: UserId,
    on_behalf_of: Option<UserId>,
) -> Result<(Order, Option<LabId>)> {
    let last = order.is_last_stage();
    let mut after = order.clone();
    after.stage += 1;
    if !order.ruling.same_person_twice {
        after.barred.insert(by);
        after.barred.extend(on_behalf_of);
    }
    if !last {
        let event = if order.state == OrderState::AwaitingRequester { OrderEvent::Resume } else { OrderEvent::Pass };
        after.state = order.state.after(event)?;
        return Ok((save(write, after).await?, None));
    }
    let now = services.clock.now();
    after.decided_at = Some(now);
    after.decided_by = Some(by);
    if after.is_past(now) {
        // Its lesson is over; the job that cancels it has not come by yet.
        return Err(Error::InvalidTransition { state: EXPIRED.into(), event: OrderEvent::Approve.as_str().into() });
    }
    if let Some(change) = &after.change {
        // The lab is there, and changed at once; what the order held is then held by the lab's own order.
        // On the heap: it holds the lab several times over.
        Box::pin(labs::apply(services, write, change, after.estimate.total)).await?;
        let lab = change.lab;
        after.state = order.state.after(OrderEvent::Approve)?.after(OrderEvent::Fulfil)?;
        return Ok((save(write, after).await?, Some(lab)));
    }
    // What is for a lesson to come waits for its time, and for no cards before.
    let places = if after.is_ahead(now) { None } else { cards.places(write, &after, now).await? };
    after.state = order.state.after(if places.is_some() { OrderEvent::Approve } else { OrderEvent::Queue })?;
    after.queued_at = places.is_none().then(|| after.starts_at.map_or(now, |at| at.max(now)));
    let after = save(write, after).await?;
    let Some(places) = places else { return Ok((after, None)) };
    let namespace = grant::namespace(write, &after).await?;
    let mut script = Script::default();
    let lab = grant::new_lab(services, &mut script, &after, namespace, &places, Some(by));
    grant::write_all(write, script).await?;
    Ok((after, Some(lab)))
}

/// What the caller did.
#[derive(Debug)]
pub(super) struct Done<'t> {
    pub step: Step,
    /// Reason, question or answer.
    pub text: &'t str,
    pub changes: Vec<Change>,
    /// `None` in their own name.
    pub on_behalf_of: Option<PersonRef>,
}

/// Keeps what the caller did. `order`: as it stood before.
pub(super) async fn note(services: &Services, write: &mut Write, caller: &Caller, order: &Order, done: Done<'_>) -> Result<DecisionId> {
    let Done { step, text, changes, on_behalf_of } = done;
    let actor = &caller.actor;
    let requester = matches!(step, Step::Accept | Step::Decline | Step::Answer);
    let by = PersonRef { id: actor.user, login: actor.login.clone(), name: actor.name.clone() };
    let decision = Decision {
        id: DecisionId::from_uuid(services.entropy.uuid()),
        order: order.id,
        stage: order.stage,
        role: order.decider().filter(|_| !requester),
        by: Some(by),
        on_behalf_of,
        at: services.clock.now(),
        step,
        text: text.to_owned(),
        changes,
    };
    storage::decisions::insert(write, &decision).await.or_domain()?;
    Ok(decision.id)
}

/// Keeps that the order was cancelled, by whom and when. `by`: `None` for a job. `order`: as it stood before.
pub(crate) async fn cancelled(services: &Services, write: &mut Write, order: &Order, by: Option<&Caller>) -> Result<()> {
    let by = by.map(|Caller { actor, .. }| PersonRef { id: actor.user, login: actor.login.clone(), name: actor.name.clone() });
    let decision = Decision {
        id: DecisionId::from_uuid(services.entropy.uuid()),
        order: order.id,
        stage: order.stage,
        role: None,
        by,
        on_behalf_of: None,
        at: services.clock.now(),
        step: Step::Cancel,
        text: String::new(),
        changes: Vec::new(),
    };
    storage::decisions::insert(write, &decision).await.or_domain()
}
