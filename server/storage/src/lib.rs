//! The database: one file per feature, one query per function, the same SQL on SQLite and PostgreSQL.
//! A function takes the connection it works on, so that the caller decides on the transaction. Add a feature by adding its file.

#[macro_use]
mod sums;

pub mod accounts;
pub mod announcements;
pub mod audit;
pub mod bills;
pub mod clock_jumps;
pub mod cluster_status;
pub mod courses;
pub mod dashboard;
pub mod database;
pub mod decisions;
pub mod delegations;
pub mod departments;
pub mod dialect;
pub mod error;
pub mod figures;
mod files;
mod folded;
mod ids_list;
pub mod imports;
pub mod lab_logs;
pub mod lab_use;
pub mod labs;
pub mod leases;
pub mod links;
mod migrations;
pub mod nodes;
pub mod notifications;
pub mod observations;
pub mod offerings;
pub mod orders;
pub mod outbox;
mod pattern;
pub mod placement;
pub mod policies;
pub mod pools;
pub mod prices;
pub mod quotas;
mod read_only;
pub mod reservations;
pub mod rosters;
pub mod row;
pub mod script;
pub mod search;
pub mod secrets;
pub mod sessions;
pub mod settings;
pub mod shares;
pub mod ssh_keys;
pub mod supplies;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tokens;
pub mod transplant;
pub mod usage;
pub mod visits;

pub use database::{Database, Engine, Write};
pub use error::{Error, Result};
pub use sqlx::AnyConnection;
