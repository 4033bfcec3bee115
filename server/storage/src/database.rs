//! Opening a database and its connections. How transactions begin is in `database/write.rs`.

mod url;
mod write;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Once},
    time::Duration,
};

use sqlx::{Any, AnyConnection, Connection as _, Executor, any::AnyPoolOptions, pool::PoolConnection};
use tokio::sync::{Semaphore, watch};

use self::url::file_of;
pub use self::{url::redacted, write::Write};
use crate::{
    error::{Error, Result},
    files, folded, migrations, read_only,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// What this is a connection to.
    pub fn of(connection: &AnyConnection) -> Self {
        if connection.backend_name() == "SQLite" { Self::Sqlite } else { Self::Postgres }
    }
}

/// A handle to the database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    /// For reading.
    pool: sqlx::AnyPool,
    /// For writing: whoever's turn it is to write must not stand in line for a connection behind hundreds who read, while others wait for them.
    writing: sqlx::AnyPool,
    /// See [`Database::begin_write_in_line`]: one connection of its own on PostgreSQL, else the one for writing.
    line: sqlx::AnyPool,
    engine: Engine,
    url: Arc<str>,
    /// How many may write at once: a single one on SQLite.
    writers: Arc<Semaphore>,
    /// Jobs that write or stand in line for it; see [`Database::begin_write_behind`].
    jobs: Arc<Semaphore>,
    /// How many people's transactions are open or stand in line.
    people: Arc<watch::Sender<usize>>,
    /// For closing the connections that nobody uses when a change was refused because its connection may only read.
    refusals: read_only::Watch,
    #[cfg(any(test, feature = "testing"))]
    fuse: crate::testing::fuse::Fuse,
}

/// Connections for reading.
const READERS: u32 = 8;
/// Longest wait for a connection before the database counts as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes on the disk of a SQLite file below which it counts as full.
const LEAST_ROOM: u64 = 8 * 1024 * 1024;
/// How long a connection to PostgreSQL may have rested and is still taken to live. A dead one that was trusted fails its request with 503,
/// which may be tried again.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

