//! Approvals: the inbox, and the page on which one order is decided.

pub mod api;
pub mod decide;
pub mod decision;
pub mod inbox;
pub mod page;
pub mod what_if;
