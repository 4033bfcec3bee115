//! Verifications of the chains that somebody asked for.

use domain::{
    audit::run::{ChainResult, Run, RunState},
    ids::{AuditRunId, TenantId},
    people::PersonRef,
    time::Timestamp,
};
use sqlx::{AnyConnection, any::AnyRow};

use crate::{
    error::Result,
    row::{Row, json},
};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.tenant_id, r.asked_by, u.login, u.name, r.asked_at, r.state, r.checked, r.total, r.finished_at, r.chains \
             FROM audit_runs r JOIN users u ON u.id = r.asked_by ",
            $rest
        )
    };
}

fn read(row: &AnyRow) -> Result<Run> {
    let row = Row::of("audit_runs", row);
    Ok(Run {
        id: row.parse("id")?,
        asked_by: PersonRef { id: row.parse("asked_by")?, login: row.text("login")?, name: row.text("name")? },
        asked_at: row.timestamp("asked_at")?,
        state: row.state("state", RunState::parse)?,
        checked: row.integer("checked")?,
        total: row.integer("total")?,
        finished_at: row.optional_timestamp("finished_at")?,
        chains: row.json("chains")?,
    })
}

pub async fn insert(connection: &mut AnyConnection, tenant: TenantId, run: &Run) -> Result<()> {
    sqlx::query(
        "INSERT INTO audit_runs (id, tenant_id, asked_by, asked_at, state, checked, total, finished_at, chains) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(run.id.to_string())
    .bind(tenant.to_string())
    .bind(run.asked_by.id.to_string())
    .bind(run.asked_at.micros())
    .bind(run.state.as_str())
    .bind(run.checked)
    .bind(run.total)
    .bind(run.finished_at.map(Timestamp::micros))
    .bind(json(&run.chains))
    .execute(connection)
    .await?;
    Ok(())
}

/// The tenant's last run that is over, and the one that is not: one statement for both.
pub async fn newest(connection: &mut AnyConnection, tenant: TenantId) -> Result<(Option<Run>, Option<Run>)> {
    let rows = sqlx::query(select!(
        "WHERE r.id IN (SELECT MAX(id) FROM audit_runs WHERE tenant_id = $1 AND state IN ('good', 'broken') \
         UNION ALL SELECT MAX(id) FROM audit_runs WHERE tenant_id = $1 AND state IN ('waiting', 'running'))"
    ))
    .bind(tenant.to_string())
    .fetch_all(connection)
    .await?;
    let mut newest = (None, None);
    for row in &rows {
        let run = read(row)?;
        if run.state.is_over() { newest.0 = Some(run) } else { newest.1 = Some(run) }
    }
    Ok(newest)
}

/// The last finished run of each tenant.
pub async fn last_of_each(connection: &mut AnyConnection) -> Result<Vec<(TenantId, Run)>> {
    let rows =
        sqlx::query(select!("WHERE r.id IN (SELECT MAX(id) FROM audit_runs WHERE state IN ('good', 'broken') GROUP BY tenant_id) ORDER BY r.id"))
            .fetch_all(connection)
            .await?;
    rows.iter().map(|row| Ok((Row::of("audit_runs", row).parse("tenant_id")?, read(row)?))).collect()
}

/// The oldest run that is not over, with its tenant.
pub async fn next_open(connection: &mut AnyConnection) -> Result<Option<(TenantId, Run)>> {
    let row = sqlx::query(select!("WHERE r.state IN ('waiting', 'running') ORDER BY r.id LIMIT 1")).fetch_optional(connection).await?;
    row.as_ref().map(|row| Ok((Row::of("audit_runs", row).parse("tenant_id")?, read(row)?))).transpose()
}

/// Notes how far an open run is.
pub async fn set_progress(connection: &mut AnyConnection, id: AuditRunId, checked: i64, total: i64) -> Result<()> {
    sqlx::query("UPDATE audit_runs SET state = 'running', checked = $1, total = $2 WHERE id = $3 AND state IN ('waiting', 'running')")
        .bind(checked)
        .bind(total)
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends an open run; `false` when it is over already.
pub async fn finish(connection: &mut AnyConnection, id: AuditRunId, state: RunState, chains: &[ChainResult], at: Timestamp) -> Result<bool> {
    let checked: i64 = chains.iter().map(|chain| chain.checked).sum();
    let done = sqlx::query(
        "UPDATE audit_runs SET state = $1, chains = $2, checked = $3, finished_at = $4 WHERE id = $5 AND state IN ('waiting', 'running')",
    )
    .bind(state.as_str())
    .bind(json(&chains))
    .bind(checked)
    .bind(at.micros())
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
