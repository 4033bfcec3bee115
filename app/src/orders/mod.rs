//! Orders: the form, the list, one order.

pub mod again;
pub mod api;
pub mod class;
pub mod detail;
pub mod form;
pub mod history;
pub mod page;
pub mod words;
