//! Pages of this feature.

pub mod page;
