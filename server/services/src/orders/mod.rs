//! Orders: preview, submit, decide, reply, talk, cancel, read. One verb a file; `basis` loads what they decide on, `stages` passes them on,
//! `grant` hands out cards, `tell` knows whom a change concerns.

mod again;
mod aid;
mod audited;
mod basis;
mod bulk;
mod cancel;
mod change;
mod decide;
mod grant;
mod preview;
mod queue;
mod read;
mod remind;
mod reply;
mod stages;
mod submit;
mod talk;
mod tell;

pub use again::again;
pub use bulk::{Chosen, approve_all, reject_all, summary};
pub use cancel::{cancel, expire};
pub use decide::{approve, approve_with, reject};
pub use preview::preview;
pub use queue::promote;
pub(crate) use read::decider;
pub use read::{approval, decisions, get, inbox, list, waiting};
pub use remind::remind;
pub use reply::{accept, decline};
pub use submit::{IdempotencyKey, submit};
pub use talk::{answer, ask};

#[cfg(test)]
mod tests;
