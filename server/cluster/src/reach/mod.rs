//! Connections, programs and logs of a lab's pods. Each call looks up its pod first: by the running watch, else by one request. If the pod is gone, is
//! ending or was replaced by another of its name, nothing is sent. Only the opening of a stream has a deadline, the stream itself has none.
//! To add a way in: a file here, which calls `pod`, `in_time` and `unchanged` in this order, and a method of `Workloads`.

mod connect;
mod exec;
#[cfg(test)]
mod fake_socket;
mod forward;
mod load;
mod logs;
mod meaning;
mod pod;
mod program;

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Resource, core::Request};
use services::ports::{ClusterError, PodTarget};

pub use self::{
    connect::Dial,
    pod::{Found, check_pod},
};
use crate::{
    client::Kubernetes,
    errors::{DEADLINE, within},
};

impl Kubernetes {
    /// Looks the pod up. Errors: `Busy` if it is gone, is ending or is another one by now.
    async fn pod(&self, target: &PodTarget) -> Result<Found, ClusterError> {
        match self.mirror.pod(target) {
            Some(known) => known,
            None => check_pod(within(self.pods(target).get_opt(&target.name)).await?.as_ref(), target),
        }
    }

    /// Looks the pod up again after a stream was opened, since the server opens it by the name alone: the pod may have been replaced
    /// meanwhile. It costs no request, so it sees this only while a watch runs.
    fn unchanged(&self, target: &PodTarget) -> Result<(), ClusterError> {
        self.mirror.pod(target).map_or(Ok(()), |known| known.map(drop))
    }

    /// Opens a stream within the deadline.
    async fn in_time<T>(&self, target: &PodTarget, opening: impl Future<Output = Result<T, ClusterError>>) -> Result<T, ClusterError> {
        if let Ok(outcome) = tokio::time::timeout(DEADLINE, opening).await {
            return outcome;
        }
        let message = format!("no stream to pod {} within {} s", target.name, DEADLINE.as_secs());
        // The server passes the call on to the pod's node. While the watch gets its answers, the node is the problem.
        Err(if self.mirror.pod(target).is_some() { ClusterError::Busy(message) } else { ClusterError::Away(message) })
    }

    fn pods(&self, target: &PodTarget) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &target.namespace)
    }
}

/// Makes requests for the pods of the target's namespace.
fn request(target: &PodTarget) -> Request {
    Request::new(Pod::url_path(&(), Some(&target.namespace)))
}
