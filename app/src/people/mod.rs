//! People: who may do what, inviting, and one person's page.

mod access_form;
pub mod api;
mod detail;
mod list;
pub mod page;
pub mod words;
