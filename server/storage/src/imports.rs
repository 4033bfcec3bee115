//! Lists that are taken over: the list, and each of its rows with what came of it.

use std::fmt::Write as _;

use domain::{
    ids::{ImportId, TenantId, UserId},
    imports::{Counts, Import, ImportKind, ImportRow, ImportState, RowResult, Verdict},
    people::PersonRef,
    time::Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{
    error::Result,
    row::{Row, json},
};

/// A list with its college.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub tenant: TenantId,
    pub import: Import,
    /// The person who started it last.
    pub started_by: Option<UserId>,
}

/// A row whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub row: ImportRow,
    /// The person who typed it anew; `None` for a row as it was uploaded.
    pub mended_by: Option<UserId>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.tenant_id, i.kind, i.file_name, i.state, i.created_by, i.started_by, u.login, u.name, i.created_at, i.finished_at, i.links_at, ",
            "COALESCE(r.new_rows, 0) AS new_rows, COALESCE(r.change_rows, 0) AS change_rows, COALESCE(r.same_rows, 0) AS same_rows, ",
            "COALESCE(r.error_rows, 0) AS error_rows, COALESCE(r.done_rows, 0) AS done_rows, COALESCE(r.failed_rows, 0) AS failed_rows ",
            "FROM imports i JOIN users u ON u.id = i.created_by LEFT JOIN (SELECT import_id, ",
            "CAST(SUM(CASE WHEN verdict = 'new' THEN 1 ELSE 0 END) AS BIGINT) AS new_rows, ",
            "CAST(SUM(CASE WHEN verdict = 'change' THEN 1 ELSE 0 END) AS BIGINT) AS change_rows, ",
            "CAST(SUM(CASE WHEN verdict = 'unchanged' THEN 1 ELSE 0 END) AS BIGINT) AS same_rows, ",
            "CAST(SUM(CASE WHEN verdict = 'error' THEN 1 ELSE 0 END) AS BIGINT) AS error_rows, ",
            "CAST(SUM(CASE WHEN result = 'done' THEN 1 ELSE 0 END) AS BIGINT) AS done_rows, ",
            "CAST(SUM(CASE WHEN result = 'failed' THEN 1 ELSE 0 END) AS BIGINT) AS failed_rows ",
            "FROM import_rows GROUP BY import_id) r ON r.import_id = i.id ",
            $rest
        )
    };
}

fn read(row: &AnyRow) -> Result<Stored> {
    let row = Row::of("imports", row);
    let counts = Counts {
        new: row.count("new_rows")?,
        change: row.count("change_rows")?,
        unchanged: row.count("same_rows")?,
        error: row.count("error_rows")?,
        done: row.count("done_rows")?,
        failed: row.count("failed_rows")?,
    };
    let import = Import {
        id: row.parse("id")?,
        kind: row.state("kind", ImportKind::parse)?,
        file_name: row.text("file_name")?,
        state: row.state("state", ImportState::parse)?,
        by: PersonRef { id: row.parse("created_by")?, login: row.text("login")?, name: row.text("name")? },
        created_at: row.timestamp("created_at")?,
        finished_at: row.optional_timestamp("finished_at")?,
        links_at: row.optional_timestamp("links_at")?,
        counts,
    };
    Ok(Stored { tenant: row.parse("tenant_id")?, import, started_by: row.optional_parse("started_by")? })
}

fn read_row(row: &AnyRow) -> Result<ImportRow> {
    let row = Row::of("import_rows", row);
    Ok(ImportRow {
        number: row.count("number")?,
        cells: row.json("cells")?,
        verdict: row.state("verdict", Verdict::parse)?,
        problems: row.json("problems")?,
        result: row.optional_text("result")?.map(|_| row.state("result", RowResult::parse)).transpose()?,
        changes: Vec::new(),
    })
}

