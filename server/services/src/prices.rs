//! The price book and its discounts (E4). A change begins where counting has not been yet: what was billed keeps its price.
//! A tenant that changes a price gets a book of its own, a copy of everybody's with all its history.

mod change;
mod preview;

pub use change::{end_discount, grant_discount, may_write as may_change, set_price, withdraw_price};
pub use preview::{preview_discount, preview_price};

use domain::{
    Result,
    access::{Action, Resource},
    pricing::{Books, PriceList},
    time::Timestamp,
};
use storage::AnyConnection;

use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
    jobs::metering,
};

/// Every tenant's book with its discounts. Three statements.
pub(crate) async fn books(connection: &mut AnyConnection) -> Result<Books> {
    let books = storage::prices::books(connection).await.or_domain()?;
    let discounts = storage::prices::discounts(connection).await.or_domain()?;
    Ok(Books::new(books, discounts))
}

/// Prices and discounts of the caller's tenant. Errors: `Forbidden`.
pub async fn list(services: &Services, caller: &Caller) -> Result<PriceList> {
    let entry = || Entry::new(audit::action(Action::PriceRead), "price", "", "");
    audit::recording(services, caller, entry, async { caller.actor.can(Action::PriceRead, &Resource::tenant(caller.actor.tenant)) }).await?;
    let mut read = services.db.read().await.or_domain()?;
    let shelf = crate::catalogue::shelf(services, &mut read).await?;
    let now = services.clock.now();
    let counted_to = metering::counted_to_in(&mut read).await?.unwrap_or(now);
    Ok(PriceList { book: shelf.book(caller.actor.tenant).clone(), now, counted_to })
}

/// Nothing may begin before this instant: counting has been there.
async fn floor(services: &Services, connection: &mut AnyConnection) -> Result<Timestamp> {
    let now = services.clock.now();
    Ok(metering::counted_to_in(connection).await?.map_or(now, |counted| counted.max(now)))
}

#[cfg(test)]
mod tests;
