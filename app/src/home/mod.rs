//! Today: what waits for this person, what runs, and what may still be used. A part for each role, in files of their own.

mod administering;
pub mod api;
mod auditing;
mod deciding;
mod figure;
mod labs;
mod operating;
pub mod page;
