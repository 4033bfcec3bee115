//! Labs: read, start, stop, destroy. What the cluster does about it is in `jobs`.

mod change;
mod read;

pub use change::{destroy, start, stop, stop_ended};
pub use read::{get, list, manifests};
