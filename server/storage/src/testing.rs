//! Databases for tests: always files or servers of their own, never shared, never in memory.
//! Use `for_each_engine` so that a storage test runs on both.

pub mod agreement;
pub mod fuse;
pub mod ledger;
mod template;
pub mod watchers;

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::{Database, Engine};

/// A migrated database that goes when the value does.
#[derive(Debug)]
pub struct TestDatabase {
    pub database: Database,
    pub url: String,
    _home: Home,
}

/// What goes with it.
#[derive(Debug)]
enum Home {
    Folder(#[expect(dead_code, reason = "kept until the database goes")] tempfile::TempDir),
    Server(#[expect(dead_code, reason = "kept until the database goes")] OnServer),
}

/// A database on a server: hundreds of tests would fill a disk with what they leave behind.
#[derive(Debug)]
struct OnServer {
    server: String,
    name: String,
}

impl Drop for OnServer {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // On a thread with a runtime of its own: the test's may be ending, or be the one that waits here.
        let gone = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
            runtime.block_on(remove(&server, &name)).map_err(|error| error.to_string())
        });
        if let Ok(Err(error)) = gone.join() {
            // A test that ends its server ends its databases with it.
            eprintln!("the test database {} is left behind: {error}", self.name);
        }
    }
}

/// With whoever is still connected.
async fn remove(server: &str, name: &str) -> crate::Result<()> {
    let admin = Database::open(server).await?;
    let mut connection = admin.read().await?;
    sqlx::query(sqlx::AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))).execute(&mut *connection).await?;
    drop(connection);
    admin.close().await;
    Ok(())
}

impl TestDatabase {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("lectern.db");
        std::fs::write(&file, template::sqlite().await).expect("a file");
        let url = format!("sqlite:{}", file.display());
        let database = Database::open(&url).await.expect("SQLite opens");
        Self { database, url, _home: Home::Folder(folder) }
    }

    /// On the server named by `LECTERN_TEST_POSTGRES` (a URL whose user may create databases), which `make test` starts.
    /// A server on a Unix socket in `/run/pg` is `postgres://postgres@localhost/postgres?host=/run/pg`.
    /// `None`, with the reason in the skip log, where there is none.
    pub async fn postgres(test: &str) -> Option<Self> {
        let Ok(server) = std::env::var("LECTERN_TEST_POSTGRES") else {
            skip(test, "LECTERN_TEST_POSTGRES is not set: no PostgreSQL for tests");
            return None;
        };
        Some(Self::postgres_on(&server).await)
    }

    /// On this server: the same as [`Self::postgres`] where the test brings its own.
    pub async fn postgres_on(server: &str) -> Self {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("lectern_{}_{number}", std::process::id());
        let admin = Database::open(server).await.expect("the test server answers");
        let mut connection = admin.read().await.expect("a connection");
        let template = template::postgres(server).await;
        for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name} TEMPLATE {template}")] {
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *connection).await.expect("a database is made");
        }
        drop(connection);
        admin.close().await;
        let url = with_database(server, &name);
        let database = Database::open(&url).await.expect("PostgreSQL opens");
        Self { database, url, _home: Home::Server(OnServer { server: server.to_owned(), name }) }
    }

    pub fn engine(&self) -> Engine {
        self.database.engine()
    }
}

/// Keeps the parts together: without it `|test| async move { test.database … }` would take the handle and drop the folder under it.
impl Drop for TestDatabase {
    fn drop(&mut self) {}
}

/// The server's URL with another database: the path is between the authority and the query.
fn with_database(server: &str, name: &str) -> String {
    let (base, query) = server.split_once('?').map_or((server, None), |(base, query)| (base, Some(query)));
    let base = match base.find("://").and_then(|scheme| base[scheme + 3..].find('/').map(|slash| scheme + 3 + slash)) {
        Some(slash) => &base[..slash],
        None => base,
    };
    query.map_or_else(|| format!("{base}/{name}"), |query| format!("{base}/{name}?{query}"))
}

/// Runs the test on every engine that is there.
pub async fn for_each_engine<F, Fut>(test: &str, body: F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()>,
{
    // On the heap: a test holds a whole world.
    Box::pin(body(TestDatabase::sqlite().await)).await;
    if let Some(postgres) = TestDatabase::postgres(test).await {
        Box::pin(body(postgres)).await;
    }
}

/// Any SQL, for tests that tamper with what the storage functions would never touch.
pub async fn execute(database: &Database, sql: &str) -> crate::Result<u64> {
    let mut write = database.begin_write().await?;
    let done = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut *write).await?;
    write.commit().await?;
    Ok(done.rows_affected())
}

/// A single number: for tests that count rows.
///
/// # Panics
/// When the statement does not give one.
pub async fn number(database: &Database, sql: &str) -> i64 {
    let mut connection = database.read().await.expect("a connection");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&mut *connection).await.expect("an answer");
    sqlx::Row::try_get(&row, 0).expect("a number")
}

/// A column of texts, in the statement's order.
///
/// # Panics
/// When the statement does not give one.
pub async fn texts(database: &Database, sql: &str) -> Vec<String> {
    let mut connection = database.read().await.expect("a connection");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(&mut *connection).await.expect("an answer");
    rows.iter().map(|row| sqlx::Row::try_get(row, 0).expect("a text")).collect()
}

/// Somebody with that login in a tenant of their own.
pub async fn user(write: &mut crate::Write, login: &str) -> domain::ids::UserId {
    use domain::{courses::Tenant, ids, time::Timestamp};
    // Every login gives another id, and always the same.
    let number = uuid::Uuid::from_u128(login.bytes().fold(7, |number, byte| number * 31 + u128::from(byte)));
    let tenant = Tenant { id: ids::TenantId::from_uuid(number), slug: login.into(), name: login.into() };
    let now = Timestamp::from_seconds(1_800_000_000);
    crate::courses::insert_tenant(write, &tenant, now).await.expect("a tenant");
    let id = ids::UserId::from_uuid(number);
    let user = crate::accounts::users::User::new(id, tenant.id, login.into(), login.into(), now);
    crate::accounts::users::insert(write, &user).await.expect("a person");
    id
}

/// Records that a test (or a part of it) could not run here, so that the totals count it.
pub fn skip(test: &str, reason: &str) {
    static LOG: OnceLock<Option<PathBuf>> = OnceLock::new();
    eprintln!("SKIP {test}: {reason}");
    if let Some(path) = LOG.get_or_init(|| std::env::var_os("LECTERN_SKIP_LOG").map(PathBuf::from)) {
        append_line(path, &format!("{test}: {reason}")).expect("the list of skips can be written");
    }
}

/// Appends one line with a single write: tests of several threads and processes share the file, and `writeln!` writes in pieces.
fn append_line(path: &Path, line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    std::fs::OpenOptions::new().create(true).append(true).open(path)?.write_all(format!("{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::append_line;

    #[test]
    fn reasons_of_parallel_tests_stay_on_lines_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("skipped");
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let path = &path;
                scope.spawn(move || (0..200).for_each(|number| append_line(path, &format!("{thread}::{number}: not here")).unwrap()));
            }
        });
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        let mut expected: Vec<_> = (0..8).flat_map(|thread| (0..200).map(move |number| format!("{thread}::{number}: not here"))).collect();
        expected.sort_unstable();
        assert_eq!(lines, expected);
    }
}
