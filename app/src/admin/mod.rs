//! What administrators and operators look after: people, courses, the cluster.

pub mod api;
pub mod cluster;
pub mod courses;
pub mod page;
pub mod people;
pub mod person_form;
