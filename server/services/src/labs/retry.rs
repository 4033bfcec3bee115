//! Trying a failed lab again. What it failed of is kept, the first time above all; it asks for cards as every start does.

use domain::{
    Error, Result,
    access::Action,
    ids::LabId,
    labs::{LabState, LabView},
};

use super::{load, read, start};
use crate::{Caller, Services};

/// Asking again for what is already under way is no error.
///
/// Errors: `InvalidTransition` for a lab that did not fail, and when its ordered time is over (state `ended`).
pub async fn retry(services: &Services, caller: &Caller, id: LabId) -> Result<LabView> {
    load::changing(services, caller, Action::LabStart, id, || change(services, caller, id)).await?;
    read::view(services, caller, id).await
}

pub(super) async fn change(services: &Services, caller: &Caller, id: LabId) -> Result<()> {
    let state = load::seen(services, id).await?.ok_or(Error::NotFound)?.state;
    match state {
        LabState::Failed | LabState::Pending | LabState::Starting | LabState::Running => start::change(services, caller, id).await,
        _ => Err(Error::InvalidTransition { state: state.as_str().into(), event: "retry".into() }),
    }
}
