//! The pool and how transactions begin. SQLite has one writer at a time, so writers queue here in order instead of polling its lock.

use std::{
    ops::{Deref, DerefMut},
    panic::Location,
    path::{Path, PathBuf},
    sync::{Arc, Once},
    time::Duration,
};

use sqlx::{Any, AnyConnection, Connection as _, Executor, any::AnyPoolOptions, pool::PoolConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

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
/// Longest that a job lets people go first.
const JOBS_YIELD: Duration = Duration::from_millis(100);
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
    /// Errors: [`Error::Url`]; [`Error::Away`] when PostgreSQL does not answer; [`Error::Corrupt`] for a file that is no database.
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
        // What is opened for reading only is not ours to make or to close.
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

    /// A write transaction; it is rolled back unless [`Write::commit`] is called. Keep it short: on SQLite others wait for it.
    // No `async fn`: those do not know their caller.
    #[track_caller]
    pub fn begin_write(&self) -> impl Future<Output = Result<Write>> + Send {
        self.begin(Location::caller(), Whose::Person)
    }

    /// The same for a queue that one task serves, one transaction after the other: on PostgreSQL always on the same connection, which
    /// knows its statements.
    #[track_caller]
    pub fn begin_write_in_line(&self) -> impl Future<Output = Result<Write>> + Send {
        self.begin(Location::caller(), Whose::Line)
    }

    /// The same for work in the background, which lets people go first: it begins when nobody waits for an answer, or after a moment
    /// all the same, so that it comes forward however busy the day. Only one job (four on PostgreSQL) is in line at a time.
    #[track_caller]
    pub fn begin_write_behind(&self) -> impl Future<Output = Result<Write>> + Send {
        self.begin(Location::caller(), Whose::Job)
    }

    #[cfg_attr(not(any(test, feature = "testing")), expect(unused_variables, reason = "only tests stop a transaction by its place"))]
    async fn begin(&self, place: &'static Location<'static>, whose: Whose) -> Result<Write> {
        #[cfg(any(test, feature = "testing"))]
        if self.fuse.dead() {
            return Err(killed());
        }
        let closed = |_| Error::Away(sqlx::Error::PoolClosed);
        let turn = if matches!(whose, Whose::Job) {
            let job = Arc::clone(&self.jobs).acquire_owned().await.map_err(closed)?;
            // The sender is here: only the time can run out.
            let _ = tokio::time::timeout(JOBS_YIELD, self.people.subscribe().wait_for(|people| *people == 0)).await;
            Turn::Job(job)
        } else {
            self.people.send_modify(|people| *people += 1);
            Turn::Person(Arc::clone(&self.people))
        };
        let permit = tokio::time::timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.writers).acquire_owned())
            .await
            .map_err(|_| Error::Away(sqlx::Error::PoolTimedOut))?
            .map_err(closed)?;
        let begin = match self.engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        };
        let transaction = match (self.engine, whose) {
            (Engine::Postgres, Whose::Line) => match self.line.begin_with(begin).await {
                // The one connection hangs: any other will do.
                Err(sqlx::Error::PoolTimedOut) => self.writing.begin_with(begin).await?,
                done => done?,
            },
            _ => self.begin_writable(begin).await?,
        };
        Ok(Write {
            transaction,
            engine: self.engine,
            _permit: permit,
            _turn: turn,
            #[cfg(any(test, feature = "testing"))]
            step: (self.fuse.clone(), crate::testing::fuse::Step::of(place)),
        })
    }

    /// SQLite opens a file that cannot be written for reading only, and the connection stays so after the file is writable again. Such
    /// connections are closed, also those for reading, with which the new one would share its memory file.
    async fn begin_writable(&self, begin: &'static str) -> Result<sqlx::Transaction<'static, Any>> {
        if self.engine == Engine::Sqlite && self.refusals.is_due() {
            tracing::warn!("the database could be read only: its connections are opened anew");
            self.close_resting().await;
        }
        match self.writing.begin_with(begin).await {
            Err(error) if self.engine == Engine::Sqlite && read_only::is_refusal(&error) => {
                // The only one for writing, which is on its way back. It is gone, whether or not it said goodbye.
                let _ = self.writing.acquire().await?.close().await;
                self.close_resting().await;
                Ok(self.writing.begin_with(begin).await?)
            }
            done => Ok(done?),
        }
    }

    /// Closes the connections that nobody uses at the moment.
    async fn close_resting(&self) {
        for pool in [&self.writing, &self.pool] {
            // All of them are taken first: one that is closed makes room for the next.
            let resting: Vec<_> = std::iter::from_fn(|| pool.try_acquire()).collect();
            for connection in resting {
                // It is gone, whether or not it said goodbye.
                let _ = connection.close().await;
            }
        }
    }

    /// Whether there is room for what people will do next. A full disk still takes a small change, in the space of earlier ones.
    ///
    /// Errors: [`Error::Full`]. On PostgreSQL only the database itself knows.
    pub fn check_room(&self) -> Result<()> {
        match self.file().map(|file| files::room_beside(&file)) {
            Some(Ok(room)) if room < LEAST_ROOM => Err(Error::Full { room }),
            // A file system that cannot say how full it is is not full for that.
            _ => Ok(()),
        }
    }

    pub async fn close(&self) {
        self.line.close().await;
        self.writing.close().await;
        self.pool.close().await;
    }
}

