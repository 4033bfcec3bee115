//! Statements that go to the database together: one trip instead of one for each. What a transaction writes is often known as a whole
//! before any of it is written, and between two trips others wait for it.

use std::fmt::Write as _;

use sqlx::{AnyConnection, AssertSqlSafe, any::AnyArguments, query::Query};

use crate::{Engine, error::Result, row::Row};

/// A bound value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}
impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}
impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(ToOwned::to_owned))
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}
impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Integer(number)
    }
}

/// A statement that writes one row, or none where a condition of its own says no. Its values are `$1`, `$2`, ….
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it is written when it is run"]
pub struct Insert {
    sql: &'static str,
    values: Vec<Value>,
}

impl Insert {
    pub const fn new(sql: &'static str) -> Self {
        Self { sql, values: Vec::new() }
    }

    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// By itself. Whether the row was written.
    pub async fn run(self, connection: &mut AnyConnection) -> Result<bool> {
        let done = bound(sqlx::query(self.sql), self.values).execute(connection).await?;
        Ok(done.rows_affected() == 1)
    }
}

/// Statements in their order. None of them may read what another of the same script writes: PostgreSQL shows it to none of them.
#[derive(Debug, Default)]
#[must_use = "it is written when it is run"]
pub struct Script(Vec<Insert>);

impl Script {
    pub fn add(&mut self, insert: Insert) {
        self.0.push(insert);
    }

    pub fn extend(&mut self, inserts: impl IntoIterator<Item = Insert>) {
        self.0.extend(inserts);
    }

    /// All of them in one trip. Whether each wrote its row; if not, the transaction is for rolling back.
    pub async fn run(self, connection: &mut AnyConnection) -> Result<bool> {
        if self.0.is_empty() {
            return Ok(true);
        }
        let (engine, expected) = (Engine::of(connection), self.0.len());
        let sql = self.sql(engine);
        let query = bound(sqlx::query(AssertSqlSafe(sql)), self.0.into_iter().flat_map(|insert| insert.values));
        let written = match engine {
            // Counts the rows of all.
            Engine::Sqlite => query.execute(connection).await?.rows_affected(),
            Engine::Postgres => {
                let row = query.fetch_one(connection).await?;
                u64::try_from(Row::of("script", &row).integer("written")?).unwrap_or_default()
            }
        };
        Ok(written == expected as u64)
    }

    /// One text with the values of all numbered through.
    fn sql(&self, engine: Engine) -> String {
        let mut text = String::new();
        let mut bound = 0;
        for (number, insert) in self.0.iter().enumerate() {
            let numbered = numbered_from(insert.sql, bound);
            bound += insert.values.len();
            // To a `String` nothing fails.
            let _ = match engine {
                Engine::Sqlite => write!(text, "{numbered}; "),
                Engine::Postgres => {
                    let before = if number == 0 { "WITH" } else { "," };
                    write!(text, "{before} w{number} AS ({numbered} RETURNING 1)")
                }
            };
        }
        if engine == Engine::Postgres {
            let counts: Vec<String> = (0..self.0.len()).map(|number| format!("(SELECT COUNT(*) FROM w{number})")).collect();
            let _ = write!(text, " SELECT {} AS written", counts.join(" + "));
        }
        text
    }
}

type AnyQuery = Query<'static, sqlx::Any, AnyArguments>;

fn bound(query: AnyQuery, values: impl IntoIterator<Item = Value>) -> AnyQuery {
    values.into_iter().fold(query, |query, value| match value {
        Value::Text(text) => query.bind(text),
        Value::Integer(number) => query.bind(number),
    })
}

/// `$1` becomes the number after `before`, and so on. No text of ours has a `$` for anything else.
fn numbered_from(sql: &str, before: usize) -> String {
    let mut parts = sql.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        let _ = write!(out, "${}{rest}", number.parse::<usize>().unwrap_or_default() + before);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::for_each_engine;

    fn setting(key: &str, value: &str) -> Insert {
        Insert::new("INSERT INTO settings (key, value, version) VALUES ($1, $2, 1) ON CONFLICT (key) DO NOTHING").bind(key).bind(value)
    }

    #[test]
    fn values_are_numbered_through() {
        assert_eq!(numbered_from("VALUES ($1, $2, $1)", 40), "VALUES ($41, $42, $41)");
        assert_eq!(numbered_from("SELECT $12", 0), "SELECT $12");
        assert_eq!(numbered_from("SELECT 1", 3), "SELECT 1");
    }

    #[tokio::test]
    async fn all_are_written_in_one_trip_and_a_row_that_was_not_is_noticed() {
        for_each_engine("all_are_written_in_one_trip_and_a_row_that_was_not_is_noticed", |test| async move {
            let mut write = test.database.begin_write().await.expect("a transaction");
            let mut script = Script::default();
            script.extend([setting("one", "1"), setting("two", "2"), setting("three", "3")]);
            assert!(script.run(&mut write).await.expect("run"));
            let rows = sqlx::query("SELECT key FROM settings WHERE key IN ('one', 'two', 'three') ORDER BY value")
                .fetch_all(&mut *write)
                .await
                .expect("rows");
            let rows: Vec<_> = rows.iter().map(|row| Row::of("settings", row).text("key").expect("a key")).collect();
            assert_eq!(rows, ["one", "two", "three"], "each with its own value");

            let mut script = Script::default();
            script.extend([setting("four", "4"), setting("two", "2")]);
            assert!(!script.run(&mut write).await.expect("run"), "the second is there");
            assert!(Script::default().run(&mut write).await.expect("run"), "nothing is missing of nothing");
            assert!(setting("five", "5").run(&mut write).await.expect("run"));
            assert!(!setting("five", "5").run(&mut write).await.expect("run"));
        })
        .await;
    }

    #[tokio::test]
    async fn a_statement_that_fails_fails_all() {
        for_each_engine("a_statement_that_fails_fails_all", |test| async move {
            let mut write = test.database.begin_write().await.expect("a transaction");
            let mut script = Script::default();
            script.extend([
                setting("one", "1"),
                Insert::new("INSERT INTO settings (key, value, version) VALUES ($1, $2, 1)").bind("one").bind(None::<String>),
            ]);
            script.run(&mut write).await.expect_err("a value must be there");
            drop(write);
            let mut read = test.database.read().await.expect("a connection");
            assert!(sqlx::query("SELECT 1 FROM settings WHERE key = 'one'").fetch_optional(&mut *read).await.expect("asked").is_none());
        })
        .await;
    }
}
