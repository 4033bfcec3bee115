//! Triggers for tests that break the audit record: they note every row that is changed, and make the writing of a record fail.
//! Both undo themselves with the transaction in which they happened.

use std::collections::BTreeSet;

use super::{execute, texts};
use crate::{Database, Engine};

/// A row that is not as it was: made, changed or deleted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    pub table: String,
    /// Of a table that has one.
    pub id: String,
}

/// Every table of the schema.
///
/// # Panics
/// When the database does not answer.
pub async fn tables(database: &Database) -> BTreeSet<String> {
    let sql = match database.engine() {
        // Without the tables that belong to a search index.
        Engine::Sqlite => {
            "SELECT CAST(name AS TEXT) FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'"
        }
        Engine::Postgres => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'"
        }
    };
    texts(database, sql).await.into_iter().filter(|name| !name.starts_with("watched_")).collect()
}

/// Notes what is written to these tables from now on, and lets records fail when [`fail_record`] says so.
///
/// # Panics
/// When a trigger cannot be made.
pub async fn install(database: &Database, tables: &BTreeSet<String>) {
    let mut statements = vec![
        "CREATE TABLE watched_writes (name TEXT NOT NULL, id TEXT NOT NULL, content TEXT NOT NULL, sign BIGINT NOT NULL)".to_owned(),
        "CREATE TABLE watched_records (until_fault BIGINT NOT NULL)".to_owned(),
        "INSERT INTO watched_records (until_fault) VALUES (0)".to_owned(),
    ];
    match database.engine() {
        Engine::Sqlite => {
            for table in tables {
                let columns = texts(database, &format!("SELECT CAST(name AS TEXT) FROM pragma_table_info('{table}') ORDER BY cid")).await;
                let note = |row: &str, sign: i32| {
                    let id = if columns.iter().any(|column| column == "id") { format!("{row}.id") } else { "''".to_owned() };
                    let all = columns.iter().map(|column| format!("{row}.\"{column}\"")).collect::<Vec<_>>().join(", ");
                    format!("INSERT INTO watched_writes (name, id, content, sign) VALUES ('{table}', {id}, json_array({all}), {sign});")
                };
                for (event, notes) in [("INSERT", note("NEW", 1)), ("UPDATE", note("OLD", -1) + &note("NEW", 1)), ("DELETE", note("OLD", -1))] {
                    statements.push(format!("CREATE TRIGGER watched_{table}_{event} AFTER {event} ON {table} BEGIN {notes} END"));
                }
            }
            statements.push(
                "CREATE TRIGGER watched_audit BEFORE INSERT ON audit_events BEGIN \
                 UPDATE watched_records SET until_fault = until_fault - 1; \
                 SELECT RAISE(ABORT, 'this record cannot be written') FROM watched_records WHERE until_fault = 0; END"
                    .to_owned(),
            );
        }
        Engine::Postgres => {
            statements.push(
                "CREATE FUNCTION watched_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 IF TG_OP <> 'INSERT' THEN INSERT INTO watched_writes (name, id, content, sign) \
                 VALUES (TG_TABLE_NAME, COALESCE(to_jsonb(OLD) ->> 'id', ''), CAST(to_jsonb(OLD) AS TEXT), -1); END IF; \
                 IF TG_OP <> 'DELETE' THEN INSERT INTO watched_writes (name, id, content, sign) \
                 VALUES (TG_TABLE_NAME, COALESCE(to_jsonb(NEW) ->> 'id', ''), CAST(to_jsonb(NEW) AS TEXT), 1); END IF; \
                 RETURN NULL; END $$"
                    .to_owned(),
            );
            for table in tables {
                statements.push(format!(
                    "CREATE TRIGGER watched_row AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION watched_note()"
                ));
            }
            statements.push(
                "CREATE FUNCTION watched_fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 UPDATE watched_records SET until_fault = until_fault - 1; \
                 IF (SELECT until_fault FROM watched_records) = 0 THEN RAISE EXCEPTION 'this record cannot be written'; END IF; \
                 RETURN NEW; END $$"
                    .to_owned(),
            );
            statements.push("CREATE TRIGGER watched_audit BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION watched_fault()".to_owned());
        }
    }
    for statement in statements {
        execute(database, &statement).await.expect("a trigger is made");
    }
}

/// The record `number` from now (1 is the next) cannot be written, nor one that is tried after it; 0: all can. Forgets what was written.
///
/// # Panics
/// When the database does not answer.
pub async fn fail_record(database: &Database, number: u32) {
    let mut write = database.begin_write().await.expect("a transaction");
    for statement in [format!("UPDATE watched_records SET until_fault = {number}"), "DELETE FROM watched_writes".to_owned()] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *write).await.expect("set");
    }
    write.commit().await.expect("committed");
}

/// What was changed and committed since [`fail_record`]. A row that was written as it was before does not count.
///
/// # Panics
/// When the database does not answer.
pub async fn written(database: &Database) -> BTreeSet<Written> {
    let rows = texts(database, "SELECT name || ' ' || id FROM watched_writes GROUP BY name, id, content HAVING SUM(sign) <> 0").await;
    rows.iter().filter_map(|row| row.split_once(' ')).map(|(table, id)| Written { table: table.to_owned(), id: id.to_owned() }).collect()
}
