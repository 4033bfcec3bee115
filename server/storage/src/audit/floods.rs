//! Refused attempts of nobody in particular, counted per action, source and minute.

use domain::audit::Via;
use sqlx::AnyConnection;

use crate::{error::Result, row::Row};

/// What one source tried in one minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flood {
    pub action: String,
    pub via: Via,
    /// Empty when unknown.
    pub address: String,
    /// Minutes since 1970.
    pub minute: i64,
    /// What was typed last as a login; may be empty.
    pub login: String,
    /// Code of the last refusal.
    pub code: String,
    pub attempts: i64,
}

/// Makes the row of a source's minute; `false` when it is there.
pub async fn begin(connection: &mut AnyConnection, flood: &Flood) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO audit_floods (action, via, address, minute, login, code, attempts) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (action, via, address, minute) DO NOTHING",
    )
    .bind(flood.action.clone())
    .bind(flood.via.as_str())
    .bind(flood.address.clone())
    .bind(flood.minute)
    .bind(flood.login.clone())
    .bind(flood.code.clone())
    .bind(flood.attempts)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Adds attempts to a row that [`begin`] made; login and code are those of the last.
pub async fn count(connection: &mut AnyConnection, flood: &Flood) -> Result<()> {
    sqlx::query(
        "UPDATE audit_floods SET attempts = attempts + $1, login = $2, code = $3 \
         WHERE action = $4 AND via = $5 AND address = $6 AND minute = $7",
    )
    .bind(flood.attempts)
    .bind(flood.login.clone())
    .bind(flood.code.clone())
    .bind(flood.action.clone())
    .bind(flood.via.as_str())
    .bind(flood.address.clone())
    .bind(flood.minute)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether any minute before this one waits to be written.
pub async fn any_before(connection: &mut AnyConnection, minute: i64) -> Result<bool> {
    Ok(sqlx::query("SELECT minute FROM audit_floods WHERE minute < $1 LIMIT 1").bind(minute).fetch_optional(connection).await?.is_some())
}

/// Takes at most `limit` of the minutes before this one out of the table.
pub async fn take_before(connection: &mut AnyConnection, minute: i64, limit: i64) -> Result<Vec<Flood>> {
    let rows = sqlx::query(
        "DELETE FROM audit_floods WHERE (action, via, address, minute) IN \
         (SELECT action, via, address, minute FROM audit_floods WHERE minute < $1 ORDER BY minute, address, action, via LIMIT $2) \
         RETURNING action, via, address, minute, login, code, attempts",
    )
    .bind(minute)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("audit_floods", row);
            Ok(Flood {
                action: row.text("action")?,
                via: row.state("via", Via::parse)?,
                address: row.text("address")?,
                minute: row.integer("minute")?,
                login: row.text("login")?,
                code: row.text("code")?,
                attempts: row.integer("attempts")?,
            })
        })
        .collect()
}
