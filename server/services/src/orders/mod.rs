//! Orders: preview, submit, decide, cancel, read. One verb a file; `basis` loads what they decide on, `grant` hands out cards.

mod again;
mod audited;
mod basis;
mod cancel;
mod decide;
mod grant;
mod preview;
mod queue;
mod read;
mod submit;

pub use again::again;
pub use cancel::{cancel, expire};
pub use decide::{approve, reject};
pub use preview::preview;
pub use queue::promote;
pub use read::{approval, get, inbox, list};
pub use submit::{IdempotencyKey, submit};

#[cfg(test)]
mod tests;
