//! Labs: read, start, stop, destroy. What the cluster does about it is in `jobs`. One verb a file; a new verb goes through `transition`.

mod destroy;
mod ended;
mod load;
mod read;
mod start;
mod stop;
pub(crate) mod transition;

pub use destroy::destroy;
pub use ended::stop_ended;
pub use read::{get, list, manifests};
pub use start::start;
pub use stop::stop;
