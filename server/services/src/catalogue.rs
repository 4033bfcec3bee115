//! The catalogue: offerings with the price of their defaults, and all that an order form needs.

use domain::{Result, catalogue::OfferingCard, orders::OrderContext};

use crate::{Caller, Services};

pub async fn list(_services: &Services, _caller: &Caller) -> Result<Vec<OfferingCard>> {
    todo!()
}

/// One offering by slug or id. Errors: `NotFound`.
pub async fn get(_services: &Services, _caller: &Caller, _offering: &str) -> Result<OfferingCard> {
    todo!()
}

/// What the order form decides by: offering, the caller's courses with quotas, prices, policy, free cards.
pub async fn context(_services: &Services, _caller: &Caller, _offering: &str) -> Result<OrderContext> {
    todo!()
}
