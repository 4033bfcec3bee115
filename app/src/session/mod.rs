//! Pages of this feature.

pub mod api;
pub mod page;
