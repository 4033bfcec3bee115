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
