//! Today: what waits for this person, what runs, and what may still be used.

pub mod api;
pub mod page;
