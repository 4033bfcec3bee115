//! What the cluster has of a lab now. A running watch knows, else `fetch` asks; `Seen` holds the answers, the other files draw conclusions from it without asking.

mod conditions;
pub mod events;
mod failure;
mod fetch;
mod patience;
mod phase;
mod seen;
mod times;

use domain::labs::{Observation, ObservedPhase};
use services::ports::{ClusterError, LabOrder};

pub use self::{
    fetch::order_of_pods,
    patience::Patience,
    seen::{Seen, Workload, pod_phase, stamp},
};
use crate::{client::Kubernetes, volumes};

impl Kubernetes {
    pub(crate) async fn observe_lab(&self, order: &LabOrder) -> Result<Observation, ClusterError> {
        let mut seen = match self.mirror.seen(order) {
            Some(seen) => seen,
            None => self.fetch(order).await?,
        };
        seen.stuck = self.patience.look(&seen.pods);
        seen.ordered = usize::try_from(order.lab.spec.nodes).ok();
        let mut observation = conclude(&seen);
        let generation = order.lab.lifecycle.generation;
        observation.outdated = count(seen.outdated(generation));
        observation.members = seen.members(generation);
        Ok(observation)
    }
}

fn conclude(seen: &seen::Seen) -> Observation {
    let failure = failure::failure(seen);
    let phase = phase::phase(seen, failure.is_some());
    Observation {
        pods: count(seen.pods.len()),
        ready: count(seen.ready()),
        phase,
        ready_since: times::ready_since(seen).filter(|_| phase == ObservedPhase::Ready),
        ended_at: times::ended_at(seen, phase),
        failure,
        outdated: 0,
        members: Vec::new(),
        nodes: seen.nodes(),
        conditions: conditions::conditions(seen),
        events: events::readable(&seen.events),
        objects: seen.objects(),
        drift: seen.drift.clone(),
        volume: seen.volume.as_ref().map(volumes::of_claim),
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
