//! A migrated database that tests copy: applying every step of the schema takes longer than most tests.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use sqlx::AssertSqlSafe;
use tokio::sync::{Mutex, OnceCell};

use super::with_database;
use crate::{Database, Engine, migrations::migrator};

/// The bytes of a SQLite file.
pub(super) async fn sqlite() -> &'static [u8] {
    static FILE: OnceCell<Vec<u8>> = OnceCell::const_new();
    FILE.get_or_init(|| async {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("lectern.db");
        migrated(&format!("sqlite:{}", file.display())).await;
        std::fs::read(file).expect("a closed database is one file")
    })
    .await
}

/// Name of a database on the server that nobody is connected to. It stays there for the next run with the same schema.
pub(super) async fn postgres(server: &str) -> String {
    static MADE: Mutex<Option<HashSet<String>>> = Mutex::const_new(None);
    let name = format!("lectern_template_{:016x}", schema(Engine::Postgres));
    let mut made = MADE.lock().await;
    if made.get_or_insert_default().insert(server.to_owned()) {
        make(server, &name).await;
    }
    name
}

/// One process at a time: the lock lasts as long as its transaction.
async fn make(server: &str, name: &str) {
    let admin = Database::open(server).await.expect("the test server answers");
    let mut lock = admin.begin_write().await.expect("a transaction");
    let locking = "SELECT CAST(pg_advisory_xact_lock(hashtextextended($1, 0)) AS TEXT)";
    sqlx::query(locking).bind(name.to_owned()).execute(&mut *lock).await.expect("a lock");
    let there: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM pg_database WHERE datname = $1").bind(name.to_owned()).fetch_one(&mut *lock).await.expect("a count");
    if there == 0 {
        let unfinished = format!("{name}_new");
        let mut connection = admin.read().await.expect("a connection");
        for statement in [format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"), format!("CREATE DATABASE {unfinished}")] {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *connection).await.expect("a database is made");
        }
        migrated(&with_database(server, &unfinished)).await;
        let rename = format!("ALTER DATABASE {unfinished} RENAME TO {name}");
        sqlx::query(AssertSqlSafe(rename)).execute(&mut *connection).await.expect("it is complete");
    }
    lock.commit().await.expect("the lock is let go");
    admin.close().await;
}

async fn migrated(url: &str) {
    let database = Database::open(url).await.expect("the database opens");
    database.migrate().await.expect("the schema applies");
    database.close().await;
}

fn schema(engine: Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    for step in migrator(engine).iter() {
        step.sql.as_str().hash(&mut hasher);
    }
    hasher.finish()
}
