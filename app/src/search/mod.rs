//! One search over everything: the palette (Ctrl K) with its commands, the page that needs no scripts, and the keys.

pub mod api;
mod choices;
mod keys;
pub mod page;
pub mod palette;
pub mod words;
