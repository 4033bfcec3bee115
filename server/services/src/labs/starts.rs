//! The steps of a lab's start: shown while it starts, stored when it is ready.

use domain::{
    Result,
    ids::OfferingId,
    labs::{
        Lab, LabState, Observation, StateChange,
        start::{StepTime, durations, start_steps, with_usual},
    },
};
use storage::AnyConnection;

use crate::error::OrDomain;

/// The steps of the last start of a lab that is up; while it still starts, with their usual times. Two statements then, one while it runs.
pub(super) async fn steps(connection: &mut AnyConnection, lab: &Lab, history: &[StateChange], seen: &Observation) -> Result<Vec<StepTime>> {
    if !matches!(lab.state, LabState::Pending | LabState::Starting | LabState::Running) {
        return Ok(Vec::new());
    }
    let Some((steps, offering)) = of_last_start(connection, lab, history, seen).await? else { return Ok(Vec::new()) };
    if lab.state == LabState::Running {
        return Ok(steps);
    }
    Ok(with_usual(steps, &storage::labs::earlier_starts(connection, offering).await.or_domain()?))
}

/// Stores how long the start of a lab took that has just become ready, in the transaction that says so.
pub(crate) async fn store(connection: &mut AnyConnection, lab: &Lab, seen: &Observation) -> Result<()> {
    let history = storage::labs::history(connection, lab.id).await.or_domain()?;
    let Some(ready) = history.last().filter(|change| change.to == LabState::Running).map(|change| change.at) else { return Ok(()) };
    let Some((steps, offering)) = of_last_start(connection, lab, &history, seen).await? else { return Ok(()) };
    match durations(&steps) {
        Some(durations) => storage::labs::add_start(connection, lab.id, ready, offering, &durations).await.or_domain(),
        None => Ok(()),
    }
}

async fn of_last_start(
    connection: &mut AnyConnection,
    lab: &Lab,
    history: &[StateChange],
    seen: &Observation,
) -> Result<Option<(Vec<StepTime>, OfferingId)>> {
    let order = storage::labs::order_times(connection, lab.order).await.or_domain()?;
    Ok(order.map(|(times, offering)| (start_steps(times, history, seen), offering)))
}
