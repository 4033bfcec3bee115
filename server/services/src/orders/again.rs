//! Ordering again from history: the filled form, fitted to the offering of today. Nothing is ordered by it.

use domain::{
    Error, Problem, Result,
    access::{Action, Resource},
    ids::OrderId,
    orders::again::{self, Again},
};

use super::read;
use crate::{Caller, Services, catalogue::shelf, error::OrDomain};

/// Three statements. Errors: `NotFound`; `Forbidden` for who may not order for the course; `Invalid` on `offering` when it is no longer on
/// sale.
pub async fn again(services: &Services, caller: &Caller, id: OrderId) -> Result<Again> {
    let mut connection = services.db.read().await.or_domain()?;
    let listed = read::readable(&mut connection, caller, &[], id).await?;
    let order = &listed.order;
    caller.actor.can(Action::OrderPreview, &Resource::course(order.tenant, order.course))?;
    let shelf = shelf(services, &mut connection).await?;
    let offering = shelf.offering(&caller.actor, &order.offering.to_string()).ok_or_else(|| Error::field("offering", Problem::NoSuch))?;
    Ok(again::again(order, &listed.course, offering, shelf.book(order.tenant), services.clock.now()))
}
