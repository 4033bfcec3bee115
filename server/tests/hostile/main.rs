//! Hostile input: what is sent to the portal may be anything, and it answers with a word that helps, never with a failure of its own.
//! Over HTTP there is a file for each kind of address; `readers.rs` feeds readers by themselves, `inventory.rs` knows which there are.
//! Every test prints its seed; `LECTERN_SEED=1` gives other requests.

#![expect(clippy::unwrap_used, reason = "what cannot be had fails the test")]
#![expect(clippy::print_stdout, reason = "a failing test shows its seed")]

mod api;
mod forms;
mod functions;
mod html;
mod inventory;
mod judge;
mod methods;
mod nasty;
mod pages;
mod protocol;
mod readers;
mod security_table;
mod stored;
#[path = "../http/support.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod support;
mod unescaped;
mod wire;
mod world;
