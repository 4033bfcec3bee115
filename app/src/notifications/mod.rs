//! What Lectern tells this person about: the bell in the bar, and a page of all.

pub mod api;
pub mod bell;
pub mod page;
pub mod words;
