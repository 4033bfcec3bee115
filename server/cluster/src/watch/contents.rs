//! Everything that one session has seen of labs, nodes and events: what is told of a change, and what can be read instead of asking.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    cluster::{Node, Obstacle},
    ids::LabId,
};
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod};
use kube::core::ObjectMeta;
use serde_json::Value;
use services::ports::{Change, LabOrder};

use super::sources::{self, Item, Object};
use crate::{
    drift::{self, Known},
    holds::{self, PodCards},
    info,
    kinds::Kind,
    labels,
    loads::{self, PodLoad},
    manifests::{DEFAULT_DENY, Manifest, end::timer_name},
    observe::{Seen, Workload, events, order_of_pods},
};

/// Namespace and name.
type Place = (String, String);

#[derive(Default)]
pub struct Contents {
    synced: [bool; sources::COUNT],
    labs: HashMap<LabId, LabObjects>,
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
    workload: Option<Workload>,
    pods: BTreeMap<String, Pod>,
    volume: Option<PersistentVolumeClaim>,
    others: BTreeMap<(Kind, String), Value>,
}

impl LabObjects {
    fn is_empty(&self) -> bool {
        self.workload.is_none() && self.pods.is_empty() && self.volume.is_none() && self.others.is_empty()
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
        holds::attach(&mut nodes, self.holds.values());
        loads::attach(&mut nodes, self.loads.values());
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
        if let Some(objects) = self.labs.get(&lab.id) {
            seen.workload.clone_from(&objects.workload);
            seen.pods = objects.pods.values().cloned().collect();
            seen.pods.sort_by_key(order_of_pods);
            seen.volume.clone_from(&objects.volume);
            seen.others = objects.others.keys().cloned().collect();
        }
        let from = (lab.namespace.clone(), lab.name.clone(), String::new());
        let near = self.events.range(from..).take_while(|((namespace, object, _), _)| *namespace == lab.namespace && object.starts_with(&lab.name));
        seen.events = near.map(|(_, event)| event).filter(|event| events::is_about(event, &lab.name)).cloned().collect();
        seen.drift = self.drift(order).iter().map(|manifest| format!("{}/{}", manifest.kind.as_str(), manifest.name)).collect();
        seen.lost_nodes = self.nodes.values().filter(|node| !node.ready).map(|node| node.name.clone()).collect();
        Some(seen)
    }

    /// The manifests that the lab's objects differ from. Empty while the watch is incomplete, and for a lab without a workload.
    pub fn drift(&self, order: &LabOrder) -> Vec<Manifest> {
        match self.labs.get(&order.lab.id) {
            Some(objects) if self.is_complete() && objects.workload.is_some() => {
                drift::find(order, &Around { objects, shared: &self.shared, namespace: &order.lab.namespace })
            }
            _ => Vec::new(),
        }
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
            Object::StatefulSet(set) => self.lab(&set.metadata.clone(), |lab, _| lab.workload = Some(Workload::StatefulSet(set))),
            Object::Job(job) if is_timer(&job.metadata) => {
                self.lab(&job.metadata, |lab, name| drop(lab.others.insert((Kind::Job, name), Value::Null)))
            }
            Object::Job(job) => self.lab(&job.metadata.clone(), |lab, _| lab.workload = Some(Workload::Job(job))),
            Object::Deployment(it) => self.lab(&it.metadata.clone(), |lab, _| lab.workload = Some(Workload::Deployment(it))),
            Object::Pod(_) => None,
            Object::Volume(claim) => self.lab(&claim.metadata.clone(), |lab, _| lab.volume = Some(*claim)),
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
        let lab = self.places.get(&(namespace, name.clone())).copied();
        if let Some(lab) = lab
            && self.labs.get_mut(&lab).is_some_and(|objects| objects.others.remove(&(kind, name)).is_some())
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
        let mut all: BTreeSet<(&str, &str)> = self.strangers.iter().map(|(namespace, name)| (namespace.as_str(), name.as_str())).collect();
        let shared = self.shared.keys().filter(|(_, kind, _)| *kind == Kind::NetworkPolicy);
        all.extend(shared.map(|(namespace, _, name)| (namespace.as_str(), name.as_str())));
        for ((namespace, _), lab) in &self.places {
            let others = self.labs.get(lab).into_iter().flat_map(|objects| objects.others.keys());
            all.extend(others.filter(|(kind, _)| *kind == Kind::NetworkPolicy).map(|(_, name)| (namespace.as_str(), name.as_str())));
        }
        // Lectern's own have these names; another client's change to them is drift.
        let is_own = |namespace: &str, name: &str| name == DEFAULT_DENY || self.places.contains_key(&(namespace.to_owned(), name.to_owned()));
        let foreign = all.into_iter().filter(|(namespace, name)| namespaces.contains(namespace) && !is_own(namespace, name));
        let told = foreign.map(|(namespace, name)| Obstacle::ForeignPolicy { namespace: namespace.to_owned(), name: name.to_owned() });
        told.take(MOST_POLICIES).collect()
    }

