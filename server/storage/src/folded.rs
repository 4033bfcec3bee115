//! The column `folded` of every table that is searched by name or number: the row's texts folded by [`fold`], written with the row.
//! Databases do not fold the width of letters, and SQLite folds the case of English letters only. Another searched table needs the column,
//! a function here and a line in [`TABLES`].

use domain::{catalogue::Localized, text::fold};
use sqlx::AnyConnection;

use crate::{Database, database::Write, error::Result, row::Row};

/// Rows in one transaction of [`fill`].
const BATCH: i64 = 500;

fn joined(texts: &[&str]) -> String {
    fold(&texts.join(" "))
}

/// Folded texts of a person.
pub fn user(login: &str, name: &str) -> String {
    joined(&[login, name])
}

/// Folded texts of a course.
pub fn course(code: &str, name: &str) -> String {
    joined(&[code, name])
}

/// Folded texts of a lab; its course and owner have their own.
pub fn lab(name: &str, offering: &Localized) -> String {
    joined(&[name, &offering.zh, &offering.en])
}

/// Folded texts of an order; its course and owner have their own.
pub fn order(number: i64, offering: &Localized, purpose: &str) -> String {
    joined(&[&format!("#{number}"), &offering.zh, &offering.en, purpose])
}

/// How to read the rows of an earlier version, compute the text of one, and store it.
struct Table {
    name: &'static str,
    select: &'static str,
    text: fn(&Row<'_>) -> Result<String>,
    update: &'static str,
}

const TABLES: [Table; 4] = [
    Table {
        name: "users",
        select: "SELECT id, login, name FROM users WHERE folded IS NULL ORDER BY id LIMIT $1",
        text: |row| Ok(user(&row.text("login")?, &row.text("name")?)),
        update: "UPDATE users SET folded = $1 WHERE id = $2 AND folded IS NULL",
    },
    Table {
        name: "courses",
        select: "SELECT id, code, name FROM courses WHERE folded IS NULL ORDER BY id LIMIT $1",
        text: |row| Ok(course(&row.text("code")?, &row.text("name")?)),
        update: "UPDATE courses SET folded = $1 WHERE id = $2 AND folded IS NULL",
    },
    Table {
        name: "labs",
        select: "SELECT id, name, offering_name FROM labs WHERE folded IS NULL ORDER BY id LIMIT $1",
        text: |row| Ok(lab(&row.text("name")?, &row.json("offering_name")?)),
        update: "UPDATE labs SET folded = $1 WHERE id = $2 AND folded IS NULL",
    },
    Table {
        name: "orders",
        select: "SELECT id, number, offering_name, purpose FROM orders WHERE folded IS NULL ORDER BY id LIMIT $1",
        text: |row| Ok(order(row.integer("number")?, &row.json("offering_name")?, &row.text("purpose")?)),
        update: "UPDATE orders SET folded = $1 WHERE id = $2 AND folded IS NULL",
    },
];

/// Fills the column in rows of an earlier version. Several processes may run it at the same time, and it may be interrupted at any point.
pub(crate) async fn fill(database: &Database) -> Result<()> {
    for table in &TABLES {
        loop {
            let rows = unfolded(table, &mut *database.read().await?).await?;
            if rows.is_empty() {
                break;
            }
            // All processes update the rows in the order of their ids, so that they cannot deadlock.
            let mut write: Write = database.begin_write().await?;
            for (id, text) in rows {
                sqlx::query(table.update).bind(text).bind(id).execute(&mut *write).await?;
            }
            write.commit().await?;
        }
    }
    Ok(())
}

async fn unfolded(table: &Table, connection: &mut AnyConnection) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query(table.select).bind(BATCH).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let row = Row::of(table.name, row);
            Ok((row.text("id")?, (table.text)(&row)?))
        })
        .collect()
}
