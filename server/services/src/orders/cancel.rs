//! Cancelling: the hold is released; a lab that was already made is destroyed.

use domain::{
    Error, Result,
    access::{Action, Resource},
    audit::Outcome,
    decisions::{Decision, Step},
    ids::{DecisionId, LabId, OrderId},
    labs::LabEvent,
    orders::{EXPIRED, LAB_GONE, Order, OrderEvent, OrderState, OrderView},
};
use storage::Write;

use super::{
    audited,
    decide::{load, save},
    read, stages, tell,
};
use crate::{
    Caller, Services, audit,
    error::OrDomain,
    hub::News,
    jobs::lease,
    labs::transition::{self, By},
};

/// How many orders one call of [`expire`] looks at; the job comes again.
const BATCH: u32 = 100;
/// Tries of a cancellation that meets a report of the cluster.
const TRIES: u32 = 3;

/// Cancelling again what is cancelled is no error. Errors: `NotFound`, `Forbidden`, `InvalidTransition` once the lab has run.
pub async fn cancel(services: &Services, caller: &Caller, id: OrderId) -> Result<OrderView> {
    let order = load(services, caller, id).await?;
    let what = || audited::attempt(Action::OrderCancel.code(), id, order.as_ref());
    audit::recording(services, caller, what, async {
        let order = order.as_ref().ok_or(Error::NotFound)?;
        caller.actor.can(Action::OrderCancel, &Resource::owned(order.tenant, order.course, order.owner))?;
        for _ in 1..TRIES {
            match Box::pin(cancel_once(services, caller, order)).await {
                // A concurrent report of the cluster is no reason to refuse a cancellation.
                Err(Error::Stale) => {}
                other => return other,
            }
        }
        Box::pin(cancel_once(services, caller, order)).await
    })
    .await
}

async fn cancel_once(services: &Services, caller: &Caller, order: &Order) -> Result<OrderView> {
    let mut write = services.db.begin_write().await.or_domain()?;
    storage::quotas::lock(&mut write, order.course).await.or_domain()?;
    let before = storage::orders::get(&mut write, order.id).await.or_domain()?.ok_or(Error::NotFound)?;
    if before.order.state == OrderState::Cancelled {
        return Ok(read::view(services, &caller.actor, before));
    }
    let mut after = before.order.clone();
    after.state = after.state.after(OrderEvent::Cancel)?;
    after.proposal = None;
    let after = save(&mut write, after).await?;
    for lab in &before.labs {
        destroy(services, &mut write, caller, *lab).await?;
    }
    stages::cancelled(services, &mut write, &before.order, Some(caller)).await?;
    let entry = audited::entry("order.cancel", &after).before(audited::transition(&before.order)).after(audited::transition(&after));
    audit::success(services, &mut write, caller, entry).await?;
    let listed = storage::orders::get(&mut write, order.id).await.or_domain()?.ok_or(Error::NotFound)?;
    let told = tell::settled(services, &mut write, &before.order).await?;
    write.commit().await.or_domain()?;
    told.tell(services);

    services.hub.tell(News::order(&after));
    for lab in &before.labs {
        services.hub.tell(News::lab_of(&after, *lab));
    }
    Ok(read::view(services, &caller.actor, listed))
}

/// The order's lab goes with it. Its cards come back when the cluster has nothing left of it.
async fn destroy(services: &Services, write: &mut Write, caller: &Caller, id: LabId) -> Result<()> {
    let Some(mut lab) = storage::labs::get(write, id).await.or_domain()? else { return Ok(()) };
    if !lab.state.allows(LabEvent::Destroy) {
        return Ok(());
    }
    transition::take(services, write, &mut lab, LabEvent::Destroy, By::Person(caller)).await?;
    storage::labs::set_queued_at(write, id, None).await.or_domain()
}

/// Cancels undecided orders whose hold is over, those that still wait for cards when their lesson is, and those that are to change a lab
/// that is gone; returns how many.
pub async fn expire(services: &Services) -> Result<u32> {
    let orders = {
        let mut connection = services.db.read().await.or_domain()?;
        storage::orders::expired(&mut connection, services.clock.now(), BATCH).await.or_domain()?
    };
    let mut done = 0;
    for order in orders {
        done += u32::from(cancel_undecided(services, order, Cause::Expired).await?);
    }
    let pointless = {
        let mut connection = services.db.read().await.or_domain()?;
        storage::orders::changes_of_gone_labs(&mut connection, BATCH).await.or_domain()?
    };
    for order in pointless {
        done += u32::from(cancel_undecided(services, order, Cause::LabGone).await?);
    }
    Ok(done)
}

/// Why a job cancels an undecided order.
#[derive(Debug, Clone, Copy)]
enum Cause {
    /// Its hold, or its lesson, is over.
    Expired,
    /// The lab that it is to change is gone.
    LabGone,
}

/// Cancels an undecided order in the job's name. `false` if a person decided or cancelled it meanwhile.
async fn cancel_undecided(services: &Services, before: Order, cause: Cause) -> Result<bool> {
    let (action, reason) = match cause {
        Cause::Expired => ("order.expire", EXPIRED),
        Cause::LabGone => ("order.cancel", LAB_GONE),
    };
    let mut after = before.clone();
    after.state = before.state.after(OrderEvent::Cancel)?;
    after.reason = Some(reason.to_owned());
    after.proposal = None;
    let mut write = lease::begin_write(services).await?;
    storage::quotas::lock(&mut write, before.course).await.or_domain()?;
    let after = match save(&mut write, after).await {
        Ok(after) => after,
        Err(Error::Stale) => return Ok(false),
        Err(other) => return Err(other),
    };
    let mut told = tell::settled(services, &mut write, &before).await?;
    match cause {
        Cause::Expired => {
            storage::decisions::insert(&mut write, &expiry(services, &before)).await.or_domain()?;
            told = told.and(tell::expired(services, &mut write, &after).await?);
        }
        Cause::LabGone => stages::cancelled(services, &mut write, &before, None).await?,
    }
    let entry = audited::entry(action, &after).before(audited::transition(&before)).after(audited::transition(&after));
    audit::by_job(services, &mut write, "expire-orders", after.tenant, entry, Outcome::Success).await?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::order(&after));
    told.tell(services);
    Ok(true)
}

/// The step of an order that nobody decided in time.
fn expiry(services: &Services, before: &Order) -> Decision {
    Decision {
        id: DecisionId::from_uuid(services.entropy.uuid()),
        order: before.id,
        stage: before.stage,
        // The role that did not decide; the requester's consent has none.
        role: before.awaits(),
        by: None,
        on_behalf_of: None,
        at: services.clock.now(),
        step: Step::Expire,
        text: String::new(),
        changes: Vec::new(),
    }
}