    fn remove_other(&mut self, object: &Object) -> Option<Change> {
        match object {
            Object::StatefulSet(set) => self.lab(&set.metadata, |lab, _| lab.drop_workload(set.metadata.uid.as_deref())),
            Object::Job(job) if is_timer(&job.metadata) => self.lab(&job.metadata, |lab, name| drop(lab.others.remove(&(Kind::Job, name)))),
            Object::Job(job) => self.lab(&job.metadata, |lab, _| lab.drop_workload(job.metadata.uid.as_deref())),
            Object::Deployment(it) => self.lab(&it.metadata, |lab, _| lab.drop_workload(it.metadata.uid.as_deref())),
            Object::Pod(_) => None,
            Object::Volume(claim) => self.lab(&claim.metadata, |lab, _| lab.volume = None),
            Object::Other(..) => None,
            Object::Node(node) => self.nodes.remove(node.metadata.name.as_deref().unwrap_or_default()).map(|_| Change::Nodes),
            // It expired; nothing happened.
            Object::Event(event) => {
                self.events.remove(&key(event));
                None
            }
        }
    }

    /// Changes the lab that this object's labels name; a lab without objects is forgotten.
    fn lab(&mut self, metadata: &ObjectMeta, change: impl FnOnce(&mut LabObjects, String)) -> Option<Change> {
        let id = labels::lab_of(metadata.labels.as_ref()).filter(|_| labels::is_ours(metadata.labels.as_ref()))?;
        let objects = self.labs.entry(id).or_default();
        change(objects, metadata.name.clone().unwrap_or_default());
        let place = (metadata.namespace.clone().unwrap_or_default(), labels::instance_of(metadata.labels.as_ref()));
        if objects.is_empty() {
            self.labs.remove(&id);
            self.places.remove(&place);
        } else {
            self.places.insert(place, id);
        }
        Some(Change::Lab(id))
    }

    /// The lab whose name the event's object has or begins with: `lab-7` for `lab-7-0`.
    fn lab_of_event(&self, event: &Event) -> Option<LabId> {
        let object = &event.involved_object;
        let namespace = object.namespace.clone().unwrap_or_default();
        let mut name = object.name.as_deref()?;
        loop {
            if let Some(id) = self.places.get(&(namespace.clone(), name.to_owned())) {
                return Some(*id);
            }
            (name, _) = name.rsplit_once('-')?;
        }
    }

    /// Forgets labs of which a new list no longer tells anything.
    fn prune(&mut self) {
        self.labs.retain(|_, objects| !objects.is_empty());
        self.places.retain(|_, lab| self.labs.contains_key(lab));
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
                "StatefulSet" if matches!(objects.workload, Some(Workload::StatefulSet(_))) => objects.workload = None,
                "Job" if matches!(objects.workload, Some(Workload::Job(_))) => objects.workload = None,
                "Deployment" if matches!(objects.workload, Some(Workload::Deployment(_))) => objects.workload = None,
                "Pod" => objects.pods.clear(),
                "PersistentVolumeClaim" => objects.volume = None,
                _ => objects.others.retain(|(other, _), _| other.as_str() != kind),
            }
        }
        self.shared.retain(|(_, other, _), _| other.as_str() != kind);
    }
}

/// The objects of one lab and of its course.
struct Around<'c> {
    objects: &'c LabObjects,
    shared: &'c HashMap<(String, Kind, String), Value>,
    namespace: &'c str,
}

impl Known for Around<'_> {
    fn object(&self, kind: Kind, name: &str) -> Option<&Value> {
        let own = self.objects.others.get(&(kind, name.to_owned()));
        own.or_else(|| self.shared.get(&(self.namespace.to_owned(), kind, name.to_owned())))
    }

    fn replicas(&self) -> Option<i32> {
        match self.objects.workload.as_ref()? {
            Workload::StatefulSet(set) if set.metadata.deletion_timestamp.is_none() => set.spec.as_ref()?.replicas,
            Workload::Deployment(deployment) if deployment.metadata.deletion_timestamp.is_none() => deployment.spec.as_ref()?.replicas,
            _ => None,
        }
    }

    fn template(&self) -> Option<(Value, Option<String>)> {
        let workload = self.objects.workload.as_ref().filter(|workload| workload.metadata().deletion_timestamp.is_none())?;
        let template = match workload {
            Workload::StatefulSet(set) => &set.spec.as_ref()?.template,
            Workload::Deployment(deployment) => &deployment.spec.as_ref()?.template,
            Workload::Job(_) => return None,
        };
        let noted = workload.metadata().annotations.as_ref().and_then(|all| all.get(labels::TEMPLATE)).cloned();
        Some((serde_json::to_value(template).ok()?, noted))
    }
}

impl LabObjects {
    /// Unless another of the same name has come meanwhile.
    fn drop_workload(&mut self, uid: Option<&str>) {
        if self.workload.as_ref().is_some_and(|workload| workload.metadata().uid.as_deref() == uid) {
            self.workload = None;
        }
    }
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
