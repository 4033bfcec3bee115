//! The Secret with a lab's own secret, kept as it is to be. Secrets are never read, since with that right the portal could read every one: what
//! another client changed or deleted is not seen, so the Secret is written again after a while. Writing the same changes nothing.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{ids::LabId, labs::LabState};
use services::ports::{ClusterError, LabOrder};
use tokio::time::Instant;

use crate::{client::Kubernetes, manifests};

/// A container that is started again in a running lab reads the Secret anew.
const WHILE_RUNNING: Duration = Duration::from_mins(5);
/// Pods that are to come read it now, and wait if it is not there.
const WHILE_STARTING: Duration = Duration::from_secs(15);

/// When the Secret of each lab was written, and for which generation of its pods.
#[derive(Default)]
pub struct Written(Mutex<HashMap<LabId, (u32, Instant)>>);

impl Written {
    fn known(&self) -> MutexGuard<'_, HashMap<LabId, (u32, Instant)>> {
        // A panic under the lock leaves at worst a time too old.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the Secret is to be written again.
    fn is_due(&self, lab: LabId, generation: u32, state: LabState) -> bool {
        let pause = if state == LabState::Running { WHILE_RUNNING } else { WHILE_STARTING };
        self.known().get(&lab).is_none_or(|(written, at)| *written != generation || at.elapsed() >= pause)
    }

    /// Notes that it was written now.
    pub fn note(&self, lab: LabId, generation: u32) {
        self.known().insert(lab, (generation, Instant::now()));
    }

    pub fn forget(&self, lab: LabId) {
        self.known().remove(&lab);
    }
}

impl Kubernetes {
    pub(crate) async fn keep_own_secret(&self, order: &LabOrder) -> Result<(), ClusterError> {
        let (lab, generation) = (&order.lab, order.lab.lifecycle.generation);
        if !self.own_secrets.is_due(lab.id, generation, lab.state) {
            return Ok(());
        }
        let Some(secret) = manifests::own_secret(order) else { return Ok(()) };
        self.apply(&lab.namespace, &secret).await?;
        self.own_secrets.note(lab.id, generation);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_written_again_for_new_pods_and_after_a_while() {
        let (written, lab) = (Written::default(), LabId::from_uuid(uuid::Uuid::from_u128(7)));
        assert!(written.is_due(lab, 0, LabState::Running), "after a restart of the portal nothing is known");
        written.note(lab, 0);
        assert!(written.is_due(lab, 1, LabState::Running), "other pods have another secret");
        assert!(!written.is_due(lab, 0, LabState::Starting));
        tokio::time::advance(WHILE_STARTING).await;
        assert!(written.is_due(lab, 0, LabState::Starting) && !written.is_due(lab, 0, LabState::Running));
        tokio::time::advance(WHILE_RUNNING).await;
        assert!(written.is_due(lab, 0, LabState::Running));
        written.note(lab, 0);
        written.forget(lab);
        assert!(written.is_due(lab, 0, LabState::Running));
    }
}
