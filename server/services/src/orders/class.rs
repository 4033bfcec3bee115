//! Orders that are made together for a class and for lessons (B3). Each is an order like any other afterwards; here they are made, decided
//! all at once in one transaction, or cancelled one after the other.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Error, Result,
    access::{Action, Resource},
    decisions::{BulkRow, BulkSummary},
    delegations::{Absent, in_whose_name, lets_read},
    ids::{ClassId, OrderId},
    notifications::Verdict,
    orders::{
        ClassRef, Order, OrderEvent, OrderView, Run,
        class::{ORDERS_MAX, Plan},
    },
};
use storage::{
    Write,
    orders::{Listed, Query, Visible},
};

use super::{
    audited, bulk, cancel,
    decide::{Decider, Needed, approve_one, check_text, reject_one},
    grant::{Cards, gone as conflict},
    leavers, read, tell,
};
use crate::{Caller, Services, audit, delegations, error::OrDomain, hub::News, notifications::Told};

/// The orders of a plan, lesson by lesson and seat by seat. `first`: the first of them, as one lab at once would be ordered; the others
/// follow it in number. One statement where students have names, else none.
pub(super) async fn orders(services: &Services, write: &mut Write, first: Order, plan: &Plan, runs: &[Run]) -> Result<Vec<Order>> {
    let names = if plan.by_roster { storage::rosters::of_course(write, first.course).await.or_domain()? } else { Vec::new() };
    let id = (plan.orders() > 1).then(|| ClassId::from_uuid(services.entropy.uuid()));
    let mut orders: Vec<Order> = Vec::new();
    for (lesson, run) in (1..).zip(runs) {
        for seat in 1..=plan.seats {
            let made = i64::try_from(orders.len()).unwrap_or(i64::MAX);
            let mut order = Order { number: first.number + made, ..first.clone() };
            if made > 0 {
                order.id = OrderId::from_uuid(services.entropy.uuid());
            }
            order.starts_at = run.starts_at;
            order.estimate = run.estimate.clone();
            order.minutes = run.estimate.minutes;
            // Nobody needs to decide on a lesson that is over.
            order.expires_at = order.ends_at().map_or(order.expires_at, |end| end.min(order.expires_at));
            order.seat = match names.get(seat as usize - 1) {
                Some(student) => Some(student.seat()),
                None if plan.seats > 1 => Some(format!("{seat}/{}", plan.seats)),
                None => None,
            };
            order.class = id.map(|id| ClassRef { id, seats: plan.seats, lessons: plan.lessons(), lesson });
            orders.push(order);
        }
    }
    Ok(orders)
}

/// All of a class order, the first one first. Errors: `NotFound` when the college has none of that id.
async fn all(services: &Services, caller: &Caller, class: ClassId) -> Result<Vec<Listed>> {
    let query = Query {
        tenant: caller.actor.tenant,
        visible: Visible::All,
        owner: None,
        state: None,
        course: None,
        class: Some(class),
        after: None,
        limit: ORDERS_MAX,
    };
    let mut connection = services.db.read().await.or_domain()?;
    let mut orders = storage::orders::list(&mut connection, &query).await.or_domain()?;
    orders.reverse();
    if orders.is_empty() { Err(Error::NotFound) } else { Ok(orders) }
}

/// Cancels every order of a class order that has not run; those that have stay as they are. Doing it again is no error.
///
/// Errors: `NotFound`; `Forbidden` for who may cancel none of them.
pub async fn cancel_class(services: &Services, caller: &Caller, class: ClassId) -> Result<Vec<BulkRow>> {
    let orders = all(services, caller, class).await?;
    let allowed = |order: &Order| caller.actor.can(Action::OrderCancel, &Resource::owned(order.tenant, order.course, order.owner)).is_ok();
    if let (Some(first), None) = (orders.first(), orders.iter().find(|each| allowed(&each.order))) {
        // Refused, and the record says so.
        cancel(services, caller, first.order.id).await?;
    }
    let numbers: BTreeMap<_, _> = orders.iter().map(|each| (each.order.id, each.order.number)).collect();
    let mut rows = Vec::new();
    for Listed { order, .. } in orders.iter().filter(|each| allowed(&each.order) && each.order.state.after(OrderEvent::Cancel).is_ok()) {
        rows.push(bulk::row(order.id, &numbers, cancel(services, caller, order.id).await)?);
    }
    Ok(rows)
}

/// The orders of a class that wait for the caller. Errors: `Forbidden` if they decide nothing; `NotFound` if they may know of none of them.
async fn waiting(services: &Services, caller: &Caller, class: ClassId) -> Result<Vec<OrderView>> {
    let away = delegations::away(services, &caller.actor).await?;
    delegations::may_decide_some(&caller.actor, &away)?;
    let listed = {
        let mut connection = services.db.read().await.or_domain()?;
        storage::orders::class_inbox(&mut connection, &read::decider(&caller.actor, &away), class).await.or_domain()?
    };
    let views = listed.into_iter().map(|each| read::view_for(services, &caller.actor, &away, each));
    let views: Vec<_> = views.filter(|view| view.may_decide).collect();
    if views.is_empty() {
        let known = |order: &Order| {
            let resource = Resource::owned(order.tenant, order.course, order.owner);
            matches!(caller.actor.can(Action::OrderDecide, &resource), Ok(()) | Err(Error::OwnOrder)) || lets_read(&away, &resource)
        };
        all(services, caller, class).await?.iter().find(|each| known(&each.order)).ok_or(Error::NotFound)?;
    }
    Ok(views)
}