impl Database {
    /// Opens `sqlite:<path>` (made when missing) or `postgres://…`; does not migrate.
    ///
    /// Errors: [`Error::Url`]; [`Error::Away`] if PostgreSQL does not answer; [`Error::Corrupt`] if the file is not a database.
    pub async fn open(url: &str) -> Result<Self> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let engine = match url.split_once(':') {
            Some(("sqlite", _)) => Engine::Sqlite,
            Some(("postgres" | "postgresql", _)) => Engine::Postgres,
            _ => return Err(Error::Url(redacted(url))),
        };
        // sqlx asks a connection whether it lives each time that it comes back, and would again each time that it goes out.
        let mut options = AnyPoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT).max_connections(READERS).test_before_acquire(false);
        // A file that is opened read-only is neither made nor changed.
        if engine == Engine::Sqlite
            && !url.contains("mode=ro")
            && let Some(file) = file_of(url)
        {
            files::make_private(&file);
        }
        let mut full_url = url.to_owned();
        let (writers, jobs) = match engine {
            Engine::Sqlite => {
                if !url.contains('?') {
                    full_url.push_str("?mode=rwc");
                }
                options = options.after_connect(|connection, _| {
                    Box::pin(async move {
                        connection
                            .execute(
                                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; \
                                 PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000; PRAGMA journal_size_limit = 67108864;",
                            )
                            .await?;
                        Ok(())
                    })
                });
                (1, 1)
            }
            Engine::Postgres => {
                options = options.before_acquire(|connection, last| {
                    Box::pin(async move {
                        if last.idle_for > TRUSTED_IDLE {
                            connection.ping().await?;
                        }
                        Ok(true)
                    })
                });
                (12, 4)
            }
        };
        let refused = |error| match error {
            sqlx::Error::Configuration(_) => Error::Url(redacted(url)),
            other => other.into(),
        };
        if engine == Engine::Sqlite {
            probe(&full_url).await?;
        }
        let mut writing = options.clone().max_connections(writers);
        if engine == Engine::Sqlite {
            // When the disk is full SQLite rolls back by itself, sqlx counts the transaction as open, and every later one on the
            // connection would fail: such a connection is not kept. The ping waits for a rollback that is on its way.
            let refusals = read_only::Watch::new();
            writing = writing.after_release(move |connection, _| {
                let may_only_read = refusals.is_due();
                Box::pin(async move {
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction() && !may_only_read)
                })
            });
        }
        let line = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => {
                // Many would be refused by a dead one at once, so it is always asked.
                let line = writing.clone().max_connections(1).idle_timeout(None).max_lifetime(None).test_before_acquire(true);
                Some(line.connect(&full_url).await.map_err(refused)?)
            }
        };
        let writing = writing.connect(&full_url).await.map_err(refused)?;
        let pool = options.connect(&full_url).await.map_err(refused)?;
        Ok(Self {
            pool,
            line: line.unwrap_or_else(|| writing.clone()),
            writing,
            engine,
            url: url.into(),
            writers: Arc::new(Semaphore::new(writers as usize)),
            jobs: Arc::new(Semaphore::new(jobs)),
            people: Arc::new(watch::Sender::new(0)),
            refusals: read_only::Watch::new(),
            #[cfg(any(test, feature = "testing"))]
            fuse: crate::testing::fuse::Fuse::default(),
        })
    }

    /// Brings the schema up to date. Safe to run from several processes at once.
    pub async fn migrate(&self) -> Result<()> {
        // PostgreSQL is locked by sqlx; for SQLite a lock file beside the database does it.
        let _lock = match (self.engine, self.file()) {
            (Engine::Sqlite, Some(file)) => Some(lock_file(&file.with_extension("lock")).await?),
            _ => None,
        };
        migrations::migrator(self.engine).run(&self.pool).await?;
        folded::fill(self).await
    }

    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Path of the SQLite file.
    pub fn file(&self) -> Option<PathBuf> {
        file_of(&self.url)
    }

    /// The URL as given, with its password; for a listener of its own.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Decides what becomes of every transaction from now on, through every handle.
    #[cfg(any(test, feature = "testing"))]
    pub const fn fuse(&self) -> &crate::testing::fuse::Fuse {
        &self.fuse
    }

    /// A connection for reading.
    pub async fn read(&self) -> Result<PoolConnection<Any>> {
        #[cfg(any(test, feature = "testing"))]
        if self.fuse.dead() {
            return Err(killed());
        }
        Ok(self.pool.acquire().await?)
    }

    /// Whether there is room for what people will do next. A full disk still takes a small change, in the space of earlier ones.
    ///
    /// Errors: [`Error::Full`]. PostgreSQL checks its own disk.
    pub fn check_room(&self) -> Result<()> {
        match self.file().map(|file| files::room_beside(&file)) {
            Some(Ok(room)) if room < LEAST_ROOM => Err(Error::Full { room }),
            // If the file system cannot report its free space, the disk does not count as full.
            _ => Ok(()),
        }
    }

    pub async fn close(&self) {
        self.line.close().await;
        self.writing.close().await;
        self.pool.close().await;
    }
}

/// What a process hears that a test has killed, or whose step it lets fail.
#[cfg(any(test, feature = "testing"))]
const fn killed() -> Error {
    Error::Away(sqlx::Error::PoolClosed)
}

/// Reads the head of a SQLite file by one connection: a pool would try again until its time is over, and then know only that.
async fn probe(url: &str) -> Result<()> {
    let mut connection = AnyConnection::connect(url).await.map_err(|error| match error {
        sqlx::Error::Configuration(_) => Error::Url(redacted(url)),
        other => other.into(),
    })?;
    connection.execute("PRAGMA busy_timeout = 5000; SELECT COUNT(*) FROM sqlite_master;").await?;
    Ok(connection.close().await?)
}

async fn lock_file(path: &Path) -> Result<std::fs::File> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let file = files::open_private(&path)?;
        file.lock()?;
        Ok(file)
    })
    .await
    .map_err(|error| Error::Io(std::io::Error::other(error)))?
}

#[cfg(test)]
mod tests;