/// Whose transaction it is.
#[derive(Debug, Clone, Copy)]
enum Whose {
    Person,
    /// Of many people who wait together.
    Line,
    Job,
}

/// What it holds while it lasts.
#[derive(Debug)]
enum Turn {
    Job(#[expect(dead_code, reason = "held until the transaction ends")] OwnedSemaphorePermit),
    Person(Arc<watch::Sender<usize>>),
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Self::Person(people) = self {
            people.send_modify(|people| *people -= 1);
        }
    }
}

/// A write transaction, used as a connection.
#[derive(Debug)]
pub struct Write {
    transaction: sqlx::Transaction<'static, Any>,
    engine: Engine,
    _permit: OwnedSemaphorePermit,
    _turn: Turn,
    #[cfg(any(test, feature = "testing"))]
    step: (crate::testing::fuse::Fuse, crate::testing::fuse::Step),
}

impl Write {
    pub const fn engine(&self) -> Engine {
        self.engine
    }
    pub async fn commit(self) -> Result<()> {
        #[cfg(any(test, feature = "testing"))]
        {
            use crate::testing::fuse::Verdict;
            let (fuse, step) = self.step;
            match fuse.step(step) {
                Verdict::Go => {}
                Verdict::Refused => {
                    self.transaction.rollback().await?;
                    return Err(killed());
                }
                Verdict::Unheard => {
                    self.transaction.commit().await?;
                    return Err(killed());
                }
            }
        }
        Ok(self.transaction.commit().await?)
    }
    pub async fn rollback(self) -> Result<()> {
        Ok(self.transaction.rollback().await?)
    }
}

impl Deref for Write {
    type Target = AnyConnection;
    fn deref(&self) -> &AnyConnection {
        &self.transaction
    }
}
impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }
}

/// What a process hears that a test has killed, or whose step it lets fail.
#[cfg(any(test, feature = "testing"))]
const fn killed() -> Error {
    Error::Away(sqlx::Error::PoolClosed)
}

/// Path of the file of a SQLite URL.
fn file_of(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    Some(rest.trim_start_matches("//").split('?').next().map(Path::new)?.to_owned())
}

