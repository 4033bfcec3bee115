//! SPDY/3.1, as far as kubectl's port-forward speaks it: pairs of streams inside one WebSocket. No maintained
//! library speaks SPDY any more.

mod frame;
mod headers;
mod session;

pub use self::session::serve;

/// The client does not speak SPDY; the session ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not SPDY: {0}")]
pub struct Malformed(&'static str);
