//! The audit record, for auditors.

pub mod api;
mod chain;
mod change;
pub mod detail;
pub mod filters;
mod form;
pub mod page;
mod results;
mod saved;
pub mod words;
