//! Every failure of a lab, the first one kept whatever comes after.

use domain::{
    ids::LabId,
    labs::{FailedAttempt, Failure, Observation},
};
use sqlx::AnyConnection;

use crate::{
    error::Result,
    row::{Row, json},
};

/// Adds the next failure; its number is the next within the lab.
pub async fn add_failure(connection: &mut AnyConnection, lab: LabId, failure: &Failure, evidence: Option<&Observation>) -> Result<()> {
    let Failure { reason, message, at } = failure;
    sqlx::query(
        "INSERT INTO lab_failures (lab_id, attempt, at, reason, message, evidence) \
         SELECT $1, COALESCE(MAX(attempt), 0) + 1, $2, $3, $4, $5 FROM lab_failures WHERE lab_id = $1",
    )
    .bind(lab.to_string())
    .bind(at.micros())
    .bind(reason.clone())
    .bind(message.clone())
    .bind(evidence.map(json))
    .execute(connection)
    .await?;
    Ok(())
}

/// The first one first.
pub async fn failures(connection: &mut AnyConnection, lab: LabId) -> Result<Vec<FailedAttempt>> {
    let rows = sqlx::query("SELECT attempt, at, reason, message, evidence FROM lab_failures WHERE lab_id = $1 ORDER BY attempt")
        .bind(lab.to_string())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of("lab_failures", row);
            Ok(FailedAttempt {
                attempt: row.count("attempt")?,
                failure: Failure { reason: row.text("reason")?, message: row.text("message")?, at: row.timestamp("at")? },
                evidence: row.optional_json("evidence")?,
            })
        })
        .collect()
}
