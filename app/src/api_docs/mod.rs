//! The reader of the API's own description: every operation with its fields, an example, a `curl` line and a form to try it.

pub mod api;
pub mod model;
pub mod page;

mod operation;
mod send;
mod shape;
mod try_it;

#[cfg(any(feature = "ssr", test))]
mod read;
