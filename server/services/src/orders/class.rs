//! Orders that are made together for a class and for lessons (B3). Each is an order like any other afterwards; here they are made, and
//! decided or cancelled all at once, each in its own transaction with its own answer.

use std::collections::BTreeMap;

use domain::{
    Error, Result,
    access::{Action, Resource},
    decisions::{BulkRow, BulkSummary},
    delegations::lets_read,
    ids::{ClassId, OrderId},
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
    bulk, cancel,
    decide::{Needed, check_text},
    read,
};
use crate::{Caller, Services, delegations, error::OrDomain};

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

/// What waits for the caller of a class order. Errors: `Forbidden` for who decides nothing; `NotFound` where none of it is theirs to know.
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

/// What deciding all that waits of a class order would mean. Errors: as [`approve_class`].
pub async fn class_summary(services: &Services, caller: &Caller, class: ClassId) -> Result<BulkSummary> {
    Ok(bulk::summed(waiting(services, caller, class).await?))
}

/// Approves every order of a class order that waits for the caller. What one of them meets is in its row; none is left when all were
/// decided before. Errors: `Forbidden`, `NotFound`.
pub async fn approve_class(services: &Services, caller: &Caller, class: ClassId) -> Result<Vec<BulkRow>> {
    let (chosen, numbers) = chosen(&waiting(services, caller, class).await?);
    bulk::approve_each(services, caller, &chosen, &numbers).await
}

/// Rejects them with one reason. Errors: as [`approve_class`], and `Invalid` on `reason`.
pub async fn reject_class(services: &Services, caller: &Caller, class: ClassId, reason: &str) -> Result<Vec<BulkRow>> {
    let (chosen, numbers) = chosen(&waiting(services, caller, class).await?);
    check_text("reason", reason, Needed::Yes)?;
    bulk::reject_each(services, caller, &chosen, &numbers, reason).await
}

/// As they were just seen.
fn chosen(views: &[OrderView]) -> (Vec<bulk::Chosen>, bulk::Numbers) {
    let orders = || views.iter().map(|view| &view.order);
    (orders().map(|order| (order.id, Some(order.version))).collect(), orders().map(|order| (order.id, order.number)).collect())
}
