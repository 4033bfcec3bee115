//! Approving and rejecting (C2, C4, C5). Approval reserves the cards or queues the order, in the transaction that approves.

use domain::{Result, ids::OrderId, orders::OrderView};

use crate::{Caller, Services};

/// `seen_version`: the version that the decider looked at; another one is `Stale`. Approving again what the same person approved is no error.
pub async fn approve(_services: &Services, _caller: &Caller, _id: OrderId, _seen_version: Option<i64>) -> Result<OrderView> {
    todo!()
}

/// Errors: `Invalid` on `reason` (1 to 500 characters).
pub async fn reject(_services: &Services, _caller: &Caller, _id: OrderId, _reason: &str, _seen_version: Option<i64>) -> Result<OrderView> {
    todo!()
}
