//! Orders: preview, submit, decide, reply, talk, cancel, read. One verb a file; `basis` loads what they decide on, `stages` passes them on,
//! `grant` hands out cards, `tell` knows whom a change concerns. Those who submit stand in the `line` and are answered `together`.

mod again;
mod aid;
mod audited;
mod basis;
mod bulk;
mod cancel;
mod change;
mod class;
mod decide;
mod grant;
mod lab_changes;
mod leavers;
mod line;
mod name;
mod preview;
mod queue;
mod read;
mod remind;
mod reply;
mod stages;
mod submit;
mod talk;
mod tell;
mod together;
mod undecided;
mod withdraw;

pub use again::again;
pub use bulk::{Chosen, approve_all, reject_all, summary};
pub use cancel::{cancel, expire};
pub use class::{approve_class, cancel_class, class_summary, reject_class};
pub use decide::{approve, approve_with, reject};
pub(crate) use lab_changes::{Wanted, file_change, renew_change};
pub use leavers::cancel_of_leavers;
pub(crate) use line::Line;
pub use preview::preview;
pub use queue::promote;
pub(crate) use read::decider;
pub use read::{approval, decisions, get, inbox, list, waiting};
pub use remind::remind;
pub use reply::{accept, decline};
pub(crate) use stages::cancelled;
pub use submit::{IdempotencyKey, submit};
pub use talk::{answer, ask};
pub use withdraw::withdraw;

#[cfg(test)]
mod tests;
