//! What helps with one decision (C3): who else waits, when cards come back, and a cheaper way.

use domain::{
    Result,
    capacity::Pool,
    decisions::cheaper,
    orders::{Aid, Order, WAITERS},
    time::Timestamp,
};
use storage::AnyConnection;

use crate::{Services, catalogue::shelf, error::OrDomain};

/// How many planned ends are looked at.
const ENDS: u32 = 200;

/// Two to four statements.
pub(super) async fn load(services: &Services, connection: &mut AnyConnection, order: &Order, pools: &[Pool]) -> Result<Aid> {
    let now = services.clock.now();
    let card = order.spec.card;
    let shelf = shelf(services, connection).await?;
    let on_sale = shelf.offerings.iter().find(|offering| offering.id == order.offering && offering.version == order.offering_version);
    let offering = match on_sale {
        Some(offering) => Some(offering.clone()),
        None => storage::offerings::find(connection, order.offering, order.offering_version).await.or_domain()?,
    };
    let waiters = storage::orders::waiters(connection, order.tenant, card, order.id, now, WAITERS).await.or_domain()?;
    let free = pools.iter().find(|pool| pool.card == card).map_or(0, Pool::free);
    let ends = if free < order.spec.cards() { storage::orders::ends(connection, card, ENDS).await.or_domain()? } else { Vec::new() };
    // After the decision the order is no question any more.
    // Before the first report of the cluster nothing is known of its cards.
    let there = |card| pools.is_empty() || pools.iter().any(|pool| pool.card == card && pool.total > 0);
    let asked = offering.as_ref().filter(|_| order.awaits().is_some());
    let cheaper = asked.and_then(|offering| cheaper(order, offering, shelf.book(order.tenant), there, now));
    Ok(Aid { free_at: free_at(free, order.spec.cards(), &ends, now), offering, waiters, cheaper })
}

/// The first planned end after which enough are free. `None` when they are now, or never are by what is planned.
fn free_at(free: u32, needed: u32, ends: &[(Timestamp, u32)], now: Timestamp) -> Option<Timestamp> {
    if free >= needed {
        return None;
    }
    let mut then = free;
    ends.iter().find_map(|(at, cards)| {
        then = then.saturating_add(*cards);
        // A lab whose time is over is about to stop.
        (then >= needed).then_some((*at).max(now))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_come_back_one_lab_after_the_other() {
        let at = Timestamp::from_seconds;
        let ends = [(at(10), 1), (at(20), 2), (at(30), 4)];
        assert_eq!(free_at(1, 1, &ends, at(15)), None, "they are free now");
        assert_eq!(free_at(0, 1, &ends, at(15)), Some(at(15)), "its time is over");
        assert_eq!(free_at(1, 4, &ends, at(0)), Some(at(20)));
        assert_eq!(free_at(0, 8, &ends, at(0)), None, "never by what is planned");
    }
}
