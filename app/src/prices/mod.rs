//! The price book: what everything costs from when on, and discounts.

pub mod api;
pub mod discounts;
pub mod form;
pub mod page;
pub mod preview;
pub mod table;
