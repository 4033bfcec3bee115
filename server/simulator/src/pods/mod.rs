//! What runs inside a simulated pod: a small HTTP server on each port that a running container declares (`site`), and a few programs for exec
//! and attach (`process`). Nothing leaves the simulator's process: a connection is a pipe in memory. Containers that are processes of this
//! machine are in `local` instead.

mod choice;
mod environment;
mod ports;
pub mod process;
mod site;

use std::sync::Arc;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub use self::{
    choice::container_of,
    environment::Environment,
    ports::{Connection, dial},
};
use crate::{
    faults::Switchboard,
    local::Local,
    store::{Key, Object, Store},
    value,
};

/// A pod that was found, for as long as it is the same pod.
#[derive(Debug, Clone)]
pub struct Place {
    store: Arc<Store>,
    faults: Arc<Switchboard>,
    stopping: CancellationToken,
    key: Key,
    uid: String,
    node: String,
    /// Where containers are processes of this machine.
    local: Option<Arc<Local>>,
}

impl Place {
    pub fn new(store: &Arc<Store>, faults: &Arc<Switchboard>, stopping: &CancellationToken, pod: &Value) -> Self {
        Self {
            store: Arc::clone(store),
            faults: Arc::clone(faults),
            stopping: stopping.clone(),
            key: Key::of(crate::registry::Resource::Pods, pod),
            uid: value::uid(pod).to_owned(),
            node: value::text(pod, "/spec/nodeName").to_owned(),
            local: None,
        }
    }

    /// The same pod, whose containers may be processes of this machine.
    pub fn with(self, local: Option<&Arc<Local>>) -> Self {
        Self { local: local.map(Arc::clone), ..self }
    }

    pub fn local(&self) -> Option<&Arc<Local>> {
        self.local.as_ref()
    }

    /// The pod now; `None` if it is gone, also if another one has its name.
    pub fn pod(&self) -> Option<Object> {
        self.store.write().get(&self.key).filter(|pod| value::uid(pod) == self.uid)
    }

    /// Whether nothing can reach the pod: the cluster is away, or the pod's node fell silent.
    pub fn is_cut(&self) -> bool {
        self.faults.is_away() || self.faults.has_lost(&self.node)
    }

    /// Ends when nothing can reach the pod any more, or the simulator stops.
    pub async fn cut(&self) {
        let mut turned = self.faults.turned();
        while !self.is_cut() {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                changed = turned.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Ends when the container no longer runs.
    pub async fn ended(&self, container: &str) {
        self.until(|pod| !is_running(pod, container)).await;
    }

    /// Ends when no container of the pod runs any more.
    pub async fn all_ended(&self) {
        self.until(|pod| !value::items(pod, "/spec/containers").iter().any(|one| is_running(pod, value::text(one, "/name")))).await;
    }

    /// Ends when the pod is gone or is as asked.
    async fn until(&self, is_over: impl Fn(&Value) -> bool) {
        let mut latest = self.store.subscribe();
        while self.pod().is_some_and(|pod| !is_over(&pod)) {
            if latest.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Whether a container of the pod, which may be an init container, runs.
pub fn is_running(pod: &Value, container: &str) -> bool {
    let statuses = value::items(pod, "/status/containerStatuses").iter().chain(value::items(pod, "/status/initContainerStatuses"));
    statuses.into_iter().any(|status| value::text(status, "/name") == container && status.pointer("/state/running").is_some())
}
