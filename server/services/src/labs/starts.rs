//! The steps of a lab's start: shown while it starts, stored when it is ready.

use domain::{
    Result,
    ids::OfferingId,
    labs::{
        Lab, LabState, Observation, StateChange,
        start::{OrderTimes, StepTime, durations, start_steps, with_usual},
    },
};
use storage::{AnyConnection, labs::Listed};

use crate::{Services, error::OrDomain};

/// The steps of the last start of a lab that is up; while it still starts, with their usual times, which are asked for once a minute.
pub(super) async fn steps(
    services: &Services,
    connection: &mut AnyConnection,
    listed: &Listed,
    history: &[StateChange],
    seen: &Observation,
) -> Result<Vec<StepTime>> {
    of_order(services, connection, (listed.order, listed.offering), listed.lab.state, history, seen).await
}

/// The same of a lab by its order's times and offering.
pub(crate) async fn of_order(
    services: &Services,
    connection: &mut AnyConnection,
    (order, offering): (OrderTimes, OfferingId),
    state: LabState,
    history: &[StateChange],
    seen: &Observation,
) -> Result<Vec<StepTime>> {
    if !matches!(state, LabState::Pending | LabState::Starting | LabState::Running) {
        return Ok(Vec::new());
    }
    let steps = start_steps(order, history, seen);
    if state == LabState::Running {
        return Ok(steps);
    }
    let load = async { storage::labs::earlier_starts(connection, offering).await.or_domain() };
    let earlier = services.cache.starts.get_or_load(offering, services.clock.now(), load).await?;
    Ok(with_usual(steps, &earlier))
}

/// Stores how long the start of a lab took that has just become ready, in the transaction that says so.
pub(crate) async fn store(connection: &mut AnyConnection, lab: &Lab, seen: &Observation) -> Result<()> {
    let history = storage::labs::history(connection, lab.id).await.or_domain()?;
    let Some(ready) = history.last().filter(|change| change.to == LabState::Running).map(|change| change.at) else { return Ok(()) };
    let Some((order, offering)) = storage::labs::order_times(connection, lab.order).await.or_domain()? else { return Ok(()) };
    match durations(&start_steps(order, &history, seen)) {
        Some(durations) => storage::labs::add_start(connection, lab.id, ready, offering, &durations).await.or_domain(),
        None => Ok(()),
    }
}
