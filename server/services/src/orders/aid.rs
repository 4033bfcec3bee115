//! Decision support (C3): who else waits, and a cheaper equivalent.

use domain::{
    Result,
    capacity::Supply,
    decisions::cheaper,
    orders::{Aid, Order, WAITERS},
};
use storage::AnyConnection;

use crate::{Services, catalogue::shelf, error::OrDomain};

/// One to three statements.
pub(super) async fn load(services: &Services, connection: &mut AnyConnection, order: &Order, supplies: &[Supply]) -> Result<Aid> {
    let now = services.clock.now();
    let card = order.spec.card;
    let shelf = shelf(services, connection).await?;
    let on_sale = shelf.offerings.iter().find(|offering| offering.id == order.offering && offering.version == order.offering_version);
    let offering = match on_sale {
        Some(offering) => Some(offering.clone()),
        None => storage::offerings::find(connection, order.offering, order.offering_version).await.or_domain()?,
    };
    let mut waiters = storage::orders::waiters(connection, order.tenant, card, order, now, WAITERS + 1).await.or_domain()?;
    let more_wait = waiters.len() > WAITERS as usize;
    waiters.truncate(WAITERS as usize);
    // After the decision the order is no question any more.
    // Before the first report of the cluster nothing is known of its cards.
    let there = |card| supplies.is_empty() || supplies.iter().any(|supply| supply.card == card && supply.total > 0);
    let asked = offering.as_ref().filter(|_| order.awaits().is_some() && order.change.is_none());
    let cheaper = asked.and_then(|offering| cheaper(order, offering, shelf.book(order.tenant), there, now));
    // A change of a lab is approved as it was asked for.
    let offering = offering.filter(|_| order.change.is_none());
    Ok(Aid { offering, waiters, more_wait, cheaper })
}
