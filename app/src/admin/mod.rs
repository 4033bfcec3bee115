//! What administrators and operators look after: people and courses.

pub mod api;
pub mod courses;
pub mod page;
pub mod people;
pub mod person_form;
