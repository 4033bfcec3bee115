//! The catalogue: what can be ordered, with its price. The order form itself is in `orders/form`.

pub mod api;
pub mod detail;
pub mod filter;
pub mod offering;
pub mod page;
