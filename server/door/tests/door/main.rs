//! The door as a browser meets it, with an application behind it.

mod app;
mod app_secret;
mod entry;
mod fixtures;
mod forwarding;
mod idle;
mod looking;
mod not_ready;
mod port_hosts;
mod tcp;
mod upgrades;