/// The list itself, without rows; its counts are not stored.
pub async fn insert(connection: &mut AnyConnection, tenant: TenantId, import: &Import) -> Result<()> {
    sqlx::query("INSERT INTO imports (id, tenant_id, kind, file_name, state, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(import.id.to_string())
        .bind(tenant.to_string())
        .bind(import.kind.as_str())
        .bind(import.file_name.clone())
        .bind(import.state.as_str())
        .bind(import.by.id.to_string())
        .bind(import.created_at.micros())
        .execute(connection)
        .await?;
    Ok(())
}

/// Rows in one statement for each hundred: a statement has so many places for values.
pub async fn insert_rows(connection: &mut AnyConnection, import: ImportId, rows: &[ImportRow]) -> Result<()> {
    for rows in rows.chunks(100) {
        let mut sql = String::from("INSERT INTO import_rows (import_id, number, cells, verdict, problems) VALUES ");
        for index in 0..rows.len() {
            let first = index * 4 + 2;
            if index > 0 {
                sql.push_str(", ");
            }
            // Writing to a string does not fail.
            let _ = write!(sql, "($1, ${first}, ${}, ${}, ${})", first + 1, first + 2, first + 3);
        }
        // Only placeholders were put together.
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(import.to_string());
        for row in rows {
            query = query.bind(i64::from(row.number)).bind(json(&row.cells)).bind(row.verdict.as_str()).bind(json(&row.problems));
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

pub async fn by_id(connection: &mut AnyConnection, id: ImportId) -> Result<Option<Stored>> {
    sqlx::query(select!("WHERE i.id = $1")).bind(id.to_string()).fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// Of a college, newest first.
pub async fn list(connection: &mut AnyConnection, tenant: TenantId, after: Option<ImportId>, limit: u32) -> Result<Vec<Import>> {
    let rows = sqlx::query(select!("WHERE i.tenant_id = $1 AND ($2 IS NULL OR i.id < $2) ORDER BY i.id DESC LIMIT $3"))
        .bind(tenant.to_string())
        .bind(after.map(|id| id.to_string()))
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| read(row).map(|stored| stored.import)).collect()
}

/// The list that has been running for longest.
pub async fn running(connection: &mut AnyConnection) -> Result<Option<Stored>> {
    sqlx::query(select!("WHERE i.state = 'running' ORDER BY i.id LIMIT 1")).fetch_optional(connection).await?.as_ref().map(read).transpose()
}

/// Rows after `after`, of one verdict when given, in order.
pub async fn rows(connection: &mut AnyConnection, import: ImportId, verdict: Option<Verdict>, after: u32, limit: u32) -> Result<Vec<ImportRow>> {
    let rows = sqlx::query(
        "SELECT number, cells, verdict, problems, result FROM import_rows \
         WHERE import_id = $1 AND number > $2 AND ($3 IS NULL OR verdict = $3) ORDER BY number LIMIT $4",
    )
    .bind(import.to_string())
    .bind(i64::from(after))
    .bind(verdict.map(Verdict::as_str))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(read_row).collect()
}

/// Rows whose turn it is, in order.
pub async fn waiting(connection: &mut AnyConnection, import: ImportId, limit: u32) -> Result<Vec<Waiting>> {
    let rows = sqlx::query(
        "SELECT number, cells, verdict, problems, result, mended_by FROM import_rows \
         WHERE import_id = $1 AND result IS NULL AND verdict IN ('new', 'change') ORDER BY number LIMIT $2",
    )
    .bind(import.to_string())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok(Waiting { row: read_row(row)?, mended_by: Row::of("import_rows", row).optional_parse("mended_by")? })).collect()
}

/// A row as this person typed it anew, looked at again.
pub async fn set_row(connection: &mut AnyConnection, import: ImportId, row: &ImportRow, by: UserId) -> Result<()> {
    sqlx::query("UPDATE import_rows SET cells = $1, verdict = $2, problems = $3, result = $4, mended_by = $5 WHERE import_id = $6 AND number = $7")
        .bind(json(&row.cells))
        .bind(row.verdict.as_str())
        .bind(json(&row.problems))
        .bind(row.result.map(RowResult::as_str))
        .bind(by.to_string())
        .bind(import.to_string())
        .bind(i64::from(row.number))
        .execute(connection)
        .await?;
    Ok(())
}

/// What came of a row. `subject`: the person or course that it is about.
pub async fn finish_row(connection: &mut AnyConnection, import: ImportId, row: &ImportRow, subject: Option<&str>, at: Timestamp) -> Result<()> {
    sqlx::query(
        "UPDATE import_rows SET verdict = $1, problems = $2, result = $3, subject_id = $4, done_at = $5 WHERE import_id = $6 AND number = $7",
    )
    .bind(row.verdict.as_str())
    .bind(json(&row.problems))
    .bind(row.result.map(RowResult::as_str))
    .bind(subject.map(ToOwned::to_owned))
    .bind(at.micros())
    .bind(import.to_string())
    .bind(i64::from(row.number))
    .execute(connection)
    .await?;
    Ok(())
}

/// Has the list run in the name of this person.
pub async fn start(connection: &mut AnyConnection, id: ImportId, by: UserId) -> Result<()> {
    sqlx::query("UPDATE imports SET state = $1, finished_at = NULL, started_by = $2 WHERE id = $3")
        .bind(ImportState::Running.as_str())
        .bind(by.to_string())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

pub async fn set_state(connection: &mut AnyConnection, id: ImportId, state: ImportState, finished_at: Option<Timestamp>) -> Result<()> {
    sqlx::query("UPDATE imports SET state = $1, finished_at = $2 WHERE id = $3")
        .bind(state.as_str())
        .bind(finished_at.map(Timestamp::micros))
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that the links were taken: `false` when they were before.
pub async fn take_links(connection: &mut AnyConnection, id: ImportId, at: Timestamp) -> Result<bool> {
    let done = sqlx::query("UPDATE imports SET links_at = $1 WHERE id = $2 AND links_at IS NULL")
        .bind(at.micros())
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// People whom the list made and who have no password yet, by row.
pub async fn unlinked(connection: &mut AnyConnection, id: ImportId) -> Result<Vec<(UserId, String, String)>> {
    let rows = sqlx::query(
        "SELECT u.id AS id, u.login AS login, u.name AS name FROM import_rows r JOIN users u ON u.id = r.subject_id \
         WHERE r.import_id = $1 AND r.verdict = 'new' AND r.result = 'done' AND u.password_hash = '' AND u.disabled_at IS NULL ORDER BY r.number",
    )
    .bind(id.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("users", row);
            Ok((row.parse("id")?, row.text("login")?, row.text("name")?))
        })
        .collect()
}

#[cfg(test)]
mod tests;
