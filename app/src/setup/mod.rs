//! The first start of an empty installation.

pub mod api;
pub mod page;
