//! Labs: read, start, stop, restart, extend, resize, keep, destroy. What the cluster does about it is in `jobs`, what the clock does in
//! `ended`, `idle` and `kept`. One verb a file; a new verb goes through `transition`.

mod approved;
mod autostop;
mod basis;
mod destroy;
pub(crate) mod ended;
mod extend;
pub(crate) mod idle;
mod keep;
mod kept;
mod late;
mod load;
mod logs;
pub(crate) mod notices;
mod ports;
mod read;
mod resize;
mod restart;
mod retry;
mod start;
pub(crate) mod starts;
mod stop;
pub mod terminal;
pub(crate) mod transition;
mod volume;
mod warn;

pub(crate) use approved::{Worth, apply, worth};
pub use autostop::set_autostop;
pub use destroy::destroy;
pub use ended::{stop_daily, stop_ended};
pub use extend::{extend, extend_preview};
pub use idle::{IdleRound, keep_running, stop_idle};
pub use keep::keep;
pub use kept::{destroy_kept, warn_kept};
pub use late::warn_late;
pub use logs::{Log, LogAsk, logs};
pub use ports::ports;
pub use read::{get, list, manifests};
pub use resize::{resize, resize_context};
pub use restart::restart;
pub use retry::retry;
pub use start::start;
pub use stop::stop;
pub use warn::warn_ending;
