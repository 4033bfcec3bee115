//! Orders: preview, submit, decide, cancel, read. One verb a file.

mod cancel;
mod decide;
mod preview;
mod queue;
mod read;
mod submit;

pub use cancel::{cancel, expire};
pub use decide::{approve, reject};
pub use preview::preview;
pub use queue::promote;
pub use read::{approval, get, inbox, list};
pub use submit::{IdempotencyKey, submit};
