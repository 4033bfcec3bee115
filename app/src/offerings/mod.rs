//! Offerings as operators write them: list, editor with a preview, versions, YAML. What others see of them is in `catalogue`.

pub mod api;
mod editor;
mod fields;
mod list;
pub mod page;
mod parameters;
mod preview;
mod secrets;
mod versions;
pub mod words;
mod yaml;
