//! Lists of people and courses: upload, look at, mend, take over, see what came of each row.

pub mod api;
mod detail;
mod list;
pub mod page;
pub mod words;
