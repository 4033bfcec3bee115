//! Takes in the events of the watch and tells the changes that they mean.

use domain::ids::LabId;
use k8s_openapi::api::core::v1::Event;
use kube::core::ObjectMeta;
use serde_json::Value;
use services::ports::Change;

use super::{Contents, LabObjects, Place};
use crate::{
    holds::{self, PodCards},
    info,
    kinds::Kind,
    labels,
    loads::{self, PodLoad},
    manifests::end::timer_name,
    observe::Workload,
    watch::sources::{self, Item, Object},
};

impl Contents {
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

    /// Notes the cards that a pod holds; tells the nodes when they changed.
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

    /// Forgets labs of which a new list no longer tells anything.
    fn prune(&mut self) {
        self.labs.retain(|_, objects| !objects.is_empty());
        self.places.retain(|(namespace, _), lab| self.labs.contains_key(&(namespace.clone(), *lab)));
    }

    /// Drops the objects of a source, which lists all of them anew.
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
