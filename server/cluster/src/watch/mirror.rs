//! What the running watch knows, for reading: an observation then costs the API server nothing. It may lag behind by moments, so a lab that
//! was just changed from here is read from the server until the watch has caught up with the change.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    cluster::{Node, Obstacle},
    ids::LabId,
};
use kube::core::ObjectMeta;
use services::ports::{ClusterError, LabOrder, PodTarget};

use super::contents::Contents;
use crate::{
    manifests::Manifest,
    observe::{Seen, Workload},
    reach::Found,
};

/// The contents of one session; it writes, others read.
pub type Shared = Arc<Mutex<Contents>>;

#[derive(Default)]
pub struct Mirror {
    /// Of the session that runs; none while the cluster is away.
    current: Mutex<Option<Shared>>,
    /// Version that the workload of a lab had when it was last written from here.
    written: Mutex<HashMap<LabId, u64>>,
}

impl Mirror {
    /// The lab as the watch has it; `None` when the server must be asked.
    pub fn seen(&self, order: &LabOrder) -> Option<Seen> {
        let contents = lock(&self.current).clone()?;
        let seen = lock(&contents).seen(order)?;
        self.is_current(order.lab.id, seen.workload.as_ref()).then_some(seen)
    }

    /// The pod, if it is still the one asked for; `None` when the server must be asked.
    pub fn pod(&self, target: &PodTarget) -> Option<Result<Found, ClusterError>> {
        let contents = lock(&self.current).clone()?;
        let contents = lock(&contents);
        contents.pod(target)
    }

    /// The manifests that the lab's objects differ from, as far as a watch knows.
    pub fn drift(&self, order: &LabOrder) -> Vec<Manifest> {
        let contents = lock(&self.current).clone();
        contents.map_or_else(Vec::new, |contents| lock(&contents).drift(order))
    }

    /// Whether another client changed what ends the lab at its time, as far as a watch knows. `written`: the version of the Job with the
    /// deadline that was written from here.
    pub fn is_end_changed(&self, order: &LabOrder, written: Option<u64>) -> bool {
        let Some(contents) = lock(&self.current).clone() else { return false };
        let contents = lock(&contents);
        self.is_current(order.lab.id, contents.workload_of(order)) && contents.is_end_changed(order, written)
    }

    /// The nodes with what holds their cards; `None` when the server must be asked.
    pub fn nodes(&self) -> Option<Vec<Node>> {
        let contents = lock(&self.current).clone()?;
        let contents = lock(&contents);
        contents.nodes()
    }

    /// Network policies of others in namespaces of labs, as far as a watch knows.
    pub fn foreign_policies(&self) -> Vec<Obstacle> {
        let contents = lock(&self.current).clone();
        contents.map_or_else(Vec::new, |contents| lock(&contents).foreign_policies())
    }

    /// Whether the watch has come as far as our own last write to the lab.
    fn is_current(&self, lab: LabId, workload: Option<&Workload>) -> bool {
        let mut written = lock(&self.written);
        let Some(version) = written.get(&lab) else { return true };
        let caught_up = workload.is_some_and(|workload| version_of(workload.metadata()).is_some_and(|seen| seen >= *version));
        if caught_up {
            written.remove(&lab);
        }
        caught_up
    }

    /// Notes a write to the lab's workload, which the server answered with this; `None` when it is gone.
    pub fn wrote(&self, lab: LabId, answer: Option<&ObjectMeta>) {
        let version = answer.and_then(version_of).unwrap_or(u64::MAX);
        lock(&self.written).insert(lab, version);
    }

    /// Notes that the server says the lab has no workload: once the watch says so too they agree.
    pub fn found_none(&self, order: &LabOrder) {
        let contents = lock(&self.current).clone();
        let agrees = contents.is_none_or(|contents| lock(&contents).seen(order).is_some_and(|seen| seen.workload.is_none()));
        if agrees {
            lock(&self.written).remove(&order.lab.id);
        }
    }

    pub(super) fn show(&self, contents: &Shared) {
        *lock(&self.current) = Some(Arc::clone(contents));
    }

    pub(super) fn hide(&self, contents: &Shared) {
        let mut current = lock(&self.current);
        if current.as_ref().is_some_and(|shown| Arc::ptr_eq(shown, contents)) {
            *current = None;
        }
    }
}

/// Versions count upwards, though Kubernetes promises that only from 1.35 on; one that is not a number is never caught up with.
fn version_of(metadata: &ObjectMeta) -> Option<u64> {
    metadata.resource_version.as_deref()?.parse().ok()
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
