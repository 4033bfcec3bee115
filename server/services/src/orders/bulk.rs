//! Many decisions at once: each is a decision of its own, with its own answer. What one of them meets does not stop the others.

use std::collections::BTreeMap;

use domain::{
    Error, Problem, Result,
    access::{Action, Resource},
    decisions::{BULK_MAX, BulkRow, BulkSummary},
    delegations::{Absent, lets_read},
    gpu::CardShare,
    ids::OrderId,
    orders::OrderView,
};

use super::{
    approve,
    decide::{Needed, check_text},
    read, reject,
};
use crate::{Caller, Services, delegations, error::OrDomain};

/// An order and the version that was looked at.
pub type Chosen = (OrderId, Option<i64>);
/// Orders' numbers for people.
pub(super) type Numbers = BTreeMap<OrderId, i64>;

/// Approves each as it was asked. Errors: `Invalid` on `orders` (1 to 50 of them); what each one met is in its row.
pub async fn approve_all(services: &Services, caller: &Caller, chosen: &[Chosen]) -> Result<Vec<BulkRow>> {
    let away = check(services, caller, chosen).await?;
    let numbers = numbers(services, caller, &away, chosen).await?;
    approve_each(services, caller, chosen, &numbers).await
}

/// Rejects each with one reason. Errors: as [`approve_all`], and `Invalid` on `reason`.
pub async fn reject_all(services: &Services, caller: &Caller, chosen: &[Chosen], reason: &str) -> Result<Vec<BulkRow>> {
    let away = check(services, caller, chosen).await?;
    check_text("reason", reason, Needed::Yes)?;
    let numbers = numbers(services, caller, &away, chosen).await?;
    reject_each(services, caller, chosen, &numbers, reason).await
}

/// One after the other, however many. `numbers`: of those that the caller may read.
pub(super) async fn approve_each(services: &Services, caller: &Caller, chosen: &[Chosen], numbers: &Numbers) -> Result<Vec<BulkRow>> {
    let mut rows = Vec::with_capacity(chosen.len());
    for (id, seen) in chosen {
        rows.push(row(*id, numbers, approve(services, caller, *id, *seen).await)?);
    }
    Ok(rows)
}

/// The same, with a reason that was checked.
pub(super) async fn reject_each(services: &Services, caller: &Caller, chosen: &[Chosen], numbers: &Numbers, reason: &str) -> Result<Vec<BulkRow>> {
    let mut rows = Vec::with_capacity(chosen.len());
    for (id, seen) in chosen {
        rows.push(row(*id, numbers, reject(services, caller, *id, reason, *seen).await)?);
    }
    Ok(rows)
}

/// The effect of deciding these orders, without deciding them. Those that no longer wait for the caller are left out. One statement.
pub async fn summary(services: &Services, caller: &Caller, ids: &[OrderId]) -> Result<BulkSummary> {
    let actor = &caller.actor;
    let away = delegations::away(services, actor).await?;
    delegations::may_decide_some(actor, &away)?;
    if ids.len() > BULK_MAX as usize {
        return Err(Error::field("orders", Problem::OutOfRange { min: 1, max: BULK_MAX.into() }));
    }
    let mut connection = services.db.read().await.or_domain()?;
    let listed = storage::orders::several(&mut connection, ids).await.or_domain()?;
    let views: Vec<_> =
        listed.into_iter().filter(|each| each.order.tenant == actor.tenant).map(|each| read::view_for(services, actor, &away, each)).collect();
    let views: Vec<_> = views.into_iter().filter(|view| view.may_decide).collect();
    Ok(summed(views))
}

/// The sums of these orders.
pub(super) fn summed(views: Vec<OrderView>) -> BulkSummary {
    let cards = views.iter().fold(CardShare::ZERO, |sum, view| sum.plus(view.order.spec.card_share()));
    let total = views.iter().map(|view| view.order.estimate.total).reduce(domain::money::Money::plus);
    BulkSummary { orders: views, total, cards }
}

/// Whether the caller decides anything at all, and for whom besides. What becomes of each order is in its row.
async fn check(services: &Services, caller: &Caller, chosen: &[Chosen]) -> Result<Vec<Absent>> {
    let away = delegations::away(services, &caller.actor).await?;
    delegations::may_decide_some(&caller.actor, &away)?;
    if (1..=BULK_MAX as usize).contains(&chosen.len()) {
        Ok(away)
    } else {
        Err(Error::field("orders", Problem::OutOfRange { min: 1, max: BULK_MAX.into() }))
    }
}

/// Numbers of those that the caller may read. One statement.
async fn numbers(services: &Services, caller: &Caller, away: &[Absent], chosen: &[Chosen]) -> Result<Numbers> {
    let ids: Vec<_> = chosen.iter().map(|(id, _)| *id).collect();
    let mut connection = services.db.read().await.or_domain()?;
    let listed = storage::orders::several(&mut connection, &ids).await.or_domain()?;
    let readable = listed.into_iter().map(|each| each.order).filter(|order| {
        let resource = Resource::owned(order.tenant, order.course, order.owner);
        caller.actor.can(Action::OrderRead, &resource).is_ok() || lets_read(away, &resource)
    });
    Ok(readable.map(|order| (order.id, order.number)).collect())
}

/// An away database ends it all: those that were decided are found decided by the next try.
pub(super) fn row(order: OrderId, numbers: &Numbers, result: Result<OrderView>) -> Result<BulkRow> {
    let number = numbers.get(&order).copied();
    match result {
        Ok(view) => Ok(BulkRow { order, number, state: Some(view.order.state), starts_at: view.order.starts_at, error: None }),
        Err(error @ Error::Unavailable { .. }) => Err(error),
        Err(error) => Ok(BulkRow { order, number, state: None, starts_at: None, error: Some(error) }),
    }
}
