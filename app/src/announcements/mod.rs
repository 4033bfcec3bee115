//! Announcements: the banner on every page, and the page where they are made.

pub mod api;
pub mod banner;
pub mod page;
