//! The pages of this feature, for the route table.

pub use super::{courses::CoursesPage, people::PeoplePage};
pub use crate::nodes::page::ClusterPage;
