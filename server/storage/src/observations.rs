//! The last thing that the cluster said of each lab.

use domain::{ids::LabId, labs::Observation, time::Timestamp};
use sqlx::AnyConnection;

use crate::{
    error::Result,
    row::{Row, json},
};

/// Writes the observation in place of the one before.
pub async fn put(connection: &mut AnyConnection, lab: LabId, observation: &Observation, at: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO lab_observations (lab_id, document, observed_at) VALUES ($1, $2, $3) \
         ON CONFLICT (lab_id) DO UPDATE SET document = excluded.document, observed_at = excluded.observed_at",
    )
    .bind(lab.to_string())
    .bind(json(observation))
    .bind(at.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// The last observation and its time; `None` before the first.
pub async fn get(connection: &mut AnyConnection, lab: LabId) -> Result<Option<(Observation, Timestamp)>> {
    let row =
        sqlx::query("SELECT document, observed_at FROM lab_observations WHERE lab_id = $1").bind(lab.to_string()).fetch_optional(connection).await?;
    row.map(|row| {
        let row = Row::of("lab_observations", &row);
        Ok((row.json("document")?, row.timestamp("observed_at")?))
    })
    .transpose()
}
