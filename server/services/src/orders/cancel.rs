//! Cancelling: the hold is released; a lab that was already made is destroyed.

use domain::{Result, ids::OrderId, orders::OrderView};

use crate::{Caller, Services};

pub async fn cancel(_services: &Services, _caller: &Caller, _id: OrderId) -> Result<OrderView> {
    todo!()
}

/// Cancels undecided orders whose hold is over; returns how many.
pub async fn expire(_services: &Services) -> Result<u32> {
    todo!()
}
