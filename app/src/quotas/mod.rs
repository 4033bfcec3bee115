//! What each course may use and what is left of it.

pub mod api;
pub mod meters;
