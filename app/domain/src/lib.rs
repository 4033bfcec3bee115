//! Types and rules of Lectern: no I/O, no clock, no randomness, so that the browser and the server decide alike.
//! A new feature starts with a file here, then the same file name in `storage`, `services` and `app`.

pub mod access;
pub mod announcements;
pub mod approvals;
pub mod audit;
pub mod billing;
pub mod capacity;
pub mod catalogue;
pub mod cluster;
pub mod courses;
pub mod csv;
pub mod dashboard;
pub mod decisions;
pub mod delegations;
pub mod error;
pub mod gpu;
pub mod ids;
pub mod images;
pub mod imports;
pub mod labs;
mod logins;
pub mod metering;
pub mod money;
pub mod names;
pub mod network;
pub mod nodes;
pub mod notifications;
pub mod offerings;
pub mod orders;
pub mod page;
pub mod people;
pub mod policies;
pub mod policy_form;
pub mod pricing;
pub mod quotas;
pub mod roster;
pub mod rules;
pub mod search;
pub mod secret;
pub mod steady_clock;
pub mod text;
pub mod texts;
pub mod time;
pub mod tokens;

pub use error::{Error, FieldError, Problem};
pub type Result<T, E = Error> = std::result::Result<T, E>;
