//! Single pods of labs, for calls to them.

use k8s_openapi::api::core::v1::Pod;
use services::ports::{ClusterError, PodTarget};

use super::Contents;
use crate::reach::{Found, check_pod};

impl Contents {
    /// The pod, if it is still the one asked for; `None` while the watch is incomplete. Copies no object: each call to a pod asks.
    pub fn pod(&self, target: &PodTarget) -> Option<Result<Found, ClusterError>> {
        self.is_complete().then(|| check_pod(self.pod_named(&target.namespace, &target.name), target))
    }

    fn pod_named(&self, namespace: &str, name: &str) -> Option<&Pod> {
        let lab = self.lab_named(namespace, name)?;
        self.labs.get(&(namespace.to_owned(), lab))?.pods.get(name)
    }
}
