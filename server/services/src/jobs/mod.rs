//! Background work, each safe to run twice and to be killed anywhere. The server calls [`run`]; tests call the single steps.

pub mod lease;
pub mod metering;
pub mod outbox;
pub mod reconcile;
pub mod watch;

use crate::Services;

/// Runs every job until `stop` is cancelled by dropping the future: reconcile, watch, queue, meter, seal, expire, sweep.
/// Only the replica that holds the lease works; the others wait for it.
pub async fn run(_services: Services) {
    todo!()
}
