//! What a cluster must do for Lectern, whatever cluster it is.

pub mod destroy;
pub mod ends;
pub mod failures;
pub mod life;
pub mod network;
pub mod reach;

use domain::labs::{Observation, ObservedPhase};
use services::ports::{LabOrder, Workloads};

use crate::support::{rig::Rig, until};

/// Waits until the lab is seen in this phase.
pub async fn phase(rig: &Rig, order: &LabOrder, phase: ObservedPhase) -> Observation {
    observed(rig, order, &format!("phase {phase:?}"), |seen| seen.phase == phase).await
}

/// Waits until what is seen of the lab is good.
pub async fn observed(rig: &Rig, order: &LabOrder, what: &str, good: impl Fn(&Observation) -> bool) -> Observation {
    until(what, || rig.cluster.observe(order), |seen| seen.as_ref().is_ok_and(&good)).await.expect("until")
}
