//! Patches: server-side apply with field ownership, strategic merge, JSON merge and JSON patch.

pub mod fields;
pub mod managed;
mod merge;
pub mod schema;
pub mod server_side;
pub mod strategic;
