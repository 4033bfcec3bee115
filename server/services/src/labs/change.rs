//! What people ask of a lab. Each writes the wanted state and a piece of work; the reconciler does the rest.

use domain::{Result, ids::LabId, labs::LabView};

use crate::{Caller, Services};

/// From stopped or failed; cards are reserved again or the lab waits for them. Asking again for what is already so is no error.
pub async fn start(_services: &Services, _caller: &Caller, _id: LabId) -> Result<LabView> {
    todo!()
}

pub async fn stop(_services: &Services, _caller: &Caller, _id: LabId) -> Result<LabView> {
    todo!()
}

pub async fn destroy(_services: &Services, _caller: &Caller, _id: LabId) -> Result<LabView> {
    todo!()
}

/// Stops labs whose ordered time is over; returns how many.
pub async fn stop_ended(_services: &Services) -> Result<u32> {
    todo!()
}
