//! Bills: what each course used in a month, line by line down to the lab.

pub mod api;
pub mod lines;
pub mod page;
pub mod words;
