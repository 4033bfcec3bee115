//! The audit browser: search and one record. Only auditors read here, and reading is itself recorded.

pub mod api;
pub mod detail;
pub mod filters;
pub mod page;
pub mod words;
