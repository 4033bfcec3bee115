//! Passes into labs and visits. Tickets and cookies are stored as their SHA-256 only. `passes` is the life of a pass, `facts` all that
//! decides whether it still holds, `log` the visits themselves.

mod facts;
mod log;
mod passes;

pub use facts::{BATCH, Facts, LabNow, ShareNow, TokenNow, actors, by_cookie, by_token, observations, of_passes};
pub use log::{Abandoned, LiveVisit, abandoned, close, of_lab, present, put, totals};
pub use passes::{NewPass, Taken, TokenPass, end, insert_of_token, lab_named, new, sweep, take_ticket, ticket_origin, touch_session};

/// The origin of passes of the portal's own terminals: no page has it, so no page can post their tickets.
pub const PORTAL_ORIGIN: &str = "portal";

#[cfg(test)]
mod tests;
