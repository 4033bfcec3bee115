//! What administrators and operators look after: the cluster.

pub mod api;
pub mod cluster;
pub mod page;
