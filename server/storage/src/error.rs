//! What a query can come back with, sorted by what the caller can do about it.

use std::fmt;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database does not answer, or not in time. Nothing was written.
    #[error("the database is away: {0}")]
    Away(#[source] sqlx::Error),
    /// The disk has no room for further work.
    #[error("the disk of the database is full: {room} bytes are left")]
    Full { room: u64 },
    /// A uniqueness rule said no: `on` is `table.column` (SQLite) or the constraint's name with the table's (PostgreSQL).
    #[error("not unique: {on}")]
    NotUnique { on: String },
    /// A row that the code cannot read: a bug or a tampered database.
    #[error("cannot read {table}.{column}: {reason}")]
    Unreadable { table: &'static str, column: &'static str, reason: String },
    /// A row that must be written was not, and the database did not say why: a trigger or a rule that is none of ours.
    #[error("a row of {0} was not kept")]
    Lost(&'static str),
    /// The file is damaged, or not a SQLite database. Nothing was written.
    #[error(
        "the database file is damaged, or is not a SQLite database ({0}); nothing in it was changed. Stop Lectern, keep a copy of the file \
         with its -wal and -shm, and put the last backup in its place; without a backup `sqlite3 FILE .recover` saves what can be read"
    )]
    Corrupt(#[source] sqlx::Error),
    /// A line of text that is no database URL.
    #[error("not a database URL: {0}")]
    Url(String),
    #[error("the database cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A text that the database cannot keep: PostgreSQL knows no NUL. Nothing was written.
    #[error("a text that the database cannot keep: {0}")]
    Text(#[source] sqlx::Error),
    #[error("{0}")]
    Sql(#[source] sqlx::Error),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl Error {
    pub fn unreadable(table: &'static str, column: &'static str, reason: impl fmt::Display) -> Self {
        Self::Unreadable { table, column, reason: reason.to_string() }
    }

    /// Whether a uniqueness rule on this table and column said no.
    pub fn is_not_unique(&self, table: &str, column: &str) -> bool {
        // SQLite: "orders.number"; PostgreSQL: "orders_number_key" or "orders_pkey" for `id`.
        matches!(self, Self::NotUnique { on } if on.contains(&format!("{table}.{column}")) || on.contains(&format!("{table}_{column}"))
            || (on == &format!("{table}_pkey")))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => {
                Self::Away(error)
            }
            sqlx::Error::Database(database) => {
                let message = database.message();
                if database.is_unique_violation() {
                    let on = database
                        .constraint()
                        .map_or_else(|| message.rsplit_once("failed: ").map_or(message, |(_, columns)| columns).to_owned(), ToOwned::to_owned);
                    return Self::NotUnique { on };
                }
                // PostgreSQL: 57P01..57P03 shutting or starting, 08xxx connection, 53300 too many connections.
                let code = database.code().unwrap_or_default();
                if code == "22021" {
                    return Self::Text(error);
                }
                if message.contains("readonly database") {
                    crate::read_only::record();
                }
                if ["file is not a database", "database disk image is malformed"].iter().any(|text| message.contains(text)) {
                    return Self::Corrupt(error);
                }
                let away = code.starts_with("57P") || code.starts_with("08") || code == "53300"
                    // SQLite: the file cannot be opened, the disk fails or is full, the lock was not got in time.
                    || ["unable to open database file", "disk I/O error", "database is locked", "database or disk is full", "readonly database"]
                        .iter()
                        .any(|text| message.contains(text));
                if away { Self::Away(error) } else { Self::Sql(error) }
            }
            _ => Self::Sql(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pool_means_that_the_database_is_away() {
        assert!(matches!(Error::from(sqlx::Error::PoolClosed), Error::Away(_)));
        assert!(matches!(Error::from(sqlx::Error::RowNotFound), Error::Sql(_)));
    }
}
