//! The terminal on a page of its own: a shell in the lab. `screen` reads what the shell writes, `flow` counts it, `keys`, `paste` and `mouse` make
//! what is sent, `words` says how the connection is; in the browser `browser` draws and connects. The server's side is
//! `server/src/terminal.rs`.

#[cfg(feature = "hydrate")]
mod browser;
pub mod flow;
pub mod keys;
pub mod mouse;
pub mod page;
pub mod paste;
pub mod screen;
pub mod words;
