//! Labs: the list, and the page of one with its buttons, its time, its history and what it costs.

pub mod actions;
pub mod api;
pub mod cluster;
pub mod cost;
pub mod detail;
pub mod history;
pub mod list;
pub mod page;
pub mod time_left;
pub mod words;
