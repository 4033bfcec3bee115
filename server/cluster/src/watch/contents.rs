//! Everything that one session has seen of labs, nodes and events, to be read instead of asking. `take` notes changes and says which labs they are
//! about, `around` is compared with a lab's manifests.

mod around;
mod pods;
mod take;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    cluster::{Node, Obstacle},
    ids::LabId,
    labs::LabState,
};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Event, PersistentVolumeClaim, Pod},
};
use serde_json::Value;
use services::ports::LabOrder;

use self::around::Around;
use super::sources;
use crate::{
    drift, end,
    holds::{self, PodCards},
    kinds::Kind,
    loads::{self, PodLoad},
    manifests::{DEFAULT_DENY, Manifest, end::timer_name},
    observe::{Seen, Workload, events, order_of_pods},
};

/// Namespace and name.
type Place = (String, String);
/// The lab that objects name by their labels, and the namespace that they are in.
type Home = (String, LabId);

#[derive(Default)]
pub struct Contents {
    synced: [bool; sources::COUNT],
    /// By the namespace too: an object that bears a lab's labels in another namespace is not the lab's.
    labs: HashMap<Home, LabObjects>,
    /// Labs by the name that their objects have or begin with.
    places: HashMap<Place, LabId>,
    /// By namespace, object and name of the event, so that those of one object are neighbours.
    events: BTreeMap<(String, String, String), Event>,
    nodes: HashMap<String, Node>,
    /// Pods with cards, of labs and of others.
    holds: HashMap<Place, PodCards>,
    /// Objects that all labs of a course share, by namespace, kind and name.
    shared: HashMap<(String, Kind, String), Value>,
    /// Requests of each bound pod.
    loads: HashMap<Place, PodLoad>,
    /// Network policies without Lectern's label that allow anything.
    strangers: BTreeSet<Place>,
}

/// Most policies of others that operators are told of at once.
const MOST_POLICIES: usize = 20;

#[derive(Default)]
struct LabObjects {
    /// By kind and name: only one of them is the lab's.
    workloads: BTreeMap<(Kind, String), Workload>,
    pods: BTreeMap<String, Pod>,
    volumes: BTreeMap<String, PersistentVolumeClaim>,
    others: BTreeMap<(Kind, String), Value>,
    /// The Jobs among the others, whose deadlines end labs.
    timers: BTreeMap<String, Job>,
}

impl LabObjects {
    fn is_empty(&self) -> bool {
        self.workloads.is_empty() && self.pods.is_empty() && self.volumes.is_empty() && self.others.is_empty()
    }

    /// The object that makes the lab's pods.
    fn workload(&self, order: &LabOrder) -> Option<&Workload> {
        let workload = order.lab.spec.workload;
        let kind = if workload.ends() {
            Kind::Job
        } else if workload.is_deployment() {
            Kind::Deployment
        } else {
            Kind::StatefulSet
        };
        self.workloads.get(&(kind, order.lab.name.clone()))
    }

    /// Whether a policy with the lab's labels is the lab's own. A changed policy of the lab's name is drift, so it counts as its own.
    fn is_own_policy(&self, lab: LabId, name: &str, policy: &Value) -> bool {
        self.workloads.keys().any(|(_, workload)| workload == name) || drift::is_policy_of_lab(lab, policy)
    }
}

impl Contents {
    /// Whether every source has read its list: only then is what is not here not there.
    pub fn is_complete(&self) -> bool {
        self.synced.iter().all(|synced| *synced)
    }

    /// The nodes with what holds their cards and what happened on them, by name; `None` while something is not known.
    pub fn nodes(&self) -> Option<Vec<Node>> {
        if !self.is_complete() {
            return None;
        }
        let mut nodes: Vec<_> = self.nodes.values().cloned().collect();
        nodes.sort_by(|one, two| one.name.cmp(&two.name));
        // A pod that only bears a lab's labels is somebody else's.
        let of_lab = |namespace: &str, lab: Option<LabId>| lab.filter(|lab| self.has_lab(namespace, *lab));
        holds::attach(&mut nodes, self.holds.values().map(|pod| (pod, of_lab(&pod.namespace, pod.lab))));
        loads::attach(&mut nodes, self.loads.iter().map(|((namespace, _), load)| (load, of_lab(namespace, load.lab))));
        for node in &mut nodes {
            node.events = events::of_node(self.events.values(), &node.name);
        }
        Some(nodes)
    }

    /// The lab's objects, when the session knows all there are.
    pub fn seen(&self, order: &LabOrder) -> Option<Seen> {
        if !self.is_complete() {
            return None;
        }
        let lab = &order.lab;
        let mut seen = Seen { namespace: lab.namespace.clone(), ..Seen::default() };
        if let Some(objects) = self.labs.get(&home(order)) {
            seen.workload = objects.workload(order).cloned();
            seen.pods = objects.pods.values().cloned().collect();
            seen.pods.sort_by_key(order_of_pods);
            seen.volume = objects.volumes.get(&lab.name).cloned();
            seen.others = objects.others.keys().cloned().collect();
        }
        let from = (lab.namespace.clone(), lab.name.clone(), String::new());
        let near = self.events.range(from..).take_while(|((namespace, object, _), _)| *namespace == lab.namespace && object.starts_with(&lab.name));
        seen.events = near.map(|(_, event)| event).filter(|event| events::is_about(event, &lab.name)).cloned().collect();
        seen.drift = self.drift(order).iter().map(|manifest| format!("{}/{}", manifest.kind.as_str(), manifest.name)).collect();
        seen.lost_nodes = self.nodes.values().filter(|node| !node.ready).map(|node| node.name.clone()).collect();
        Some(seen)
    }

