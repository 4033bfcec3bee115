//! The pages of this feature, for the route table.

pub use super::{detail::PersonPage, list::PeoplePage};
