//! Moves a whole SQLite database into an empty one of either engine, in one transaction: all of it or nothing.
//! Knows no table by name, so that a new table needs nothing here. Migrated to the same step both must be.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, AssertSqlSafe, Row as _, any::AnyRow};

use crate::{Write, error::Result, row::Row};

/// Values bound by one statement at most; SQLite allows 32 766, short statements are prepared faster.
const VALUES: usize = 800;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Double,
    Text,
}

struct Table {
    name: String,
    columns: Vec<(String, Kind)>,
}

/// Copies every row of `from`, which must be SQLite; what the migrations laid down in `to` gives way. Returns how many rows there were.
pub async fn all_rows(from: &mut AnyConnection, to: &mut Write) -> Result<u64> {
    let tables = tables(from).await?;
    for table in tables.iter().rev() {
        sqlx::query(AssertSqlSafe(format!("DELETE FROM {}", table.name))).execute(&mut **to).await?;
    }
    let mut copied = 0;
    for table in &tables {
        copied += copy(from, to, table).await?;
    }
    Ok(copied)
}

async fn copy(from: &mut AnyConnection, to: &mut Write, table: &Table) -> Result<u64> {
    let names = table.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    // In the order in which they were written: a row may refer to an earlier one of its table.
    let rows = sqlx::query(AssertSqlSafe(format!("SELECT {names} FROM {} ORDER BY rowid", table.name))).fetch_all(from).await?;
    for some in rows.chunks((VALUES / table.columns.len()).max(1)) {
        let mut number = 0;
        let mut placeholders = |_: &AnyRow| {
            let of_row = table.columns.iter().map(|_| {
                number += 1;
                format!("${number}")
            });
            format!("({})", of_row.collect::<Vec<_>>().join(", "))
        };
        let values = some.iter().map(&mut placeholders).collect::<Vec<_>>().join(", ");
        let mut insert = sqlx::query(AssertSqlSafe(format!("INSERT INTO {} ({names}) VALUES {values}", table.name)));
        for row in some {
            for (at, (_, kind)) in table.columns.iter().enumerate() {
                insert = match kind {
                    Kind::Integer => insert.bind(row.try_get::<Option<i64>, _>(at)?),
                    Kind::Double => insert.bind(row.try_get::<Option<f64>, _>(at)?),
                    Kind::Text => insert.bind(row.try_get::<Option<String>, _>(at)?),
                };
            }
        }
        insert.execute(&mut **to).await?;
    }
    Ok(rows.len() as u64)
}

/// Tables with their columns, each after those that it refers to.
async fn tables(from: &mut AnyConnection) -> Result<Vec<Table>> {
    // Shadow tables belong to a virtual one and are filled through it.
    let rows = sqlx::query(
        "SELECT CAST(name AS TEXT) AS name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') \
         AND name NOT LIKE 'sqlite%' AND name <> '_sqlx_migrations' ORDER BY name",
    )
    .fetch_all(&mut *from)
    .await?;
    let names = rows.iter().map(|row| Row::of("pragma_table_list", row).text("name")).collect::<Result<BTreeSet<_>>>()?;
    let mut waiting = BTreeMap::new();
    for name in names {
        let rows = sqlx::query("SELECT DISTINCT CAST(\"table\" AS TEXT) AS name FROM pragma_foreign_key_list($1)")
            .bind(name.clone())
            .fetch_all(&mut *from)
            .await?;
        let mut needs = rows.iter().map(|row| Row::of("pragma_foreign_key_list", row).text("name")).collect::<Result<BTreeSet<_>>>()?;
        needs.remove(&name);
        waiting.insert(name, needs);
    }
    let mut done = BTreeSet::new();
    let mut tables = Vec::new();
    while !waiting.is_empty() {
        let ready: Vec<_> = waiting.iter().filter(|(_, needs)| needs.is_subset(&done)).map(|(name, _)| name.clone()).collect();
        // Tables that refer to each other in a circle: one must begin, and the engine will say so if it minds.
        let ready = if ready.is_empty() { waiting.keys().take(1).cloned().collect() } else { ready };
        for name in ready {
            waiting.remove(&name);
            tables.push(Table { columns: columns(from, &name).await?, name: name.clone() });
            done.insert(name);
        }
    }
    Ok(tables)
}

async fn columns(from: &mut AnyConnection, table: &str) -> Result<Vec<(String, Kind)>> {
    let rows = sqlx::query("SELECT CAST(name AS TEXT) AS name, CAST(type AS TEXT) AS type FROM pragma_table_info($1) ORDER BY cid")
        .bind(table.to_owned())
        .fetch_all(from)
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("pragma_table_info", row);
            let kind = match row.text("type")?.as_str() {
                "BIGINT" => Kind::Integer,
                "DOUBLE PRECISION" | "DOUBLE" => Kind::Double,
                _ => Kind::Text,
            };
            Ok((row.text("name")?, kind))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::{
        accounts::users,
        orders, settings,
        testing::{TestDatabase, for_each_engine, user},
    };

    #[tokio::test]
    async fn all_rows_arrive_or_none() {
        for_each_engine("all_rows_arrive_or_none", |target| async move {
            let source = TestDatabase::sqlite().await;
            let mut write = source.database.begin_write().await.expect("a transaction");
            let somebody = user(&mut write, "li").await;
            settings::set(&mut write, "a", &"字").await.expect("set");
            assert_eq!(orders::next_numbers(&mut write, 1).await.expect("a number"), 1_001);
            write.commit().await.expect("committed");

            for keep in [false, true] {
                let mut from = source.database.read().await.expect("a connection");
                let mut write = target.database.begin_write().await.expect("a transaction");
                assert!(super::all_rows(&mut from, &mut write).await.expect("copied") >= 4);
                if keep {
                    write.commit().await.expect("committed");
                } else {
                    write.rollback().await.expect("rolled back");
                    let mut read = target.database.read().await.expect("a connection");
                    assert!(!users::any(&mut read).await.expect("read"));
                }
            }
            let mut write = target.database.begin_write().await.expect("a transaction");
            let found = users::by_id(&mut write, somebody).await.expect("read").expect("there");
            assert_eq!((found.login.as_str(), found.disabled_at), ("li", None));
            assert_eq!(settings::get::<String>(&mut write, "a").await.expect("read").map(|(text, _)| text).as_deref(), Some("字"));
            assert_eq!(orders::next_numbers(&mut write, 1).await.expect("a number"), 1_002, "the counter came along");
        })
        .await;
    }
}
