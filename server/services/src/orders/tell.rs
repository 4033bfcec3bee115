//! Notices about changes of orders.

use domain::{
    Result,
    ids::{OrderId, UserId},
    notifications::{Notice, Verdict},
    orders::{ClassRef, Order, OrderState},
};
use storage::{Write, accounts::users, orders::Standing};

use crate::{
    Services,
    error::OrDomain,
    notifications::{Told, notify, settle},
};

pub(super) async fn person(services: &Services, write: &mut Write, user: UserId, notice: &Notice) -> Result<Told> {
    notify(services, write, &[user].into(), notice).await
}

pub(super) async fn owner(services: &Services, write: &mut Write, order: &Order, notice: &Notice) -> Result<Told> {
    person(services, write, order.owner, notice).await
}

/// Everybody who may decide the stage that waits, and who stands in for one of them. One statement for all of these.
pub(super) async fn approvers(services: &Services, write: &mut Write, order: &Order, notice: &Notice) -> Result<Told> {
    let Some(role) = order.awaits() else { return Ok(Told::default()) };
    let deciders = storage::delegations::deciders_for_course(write, order.course, role, services.clock.now()).await.or_domain()?;
    let another = |user: &UserId| *user != order.owner && !order.barred.contains(user);
    let users = deciders.into_iter().filter(|(user, absent)| another(user) && absent.as_ref().is_none_or(another)).map(|(user, _)| user).collect();
    notify(services, write, &users, notice).await
}

/// What its approvers hear: of orders that were made together the same for all.
async fn waiting(write: &mut Write, order: &Order) -> Result<Notice> {
    let owner = users::by_id(write, order.owner).await.or_domain()?.map(|user| user.name).unwrap_or_default();
    if let (Some(class), Some(role)) = (order.class, order.awaits()) {
        let (first, number) = first(write, order, class).await?;
        return Ok(Notice::ClassWaits { class: class.id, order: first, number, orders: class.orders(), owner, role });
    }
    Ok(Notice::OrderWaits { order: order.id, number: order.number, owner })
}

/// An order waits for its approvers, for the first time or in its next stage.
pub(super) async fn waits(services: &Services, write: &mut Write, order: &Order) -> Result<Told> {
    if order.awaits().is_none() {
        return Ok(Told::default());
    }
    let notice = waiting(write, order).await?;
    approvers(services, write, order, &notice).await
}

/// The stage that waited does not any more: nobody is asked for it. `before`: the order as it waited.
pub(super) async fn settled(services: &Services, write: &mut Write, before: &Order) -> Result<Told> {
    if before.awaits().is_none() {
        return Ok(Told::default());
    }
    // The others that were made together with it may still wait for the same decision.
    if let Some(class) = before.class
        && storage::orders::standing(write, class.id, before.awaits()).await.or_domain()?.is_some_and(|standing| standing.waiting > 0)
    {
        return Ok(Told::default());
    }
    let notice = waiting(write, before).await?;
    settle(services, write, &notice).await
}

/// The order that stands for those that were made together with this one.
async fn first(write: &mut Write, order: &Order, class: ClassRef) -> Result<(OrderId, i64)> {
    let standing = storage::orders::standing(write, class.id, None).await.or_domain()?;
    Ok(standing.map_or((order.id, order.number), |standing| (standing.first, standing.number)))
}

/// Id and number of the order that represents this one and those that were made together with it.
pub(super) async fn standing_for(write: &mut Write, order: &Order) -> Result<(OrderId, i64)> {
    match order.class {
        Some(class) => first(write, order, class).await,
        None => Ok((order.id, order.number)),
    }
}

/// The requester hears of a decision; of those that were made together once the last one is decided.
pub(super) async fn decided(services: &Services, write: &mut Write, order: &Order, verdict: Verdict) -> Result<Told> {
    let Some(class) = order.class else {
        let notice = Notice::OrderDecided { order: order.id, number: order.number, verdict, change: order.change.clone() };
        return owner(services, write, order, &notice).await;
    };
    let Some(standing) = storage::orders::standing(write, class.id, None).await.or_domain()? else { return Ok(Told::default()) };
    if standing.undecided > 0 {
        return Ok(Told::default());
    }
    let Standing { first, number, rejected, .. } = standing;
    let notice = Notice::ClassDecided { class: class.id, order: first, number, orders: class.orders(), rejected };
    owner(services, write, order, &notice).await
}

/// The requester hears that nobody decided in time; of those that were made together once.
pub(super) async fn expired(services: &Services, write: &mut Write, order: &Order) -> Result<Told> {
    let notice = match order.class {
        None => Notice::OrderExpired { order: order.id, number: order.number },
        Some(class) => {
            let (first, number) = first(write, order, class).await?;
            Notice::ClassExpired { class: class.id, order: first, number }
        }
    };
    owner(services, write, order, &notice).await
}

/// The approvers hear that an order is about to expire; of those that were made together once for each time.
pub(super) async fn expires_soon(services: &Services, write: &mut Write, order: &Order) -> Result<Told> {
    let expires_at = order.expires_at;
    let notice = match order.class {
        None => Notice::OrderExpiresSoon { order: order.id, number: order.number, expires_at },
        Some(class) => {
            let (first, number) = first(write, order, class).await?;
            Notice::ClassExpiresSoon { class: class.id, order: first, number, expires_at }
        }
    };
    approvers(services, write, order, &notice).await
}

/// A stage was passed: the next approvers hear of it, or after the last one the requester.
pub(super) async fn passed(services: &Services, write: &mut Write, order: &Order) -> Result<Told> {
    if order.state == OrderState::PendingApproval {
        return waits(services, write, order).await;
    }
    let verdict = match (order.state, order.is_ahead(services.clock.now())) {
        (OrderState::Queued, true) => Verdict::Scheduled,
        (OrderState::Queued, false) => Verdict::Queued,
        _ => Verdict::Approved,
    };
    decided(services, write, order, verdict).await
}
