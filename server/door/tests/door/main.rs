//! The door as a browser meets it, with an application behind it.

mod app;
mod entry;
mod fixtures;
mod forwarding;
mod not_ready;
mod tcp;
mod upgrades;
