//! The databases that are measured on: a file, or a database of a private PostgreSQL that `.ci/bench` started.

use anyhow::{Context as _, Result};
use sqlx::Connection as _;
use std::{fmt, path::Path};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

impl Engine {
    /// SQLite always, PostgreSQL where there is one.
    pub fn all() -> Vec<Self> {
        if server().is_ok() { vec![Self::Sqlite, Self::Postgres] } else { vec![Self::Sqlite] }
    }

    /// The URL of a database of this name; of a file in `data` for SQLite.
    pub fn url(self, data: &Path, name: &str) -> Result<String> {
        match self {
            Self::Sqlite => Ok(format!("sqlite:{}", data.join("lectern.db").display())),
            Self::Postgres => Ok(server()?.replacen("/postgres?", &format!("/{name}?"), 1)),
        }
    }

    /// Makes an empty database, or one like another. A file is made, and copied with its folder, by others.
    pub async fn create(self, name: &str, like: Option<&str>) -> Result<()> {
        if self == Self::Sqlite {
            return Ok(());
        }
        let mut connection = sqlx::PgConnection::connect(&server()?).await?;
        let like = like.map_or_else(String::new, |like| format!(" TEMPLATE {like}"));
        for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}{like}")] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await?;
        }
        connection.close().await?;
        Ok(())
    }
}

fn server() -> Result<String> {
    std::env::var("BENCH_POSTGRES").ok().filter(|url| !url.is_empty()).context("BENCH_POSTGRES is not set")
}
