//! Approvals: the inbox, the page on which one order is decided, many at once, and what the requester says to changes and questions.

pub mod api;
pub mod bulk;
pub mod change;
pub mod cheaper;
mod class;
pub mod decide;
pub mod decision;
pub mod inbox;
pub mod page;
pub mod proposal;
pub mod reply_api;
pub mod stages;
pub mod talk;
pub mod what_if;
mod withdraw;
pub mod words;