/// The effect of deciding all orders of a class that wait. Errors: as [`approve_class`].
pub async fn class_summary(services: &Services, caller: &Caller, class: ClassId) -> Result<BulkSummary> {
    Ok(bulk::summed(waiting(services, caller, class).await?))
}

/// Approves every order of a class order that waits for the caller, in one transaction: all of it is done, or nothing. What was decided
/// before, and what is for a lesson that is over, is left out or says so in its row; none is left when all were decided before.
///
/// Errors: `Forbidden`, `NotFound`, `RequesterLeft`.
pub async fn approve_class(services: &Services, caller: &Caller, class: ClassId) -> Result<Vec<BulkRow>> {
    decide_class(services, caller, class, Ruled::Approve).await
}

/// Rejects them with one reason. Errors: as [`approve_class`], and `Invalid` on `reason`.
pub async fn reject_class(services: &Services, caller: &Caller, class: ClassId, reason: &str) -> Result<Vec<BulkRow>> {
    decide_class(services, caller, class, Ruled::Reject(reason)).await
}

#[derive(Debug, Clone, Copy)]
enum Ruled<'r> {
    Approve,
    Reject(&'r str),
}

/// Tries of a decision that meets another one on the same cards.
const TRIES: u32 = 3;

async fn decide_class(services: &Services, caller: &Caller, class: ClassId, ruled: Ruled<'_>) -> Result<Vec<BulkRow>> {
    let waiting = waiting(services, caller, class).await?;
    let (action, ruled) = match ruled {
        Ruled::Approve => ("order.approve", ruled),
        Ruled::Reject(reason) => ("order.reject", Ruled::Reject(check_text("reason", reason, Needed::Yes)?)),
    };
    let Some(first) = waiting.into_iter().next().map(|view| view.order) else { return Ok(Vec::new()) };
    audit::recording(services, caller, || audited::attempt(action, first.id, Some(&first)), async {
        for _ in 1..TRIES {
            match Box::pin(decide_together(services, caller, &first, class, ruled)).await {
                // Others took the cards in this moment: nothing is written, and the next try finds what is so now.
                Err(error) if error == conflict() => {}
                other => return other,
            }
        }
        Box::pin(decide_together(services, caller, &first, class, ruled)).await
    })
    .await
}

async fn decide_together(services: &Services, caller: &Caller, first: &Order, class: ClassId, ruled: Ruled<'_>) -> Result<Vec<BulkRow>> {
    let now = services.clock.now();
    let mut write = services.db.begin_write().await.or_domain()?;
    storage::quotas::lock(&mut write, first.course).await.or_domain()?;
    let away = delegations::away_exactly(services, &mut write, &caller.actor).await?;
    let orders = storage::orders::class_inbox(&mut write, &read::decider(&caller.actor, &away), class).await.or_domain()?;
    let orders: Vec<Order> = orders.into_iter().map(|listed| listed.order).collect();
    let mut cards = Cards::default();
    if matches!(ruled, Ruled::Approve) {
        // All have one requester.
        leavers::check(&mut write, first).await?;
        let kinds = orders.iter().filter(|order| order.is_last_stage() && !order.is_ahead(now)).map(|order| order.spec.card).collect();
        cards = Cards::open(&mut write, kinds, now).await?;
    }
    let (mut rows, mut changed, mut labs) = (Vec::new(), Vec::new(), Vec::new());
    for before in orders {
        let done = match in_whose_name(&caller.actor, &away, &before) {
            Ok(absent) => {
                let decider = Decider { caller, on_behalf_of: absent.map(Absent::person) };
                match ruled {
                    Ruled::Approve => approve_one(services, &mut write, &decider, &mut cards, &before).await,
                    Ruled::Reject(reason) => reject_one(services, &mut write, &decider, &before, reason).await.map(|after| (after, None)),
                }
            }
            Err(error) => Err(error),
        };
        let (state, starts_at, error) = match done {
            Ok((after, lab)) => {
                labs.extend(lab);
                let (state, starts_at) = (after.state, after.starts_at);
                changed.push((before.clone(), after));
                (Some(state), starts_at, None)
            }
            // It wrote nothing.
            Err(error @ (Error::InvalidTransition { .. } | Error::Forbidden | Error::DecidedBefore | Error::OwnOrder | Error::NotFound)) => {
                (None, None, Some(error))
            }
            Err(error) => return Err(error),
        };
        rows.push(BulkRow { order: before.id, number: Some(before.number), state, starts_at, error });
    }
    let told = tell_of_all(services, &mut write, &changed, ruled).await?;
    write.commit().await.or_domain()?;
    for (before, _) in &changed {
        services.hub.tell(News::order(before));
    }
    for lab in labs {
        services.hub.tell(News::lab_of(first, lab));
    }
    told.tell(services);
    Ok(rows)
}

/// Once for all: who was asked is asked no more, who decides next is asked, the requester hears how it ended.
async fn tell_of_all(services: &Services, write: &mut Write, decided: &[(Order, Order)], ruled: Ruled<'_>) -> Result<Told> {
    let mut told = Told::default();
    let mut stages = BTreeSet::new();
    for (before, after) in decided {
        if !stages.insert((before.awaits(), after.awaits())) {
            continue;
        }
        told = told.and(tell::settled(services, write, before).await?);
        told = told.and(match ruled {
            Ruled::Approve => tell::passed(services, write, after).await?,
            Ruled::Reject(_) => tell::decided(services, write, after, Verdict::Rejected).await?,
        });
    }
    Ok(told)
}
