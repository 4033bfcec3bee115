//! Bills: what each course used in a month, down to the lab and the second; closing months, adjustments.

pub mod adjustments;
pub mod api;
pub mod breakdown;
pub mod burn_down;
pub mod daily;
#[cfg(feature = "ssr")]
pub mod file_words;
pub mod head;
pub mod intervals;
pub mod lines;
pub mod months;
pub mod page;
pub mod plot;
pub mod words;
