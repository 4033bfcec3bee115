//! Whom an order's change concerns.

use domain::{
    Result,
    ids::UserId,
    notifications::{Notice, Verdict},
    orders::{Order, OrderState},
};
use storage::{
    Write,
    accounts::{roles, users},
};

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

/// Everybody who may decide the stage that waits.
pub(super) async fn approvers(services: &Services, write: &mut Write, order: &Order, notice: &Notice) -> Result<Told> {
    let Some(role) = order.awaits() else { return Ok(Told::default()) };
    let mut users = roles::holders_for_course(write, order.course, role).await.or_domain()?;
    users.retain(|user| *user != order.owner && !order.barred.contains(user));
    notify(services, write, &users, notice).await
}

async fn waiting(write: &mut Write, order: &Order) -> Result<Notice> {
    let owner = users::by_id(write, order.owner).await.or_domain()?.map(|user| user.name).unwrap_or_default();
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
    let notice = waiting(write, before).await?;
    settle(services, write, &notice).await
}

/// A stage was passed: the next approvers hear of it, or after the last one the requester.
pub(super) async fn passed(services: &Services, write: &mut Write, order: &Order) -> Result<Told> {
    if order.state == OrderState::PendingApproval {
        return waits(services, write, order).await;
    }
    owner(services, write, order, &Notice::OrderDecided { order: order.id, number: order.number, verdict: Verdict::Approved }).await
}
