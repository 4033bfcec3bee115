//! Everything that one session has seen of labs, nodes and events: what is told of a change, and what can be read instead of asking.

mod pods;

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
use kube::core::ObjectMeta;
use serde_json::Value;
use services::ports::{Change, LabOrder};

use super::sources::{self, Item, Object};
use crate::{
    drift::{self, Known},
    end,
    holds::{self, PodCards},
    info,
    kinds::Kind,
    labels,
    loads::{self, PodLoad},
    manifests::{DEFAULT_DENY, Manifest, end::timer_name},
    observe::{Seen, Workload, events, order_of_pods},
    template::Notes,
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

    /// Takes an item in and gives the changes that it means. While a list is being read there are none: `All` stands for them.
    pub fn take(&mut self, source: usize, item: Item) -> Vec<Change> {
        let changes = match item {
            Item::Begins => {
                self.synced[source] = false;
                self.forget(source);
                Vec::new()
            }
            Item::Synced => {
                self.synced[source] = true;
                self.prune();
                // Nodes may have come and gone unseen as well.
                return if self.is_complete() { vec![Change::All, Change::Nodes] } else { Vec::new() };
            }
            Item::Is(object) => self.put(object),
            Item::Gone(object) => self.remove(&object),
            Item::Broken(_) => Vec::new(),
        };
        if self.is_complete() { changes } else { Vec::new() }
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

    fn put(&mut self, object: Object) -> Vec<Change> {
        if let Object::Pod(pod) = object {
            self.load(&pod.metadata, loads::of_pod(&pod));
            let moved = self.hold(&pod.metadata, holds::of_pod(&pod).as_ref());
            let lab = self.lab(&pod.metadata.clone(), |lab, name| lab.pods.extend([(name, *pod)]));
            return lab.into_iter().chain(moved).collect();
        }
        if let Object::Other(kind, metadata, body) = object {
            return self.other(kind, &metadata, Some(body));
        }
        self.put_other(object).into_iter().collect()
    }

    /// Notes what a pod holds; news for the nodes when that is another thing than before.
    fn hold(&mut self, metadata: &ObjectMeta, cards: Option<&PodCards>) -> Option<Change> {
        let place = (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
        let before = match cards {
            Some(cards) => self.holds.insert(place, cards.clone()),
            None => self.holds.remove(&place),
        };
        (before.as_ref() != cards).then_some(Change::Nodes)
    }

    /// Notes the requests of a pod. This is not reported as a change: the nodes are read every few seconds anyway.
    fn load(&mut self, metadata: &ObjectMeta, load: Option<PodLoad>) {
        let place = (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
        match load {
            Some(load) => self.loads.insert(place, load),
            None => self.loads.remove(&place),
        };
    }

    fn put_other(&mut self, object: Object) -> Option<Change> {
        match object {
            Object::StatefulSet(set) => self.workload(Kind::StatefulSet, Workload::StatefulSet(set)),
            Object::Job(job) if is_timer(&job.metadata) => self.lab(&job.metadata.clone(), |lab, name| {
                lab.others.insert((Kind::Job, name.clone()), Value::Null);
                lab.timers.insert(name, *job);
            }),
            Object::Job(job) => self.workload(Kind::Job, Workload::Job(job)),
            Object::Deployment(it) => self.workload(Kind::Deployment, Workload::Deployment(it)),
            Object::Pod(_) => None,
            Object::Volume(claim) => self.lab(&claim.metadata.clone(), |lab, name| drop(lab.volumes.insert(name, *claim))),
            Object::Other(..) => None,
            Object::Node(node) => {
                // Nodes beat every few seconds; only what the portal shows of them counts.
                let node = info::of_node(&node);
                let lasting = node.lasting();
                let before = self.nodes.insert(node.name.clone(), node);
                (before.is_none_or(|before| before.lasting() != lasting)).then_some(Change::Nodes)
            }
            Object::Event(event) => {
                let lab = self.lab_of_event(&event);
                self.events.insert(key(&event), *event);
                lab.map(Change::Lab)
            }
        }
    }

    fn workload(&mut self, kind: Kind, workload: Workload) -> Option<Change> {
        self.lab(&workload.metadata().clone(), |lab, name| drop(lab.workloads.insert((kind, name), workload)))
    }

    fn remove(&mut self, object: &Object) -> Vec<Change> {
        if let Object::Pod(pod) = object {
            self.load(&pod.metadata, None);
            let moved = self.hold(&pod.metadata, None);
            let lab = self.lab(&pod.metadata, |lab, name| lab.pods.retain(|other, _| *other != name));
            return lab.into_iter().chain(moved).collect();
        }
        if let Object::Other(kind, metadata, _) = object {
            return self.other(*kind, metadata, None);
        }
        self.remove_other(object).into_iter().collect()
    }

    /// Notes a change of an object around labs: of one lab, or of all labs of a course.
    fn other(&mut self, kind: Kind, metadata: &ObjectMeta, body: Option<Value>) -> Vec<Change> {
        let body = body.filter(|body| !body.is_null());
        if kind == Kind::NetworkPolicy {
            let is_ours = labels::is_ours(metadata.labels.as_ref());
            let allows = !is_ours && body.as_ref().is_some_and(allows_anything);
            let place = (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
            if allows {
                self.strangers.insert(place.clone());
            } else {
                self.strangers.remove(&place);
            }
            if !is_ours {
                return self.unlabelled(kind, place);
            }
        }
        if labels::lab_of(metadata.labels.as_ref()).is_some() {
            let change = self.lab(metadata, |lab, name| match body {
                Some(body) => drop(lab.others.insert((kind, name), body)),
                None => drop(lab.others.remove(&(kind, name))),
            });
            return change.into_iter().collect();
        }
        let name = metadata.name.clone().unwrap_or_default();
        let namespace = if kind == Kind::Namespace { name.clone() } else { metadata.namespace.clone().unwrap_or_default() };
        let before = match body.clone() {
            Some(body) => self.shared.insert((namespace.clone(), kind, name), body),
            None => self.shared.remove(&(namespace.clone(), kind, name)),
        };
        // Changes of status, version or time alone are not reported.
        let lasting = |body: Option<&Value>| body.map(|body| (body["spec"].clone(), body["metadata"]["labels"].clone()));
        if lasting(before.as_ref()) == lasting(body.as_ref()) {
            return Vec::new();
        }
        let labs = self.places.iter().filter(|((of, _), _)| *of == namespace).map(|(_, lab)| Change::Lab(*lab));
        labs.collect()
    }

    /// An object without Lectern's label, which may be one of Lectern's that lost it: then it counts as deleted, so that it is restored.
    fn unlabelled(&mut self, kind: Kind, (namespace, name): Place) -> Vec<Change> {
        let mut changed = Vec::new();
        if self.shared.remove(&(namespace.clone(), kind, name.clone())).is_some() {
            changed.extend(self.places.iter().filter(|((of, _), _)| *of == namespace).map(|(_, lab)| Change::Lab(*lab)));
        }
        let lab = self.places.get(&(namespace.clone(), name.clone())).copied();
        if let Some(lab) = lab
            && self.labs.get_mut(&(namespace, lab)).is_some_and(|objects| objects.others.remove(&(kind, name)).is_some())
        {
            changed.push(Change::Lab(lab));
        }
        changed
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

    fn remove_other(&mut self, object: &Object) -> Option<Change> {
        match object {
            Object::StatefulSet(set) => self.drop_workload(Kind::StatefulSet, &set.metadata),
            Object::Job(job) if is_timer(&job.metadata) => self.lab(&job.metadata, |lab, name| {
                lab.timers.remove(&name);
                lab.others.remove(&(Kind::Job, name));
            }),
            Object::Job(job) => self.drop_workload(Kind::Job, &job.metadata),
            Object::Deployment(it) => self.drop_workload(Kind::Deployment, &it.metadata),
            Object::Pod(_) => None,
            Object::Volume(claim) => self.lab(&claim.metadata, |lab, name| drop(lab.volumes.remove(&name))),
            Object::Other(..) => None,
            Object::Node(node) => self.nodes.remove(node.metadata.name.as_deref().unwrap_or_default()).map(|_| Change::Nodes),
            // It expired; nothing happened.
            Object::Event(event) => {
                self.events.remove(&key(event));
                None
            }
        }
    }

    /// Forgets a workload, unless another of the same name has come meanwhile.
    fn drop_workload(&mut self, kind: Kind, metadata: &ObjectMeta) -> Option<Change> {
        self.lab(metadata, |lab, name| {
            lab.workloads.retain(|known, workload| *known != (kind, name.clone()) || workload.metadata().uid != metadata.uid);
        })
    }

    /// Changes the lab that this object's labels name; a lab without objects is forgotten.
    fn lab(&mut self, metadata: &ObjectMeta, change: impl FnOnce(&mut LabObjects, String)) -> Option<Change> {
        let id = labels::lab_of(metadata.labels.as_ref()).filter(|_| labels::is_ours(metadata.labels.as_ref()))?;
        let home = (metadata.namespace.clone().unwrap_or_default(), id);
        let objects = self.labs.entry(home.clone()).or_default();
        change(objects, metadata.name.clone().unwrap_or_default());
        let place = (home.0.clone(), labels::instance_of(metadata.labels.as_ref()));
        if objects.is_empty() {
            self.labs.remove(&home);
            self.places.remove(&place);
        } else {
            self.places.insert(place, id);
        }
        Some(Change::Lab(id))
    }

    fn lab_of_event(&self, event: &Event) -> Option<LabId> {
        let object = &event.involved_object;
        self.lab_named(object.namespace.as_deref().unwrap_or_default(), object.name.as_deref()?)
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

    /// Forgets labs of which a new list no longer tells anything.
    fn prune(&mut self) {
        self.labs.retain(|_, objects| !objects.is_empty());
        self.places.retain(|(namespace, _), lab| self.labs.contains_key(&(namespace.clone(), *lab)));
    }

    /// Drops what a source has told, since it tells all anew.
    fn forget(&mut self, source: usize) {
        let kind = sources::KINDS[source];
        match kind {
            "Node" => self.nodes.clear(),
            "Event" => self.events.clear(),
            "NetworkPolicy" => self.strangers.clear(),
            "Pod" => {
                self.holds.clear();
                self.loads.clear();
            }
            _ => {}
        }
        for objects in self.labs.values_mut() {
            match kind {
                "Pod" => objects.pods.clear(),
                "PersistentVolumeClaim" => objects.volumes.clear(),
                _ => {
                    objects.workloads.retain(|(other, _), _| other.as_str() != kind);
                    objects.others.retain(|(other, _), _| other.as_str() != kind);
                    objects.timers.retain(|_, _| kind != "Job");
                }
            }
        }
        self.shared.retain(|(_, other, _), _| other.as_str() != kind);
    }
}

/// The objects of one lab and of its course.
struct Around<'c> {
    objects: &'c LabObjects,
    shared: &'c HashMap<(String, Kind, String), Value>,
    order: &'c LabOrder,
}

impl Known for Around<'_> {
    fn object(&self, kind: Kind, name: &str) -> Option<&Value> {
        let own = self.objects.others.get(&(kind, name.to_owned()));
        own.or_else(|| self.shared.get(&(self.order.lab.namespace.clone(), kind, name.to_owned())))
    }

    fn replicas(&self) -> Option<i32> {
        match self.objects.workload(self.order)? {
            Workload::StatefulSet(set) if set.metadata.deletion_timestamp.is_none() => set.spec.as_ref()?.replicas,
            Workload::Deployment(deployment) if deployment.metadata.deletion_timestamp.is_none() => deployment.spec.as_ref()?.replicas,
            _ => None,
        }
    }

    fn template(&self) -> Option<(Value, Notes)> {
        let workload = self.objects.workload(self.order).filter(|workload| workload.metadata().deletion_timestamp.is_none())?;
        let template = match workload {
            Workload::StatefulSet(set) => &set.spec.as_ref()?.template,
            Workload::Deployment(deployment) => &deployment.spec.as_ref()?.template,
            Workload::Job(_) => return None,
        };
        Some((serde_json::to_value(template).ok()?, Notes::of(workload.metadata())))
    }

    fn is_stuck(&self) -> bool {
        let Some(Workload::StatefulSet(set)) = self.objects.workload(self.order) else { return false };
        let status = set.status.as_ref().filter(|status| status.observed_generation == set.metadata.generation);
        let Some(current) = status.and_then(|status| status.update_revision.as_ref()) else { return false };
        let is_earlier = |pod: &Pod| {
            let revision = pod.metadata.labels.as_ref().and_then(|all| all.get("controller-revision-hash"));
            revision.is_some_and(|revision| revision != current)
        };
        let is_ready = |pod: &Pod| {
            let mut conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
            conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
        };
        self.objects.pods.values().any(|pod| pod.metadata.deletion_timestamp.is_none() && is_earlier(pod) && !is_ready(pod))
    }
}

/// Where the lab's own objects are.
fn home(order: &LabOrder) -> Home {
    (order.lab.namespace.clone(), order.lab.id)
}

/// Whether the Job is a lab's timer and not its workload.
fn is_timer(metadata: &ObjectMeta) -> bool {
    metadata.name.as_deref() == Some(&timer_name(&labels::instance_of(metadata.labels.as_ref())))
}

/// Whether a network policy has a rule: one without rules only closes.
fn allows_anything(policy: &Value) -> bool {
    ["ingress", "egress"].iter().any(|way| policy["spec"][*way].as_array().is_some_and(|rules| !rules.is_empty()))
}

fn key(event: &Event) -> (String, String, String) {
    let object = &event.involved_object;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    (text(&object.namespace), text(&object.name), text(&event.metadata.name))
}

#[cfg(test)]
mod tests;
