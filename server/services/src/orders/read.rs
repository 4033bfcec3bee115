//! Reading orders and the inbox.

use domain::{
    Result,
    ids::OrderId,
    orders::{ApprovalView, OrderFilter, OrderView},
    page::{Page, PageRequest},
};

use crate::{Caller, Services};

pub async fn get(_services: &Services, _caller: &Caller, _id: OrderId) -> Result<OrderView> {
    todo!()
}

/// What the caller may read, newest first.
pub async fn list(_services: &Services, _caller: &Caller, _filter: &OrderFilter, _page: &PageRequest) -> Result<Page<OrderView>> {
    todo!()
}

/// What waits for the caller's decision, oldest first. A fixed number of statements.
pub async fn inbox(_services: &Services, _caller: &Caller, _page: &PageRequest) -> Result<Page<ApprovalView>> {
    todo!()
}

/// One order with its what-if, also after the decision.
pub async fn approval(_services: &Services, _caller: &Caller, _id: OrderId) -> Result<ApprovalView> {
    todo!()
}
