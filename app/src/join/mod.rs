//! Opening a one-time link: name and password of somebody new, or a new password.

pub mod api;
pub mod page;
