//! Makes the cluster as the database wants it, one lab at a time, and writes down what the cluster reports.

use domain::{Result, ids::LabId};

use crate::Services;

/// One step for one lab: apply, stop or destroy if wanted, then observe. Returns whether another step is wanted soon.
pub async fn lab(_services: &Services, _id: LabId) -> Result<bool> {
    todo!()
}

/// Does all work that is due; returns how many pieces.
pub async fn due(_services: &Services) -> Result<u32> {
    todo!()
}
