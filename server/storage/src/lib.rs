//! The database: one file per feature, one query per function, the same SQL on SQLite and PostgreSQL.
//! A function takes the connection it works on, so that the caller decides on the transaction. Add a feature by adding its file.

pub mod audit;
pub mod database;
pub mod dialect;
pub mod error;
mod migrations;
pub mod row;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use database::{Database, Engine, Write};
pub use error::{Error, Result};
pub use sqlx::AnyConnection;