    /// The manifests that the lab's objects differ from. Empty while the watch is incomplete. Of a lab that is down only what guards the
    /// other labs of its namespace counts.
    pub fn drift(&self, order: &LabOrder) -> Vec<Manifest> {
        let Some(objects) = self.labs.get(&home(order)).filter(|_| self.is_complete()) else { return Vec::new() };
        let around = Around { objects, shared: &self.shared, order };
        match order.lab.state {
            LabState::Stopped | LabState::Failed => drift::opened(order, &around),
            _ if objects.workload(order).is_some() => drift::find(order, &around),
            _ => Vec::new(),
        }
    }

    pub fn workload_of(&self, order: &LabOrder) -> Option<&Workload> {
        self.labs.get(&home(order))?.workload(order)
    }

    /// Whether another client changed when the cluster ends the lab. `false` while the watch is incomplete, and for what is not there.
    pub fn is_end_changed(&self, order: &LabOrder, written: Option<u64>) -> bool {
        let Some(objects) = self.labs.get(&home(order)).filter(|_| self.is_complete()) else { return false };
        match (objects.workload(order), objects.timers.get(&timer_name(&order.lab.name))) {
            (Some(Workload::Job(job)), _) => end::is_changed(order, job, written),
            (Some(workload), Some(timer)) => end::is_changed(order, timer, written) || !end::is_owned(workload.metadata(), timer),
            _ => false,
        }
    }

    /// Whether a namespace is one that Lectern keeps labs in.
    fn is_of_labs(&self, namespace: &str) -> bool {
        let has = |kind: Kind, name: &str| self.shared.contains_key(&(namespace.to_owned(), kind, name.to_owned()));
        has(Kind::Namespace, namespace) || has(Kind::NetworkPolicy, DEFAULT_DENY)
    }

    /// Whether the namespace has the lab, and not only pods with its labels.
    fn has_lab(&self, namespace: &str, lab: LabId) -> bool {
        let objects = self.labs.get(&(namespace.to_owned(), lab));
        objects.is_some_and(|objects| !objects.workloads.is_empty() || !objects.others.is_empty()) && self.is_of_labs(namespace)
    }

    /// Network policies in namespaces of labs that are not Lectern's, also those that bear its labels. Empty while the watch is incomplete.
    pub fn foreign_policies(&self) -> Vec<Obstacle> {
        if !self.is_complete() {
            return Vec::new();
        }
        let namespaces: BTreeSet<&str> = self.places.keys().map(|(namespace, _)| namespace.as_str()).collect();
        let strangers = self.strangers.iter().filter(|place| !self.is_restored(place));
        let mut all: BTreeSet<(&str, &str)> = strangers.map(|(namespace, name)| (namespace.as_str(), name.as_str())).collect();
        let shared = self.shared.keys().filter(|(_, kind, name)| *kind == Kind::NetworkPolicy && name != DEFAULT_DENY);
        all.extend(shared.map(|(namespace, _, name)| (namespace.as_str(), name.as_str())));
        for ((namespace, lab), objects) in &self.labs {
            let policies = objects.others.iter().filter(|((kind, _), _)| *kind == Kind::NetworkPolicy);
            let foreign = policies.filter(|((_, name), policy)| !objects.is_own_policy(*lab, name, policy));
            all.extend(foreign.map(|((_, name), _)| (namespace.as_str(), name.as_str())));
        }
        let foreign = all.into_iter().filter(|(namespace, _)| namespaces.contains(namespace) && self.is_of_labs(namespace));
        let told = foreign.map(|(namespace, name)| Obstacle::ForeignPolicy { namespace: namespace.to_owned(), name: name.to_owned() });
        told.take(MOST_POLICIES).collect()
    }

    /// Whether a policy without Lectern's label is one that lost it and gets it again: the closing one, and that of a lab with pods.
    fn is_restored(&self, place: &Place) -> bool {
        let (namespace, name) = place;
        let lab = self.places.get(place).and_then(|lab| self.labs.get(&(namespace.clone(), *lab)));
        name == DEFAULT_DENY || lab.is_some_and(|lab| !lab.pods.is_empty() && lab.workloads.keys().any(|(_, workload)| workload == name))
    }

    /// The lab whose name this is or begins with: `lab-7` for `lab-7-0`.
    fn lab_named(&self, namespace: &str, mut name: &str) -> Option<LabId> {
        loop {
            if let Some(id) = self.places.get(&(namespace.to_owned(), name.to_owned())) {
                return Some(*id);
            }
            (name, _) = name.rsplit_once('-')?;
        }
    }
}

/// Where the lab's own objects are.
fn home(order: &LabOrder) -> Home {
    (order.lab.namespace.clone(), order.lab.id)
}

#[cfg(test)]
mod tests;
