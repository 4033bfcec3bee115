//! The nodes and their cards, for operators: who holds what, what is free, what somebody should look at.

pub mod api;
mod findings;
mod node;
pub mod page;
pub mod words;
