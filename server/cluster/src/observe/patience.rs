//! For how long pods have been stuck, by our own clock: what Kubernetes notes of it differs from version to version, and a pull or a crash
//! may heal by itself. After a restart of Lectern the count begins anew, which only makes it more patient.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::Pod;
use tokio::time::Instant;

use super::failure;

/// Pods that nobody asked about for so long are gone.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(1);

#[derive(Default)]
pub struct Patience {
    /// By pod: since when, and when it was last asked about.
    stuck: Mutex<HashMap<String, (Instant, Instant)>>,
}

impl Patience {
    /// For how long each of these pods has been stuck, by its uid; those that are not are left out.
    pub fn look(&self, pods: &[Pod]) -> BTreeMap<String, Duration> {
        let now = Instant::now();
        let mut known = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, asked)| now - *asked < FORGOTTEN_AFTER);
        let mut waits = BTreeMap::new();
        for pod in pods {
            let Some(uid) = pod.metadata.uid.clone() else { continue };
            if failure::is_stuck(pod) {
                let (since, asked) = known.entry(uid.clone()).or_insert((now, now));
                *asked = now;
                waits.insert(uid, now - *since);
            } else {
                known.remove(&uid);
            }
        }
        waits
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(reason: &str) -> Pod {
        let state = json!({ "waiting": { "reason": reason } });
        let status = json!([{ "name": "lab", "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": state }]);
        serde_json::from_value(json!({ "metadata": { "name": "lab-7-0", "uid": "u" }, "status": { "containerStatuses": status } })).expect("a pod")
    }

    #[tokio::test(start_paused = true)]
    async fn a_pod_is_stuck_since_it_was_first_seen_so_and_not_once_it_moved_on() {
        let patience = Patience::default();
        assert_eq!(patience.look(&[pod("ContainerCreating")]).len(), 0);
        assert_eq!(patience.look(&[pod("ImagePullBackOff")])["u"], Duration::ZERO);
        tokio::time::advance(Duration::from_secs(7)).await;
        // The kubelet goes back and forth between the two as it tries again.
        assert_eq!(patience.look(&[pod("ErrImagePull")])["u"], Duration::from_secs(7));
        assert_eq!(patience.look(&[pod("ContainerCreating")]).len(), 0);
        assert_eq!(patience.look(&[pod("ImagePullBackOff")])["u"], Duration::ZERO);
    }
}
