//! Labs: the list, and the page of one with its buttons, its time, its history and what it costs.

pub mod actions;
pub mod api;
pub mod autostop;
pub mod changes;
pub mod cluster;
pub mod cost;
pub mod detail;
pub mod extend;
pub mod failures;
pub mod filters;
pub mod history;
pub mod idle;
pub mod list;
pub mod logs;
pub mod open;
pub mod page;
pub mod ports;
pub mod resize;
pub mod share;
pub mod share_texts;
pub mod ssh;
pub mod start;
pub mod terminal;
pub mod time_left;
pub mod visits;
pub mod words;
