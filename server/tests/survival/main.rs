//! What survives when something dies: answers that are lost, the process killed at any moment, the database stopped under load.
//! Every test runs the real binary as a process of its own on a college that is made beforehand. `docs/operations.md` tells what is
//! promised; a new promise is a test here.
//!
//! `LECTERN_KILLS` says how often the process is killed (20 by default), `LECTERN_SEED` repeats what a test did.

#![expect(clippy::unwrap_used, reason = "what cannot be had fails the test")]

mod aftermath;
mod chance;
mod college;
mod lost_answers;
mod objects;
mod postgres;
mod postgres_stops;
mod process;
mod sqlite_kills;
mod teacher;
mod upgrade;