/// A URL that may go into a log: without who and with which password, wherever the URL says so.
pub fn redacted(url: &str) -> String {
    // PostgreSQL takes `?user=…&password=…` as well.
    let url = match url.split_once('?') {
        Some((url, _)) if !url.starts_with("sqlite:") => &format!("{url}?***"),
        _ => url,
    };
    match (url.split_once("://"), url.rfind('@')) {
        (Some((scheme, _)), Some(at)) => format!("{scheme}://***@{}", &url[at + 1..]),
        _ => url.to_owned(),
    }
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
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_was_left_inside_a_transaction_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::open(&format!("sqlite:{}", folder.path().join("test.db").display())).await.expect("opens");
        for _ in 0..20 {
            let mut write = database.begin_write().await.expect("a transaction");
            // As SQLite does by itself on a full disk.
            sqlx::query("ROLLBACK").execute(&mut *write).await.expect("rolled back");
            drop(write);
        }
        database.begin_write().await.expect("a transaction").commit().await.expect("commits");
    }

    #[tokio::test]
    async fn a_damaged_file_is_refused_with_what_to_do_and_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lectern.db");
        let url = format!("sqlite:{}", path.display());
        let database = Database::open(&url).await.expect("opens");
        database.migrate().await.expect("migrates");
        database.close().await;
        let good = std::fs::read(&path).expect("a file");
        let mut torn = good.clone();
        // The page of the table of tables, behind the head of the file.
        torn[100..4_000].fill(0xa5);
        for bad in [b"not a database at all, but long enough to be looked at".repeat(200), torn] {
            std::fs::write(&path, &bad).expect("written");
            let error = Database::open(&url).await.expect_err("refused");
            assert!(matches!(error, Error::Corrupt(_)), "{error:?}");
            assert!(error.to_string().contains("backup"), "{error}");
            assert_eq!(std::fs::read(&path).expect("a file"), bad, "nothing was written");
        }
        std::fs::write(&path, good).expect("written");
        Database::open(&url).await.expect("the backup opens");
    }

    #[tokio::test]
    async fn a_connection_that_may_only_read_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::open(&format!("sqlite:{}", folder.path().join("test.db").display())).await.expect("opens");
        let mut write = database.begin_write().await.expect("a transaction");
        sqlx::query("CREATE TABLE things (id INTEGER)").execute(&mut *write).await.expect("made");
        write.commit().await.expect("commits");
        // As SQLite opens a file that cannot be written.
        let mut connection = database.writing.acquire().await.expect("a connection");
        sqlx::query("PRAGMA query_only = ON").execute(&mut *connection).await.expect("set");
        drop(connection);
        let mut reading = database.read().await.expect("a connection");
        let mut write = database.begin_write().await.expect("the next one writes");
        sqlx::query("INSERT INTO things VALUES (1)").execute(&mut *write).await.expect("written");
        write.commit().await.expect("commits");
        // The same when it shows only at the change.
        let mut write = database.begin_write().await.expect("a transaction");
        sqlx::query("PRAGMA query_only = ON").execute(&mut *write).await.expect("set");
        let refused = sqlx::query("INSERT INTO things VALUES (2)").execute(&mut *write).await.expect_err("refused");
        assert!(matches!(Error::from(refused), Error::Away(_)));
        drop(write);
        let mut write = database.begin_write().await.expect("the next one writes");
        sqlx::query("INSERT INTO things VALUES (2)").execute(&mut *write).await.expect("written");
        write.commit().await.expect("commits");
        sqlx::query("SELECT id FROM things").fetch_one(&mut *reading).await.expect("who was reading goes on");
    }

    #[tokio::test]
    async fn a_database_that_stays_read_only_says_so_at_once_and_is_read_all_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let made = Database::open(&url).await.expect("opens");
        made.begin_write().await.expect("a transaction").commit().await.expect("commits");
        let database = Database::open(&format!("{url}?mode=ro")).await.expect("opens");
        for _ in 0..3 {
            let mut write = database.begin_write().await.expect("SQLite begins all the same");
            let refused = sqlx::query("CREATE TABLE things (id INTEGER)").execute(&mut *write).await.expect_err("refused");
            assert!(matches!(Error::from(refused), Error::Away(_)));
        }
        let mut reading = database.read().await.expect("a connection");
        sqlx::query("SELECT 1").fetch_one(&mut *reading).await.expect("readable");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_files_are_their_owners_alone_also_those_of_an_earlier_version() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("test.db");
        let url = format!("sqlite:{}", file.display());
        let modes = || {
            let entries = std::fs::read_dir(folder.path()).expect("readable");
            entries.map(|entry| entry.expect("an entry").metadata().expect("known").permissions().mode() & 0o777).collect::<Vec<_>>()
        };
        for _ in 0..2 {
            let database = Database::open(&url).await.expect("opens");
            database.migrate().await.expect("migrates");
            assert!(modes().len() >= 3, "the database, its log and its memory");
            assert!(modes().iter().all(|mode| *mode == 0o600), "{:?}", modes().iter().map(|mode| format!("{mode:o}")).collect::<Vec<_>>());
            database.close().await;
            for entry in std::fs::read_dir(folder.path()).expect("readable") {
                std::fs::set_permissions(entry.expect("an entry").path(), std::fs::Permissions::from_mode(0o644)).expect("set");
            }
        }
    }

    #[test]
    fn a_password_does_not_reach_the_log() {
        assert_eq!(redacted("postgres://lectern:p@ss@db/lectern"), "postgres://***@db/lectern");
        assert_eq!(redacted("postgres://db/lectern?user=lectern&password=p@ss"), "postgres://db/lectern?***");
        assert_eq!(redacted("postgres://lectern:p@ss@db/lectern?password=other"), "postgres://***@db/lectern?***");
        assert_eq!(redacted("sqlite:data/lectern.db"), "sqlite:data/lectern.db");
    }
}
