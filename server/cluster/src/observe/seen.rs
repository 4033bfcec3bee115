//! The objects of a lab as they were found, and plain questions about them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    labs::{LabPod, ObjectRef, PodEnd},
    time::Timestamp,
};
use k8s_openapi::{
    api::{
        apps::v1::{Deployment, StatefulSet},
        batch::v1::{Job, JobCondition},
        core::v1::{Container, Event, PersistentVolumeClaim, Pod, PodCondition},
    },
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
};

use crate::{
    kinds::Kind,
    labels::{GENERATION, MANAGER},
};

/// The object that makes the pods.
#[derive(Debug, Clone)]
pub enum Workload {
    StatefulSet(Box<StatefulSet>),
    Job(Box<Job>),
    Deployment(Box<Deployment>),
}

/// All of a lab in one namespace.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub namespace: String,
    pub workload: Option<Workload>,
    /// In order of name, so that rank 0 comes first.
    pub pods: Vec<Pod>,
    pub volume: Option<PersistentVolumeClaim>,
    pub events: Vec<Event>,
    /// Kinds and names of the rest.
    pub others: Vec<(Kind, String)>,
    /// Objects that another client changed or deleted: `NetworkPolicy/lab-7`.
    pub drift: Vec<String>,
    /// Nodes that are not ready.
    pub lost_nodes: BTreeSet<String>,
    /// Number of pods that was ordered; the workload may be set to another number.
    pub ordered: Option<usize>,
    /// For how long pods have been stuck, by uid.
    pub stuck: BTreeMap<String, Duration>,
}

impl Workload {
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::StatefulSet(set) => &set.metadata,
            Self::Job(job) => &job.metadata,
            Self::Deployment(deployment) => &deployment.metadata,
        }
    }
    /// Pods that it should have now; none while it is being deleted.
    fn wanted(&self) -> usize {
        let wanted = match self {
            _ if self.metadata().deletion_timestamp.is_some() => None,
            Self::StatefulSet(set) => set.spec.as_ref().and_then(|spec| spec.replicas),
            Self::Job(job) => job.spec.as_ref().and_then(|spec| spec.completions),
            Self::Deployment(deployment) => deployment.spec.as_ref().and_then(|spec| spec.replicas),
        };
        wanted.and_then(|wanted| usize::try_from(wanted).ok()).unwrap_or(0)
    }
    /// When Lectern last changed it, on the cluster's clock: what was reported earlier is about an earlier run.
    pub fn applied_at(&self) -> Option<Timestamp> {
        let metadata = self.metadata();
        let ours = metadata.managed_fields.iter().flatten().filter(|entry| entry.manager.as_deref() == Some(MANAGER));
        let latest = ours.filter_map(|entry| entry.time.as_ref().map(stamp)).max();
        latest.or_else(|| metadata.creation_timestamp.as_ref().map(stamp))
    }
}

impl Seen {
    pub fn wanted(&self) -> usize {
        self.workload.as_ref().map_or(0, Workload::wanted)
    }

    pub fn ready(&self) -> usize {
        self.pods.iter().filter(|pod| is_ready(pod)).count()
    }

    /// Pods that were made before this generation of the lab's.
    pub fn outdated(&self, generation: u32) -> usize {
        self.pods.iter().filter(|pod| pod_generation(pod) < generation).count()
    }

    /// Pods of this generation that are not ending, in order of rank.
    pub fn members(&self, generation: u32) -> Vec<LabPod> {
        let current = self.pods.iter().filter(|pod| !is_ending(pod) && pod_generation(pod) >= generation);
        current.map(member).collect()
    }

    /// Ranks that are done while others still work.
    pub fn succeeded(&self) -> usize {
        self.pods.iter().filter(|pod| pod_phase(pod) == "Succeeded").count()
    }

    /// Node of each bound pod, in pod order.
    pub fn nodes(&self) -> Vec<String> {
        self.pods.iter().filter_map(|pod| pod.spec.as_ref()?.node_name.clone()).collect()
    }

    /// A condition of the Job that is true: `Complete`, `Failed`.
    pub fn job_condition(&self, kind: &str) -> Option<&JobCondition> {
        match &self.workload {
            Some(Workload::Job(job)) => {
                let conditions = job.status.as_ref()?.conditions.as_ref()?;
                conditions.iter().find(|condition| condition.type_ == kind && condition.status == "True")
            }
            _ => None,
        }
    }

    pub fn objects(&self) -> Vec<ObjectRef> {
        let mut all = Vec::new();
        let mut push = |kind: Kind, name: Option<&str>| {
            all.push(ObjectRef {
                api_version: kind.api_version(),
                kind: kind.as_str().to_owned(),
                namespace: self.namespace.clone(),
                name: name.unwrap_or_default().to_owned(),
            });
        };
        match &self.workload {
            Some(Workload::StatefulSet(set)) => push(Kind::StatefulSet, set.metadata.name.as_deref()),
            Some(Workload::Job(job)) => push(Kind::Job, job.metadata.name.as_deref()),
            Some(Workload::Deployment(deployment)) => push(Kind::Deployment, deployment.metadata.name.as_deref()),
            None => {}
        }
        for pod in &self.pods {
            push(Kind::Pod, pod.metadata.name.as_deref());
        }
        if let Some(volume) = &self.volume {
            push(Kind::PersistentVolumeClaim, volume.metadata.name.as_deref());
        }
        for (kind, name) in &self.others {
            push(*kind, Some(name));
        }
        all
    }
}

fn member(pod: &Pod) -> LabPod {
    let spec = pod.spec.as_ref();
    LabPod {
        name: pod_name(pod).to_owned(),
        uid: pod.metadata.uid.clone().unwrap_or_default(),
        generation: pod_generation(pod),
        ready: is_ready(pod),
        containers: spec.map_or_else(Vec::new, |spec| container_names(&spec.containers)),
        init_containers: spec.and_then(|spec| spec.init_containers.as_deref()).map_or_else(Vec::new, container_names),
        made_at: pod.metadata.creation_timestamp.as_ref().map(stamp),
        end: end(pod),
    }
}

/// How a pod's program ended; the first container that failed tells.
fn end(pod: &Pod) -> Option<PodEnd> {
    if !matches!(pod_phase(pod), "Succeeded" | "Failed") {
        return None;
    }
    let status = pod.status.as_ref()?;
    let containers = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    let ends: Vec<_> = containers.filter_map(|container| container.state.as_ref()?.terminated.as_ref()).collect();
    let end = ends.iter().find(|end| end.exit_code != 0).or(ends.last())?;
    let reason = end.reason.clone().unwrap_or_default();
    Some(PodEnd { exit_code: end.exit_code, reason, at: end.finished_at.as_ref().map(stamp) })
}

fn container_names(containers: &[Container]) -> Vec<String> {
    containers.iter().map(|container| container.name.clone()).collect()
}

pub fn pod_phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}

/// Which making of the lab's pods it belongs to; 0 for one without a note of it.
fn pod_generation(pod: &Pod) -> u32 {
    let annotations = pod.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get(GENERATION)).and_then(|text| text.parse().ok()).unwrap_or_default()
}

pub fn is_ending(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

pub fn is_ready(pod: &Pod) -> bool {
    !is_ending(pod) && pod_condition(pod, "Ready").is_some_and(|condition| condition.status == "True")
}

pub fn pod_condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == kind)
}

pub fn pod_name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

pub fn stamp(time: &Time) -> Timestamp {
    Timestamp::from_micros(time.0.as_microsecond())
}
