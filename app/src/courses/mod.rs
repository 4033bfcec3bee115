//! Departments and courses: the tree, and one course with who teaches it, its quota and its budget.

pub mod api;
mod detail;
mod limits;
mod list;
pub mod page;
mod roster;
mod words;
