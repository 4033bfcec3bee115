//! The scheduler: resources of every kind, node selectors and affinity, taints; the real words when nothing fits.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    Context, Work,
    events::{self, Said},
    fit::{free_share, mismatch, shortages, wish},
    pod_template::set_condition,
};
use crate::{
    admission::usage::{self, Amounts, Side, has_ended},
    ops::{
        Writer,
        update::{self, Part},
    },
    quantity::Quantity,
    registry::Resource,
    stamp,
    store::{Change, Key, Object, Txn},
    value,
};

const COMPONENT: &str = "default-scheduler";

pub fn observe(context: &mut Context, change: &Change) {
    match (change.key.resource, &change.old, &change.new) {
        (Resource::Pods, old, Some(new)) => {
            if value::text(new, "/spec/nodeName").is_empty() {
                // Its own refusal, written into its status, is no reason to try again.
                let is_news = old.as_ref().is_none_or(|old| old["spec"] != new["spec"]);
                if is_news && !value::is_terminating(new) {
                    context.queue.push(Work::Schedule(change.key.clone()));
                }
            } else if has_ended(new) && old.as_ref().is_some_and(|old| !has_ended(old)) {
                context.queue.push(Work::ScheduleAll);
            }
        }
        (Resource::Pods, Some(old), None) => {
            context.queue.forget_stage(value::uid(old), "schedule");
            context.queue.push(Work::ScheduleAll);
        }
        // What a node reports of itself besides is no reason to try again.
        (Resource::Nodes, Some(old), Some(new)) if old["spec"] == new["spec"] && old["status"] == new["status"] && same_labels(old, new) => {}
        (Resource::Nodes | Resource::PersistentVolumeClaims, _, _) => context.queue.push(Work::ScheduleAll),
        _ => {}
    }
}

fn same_labels(old: &Value, new: &Value) -> bool {
    old.pointer("/metadata/labels") == new.pointer("/metadata/labels")
}

/// Tries every pod that waits, in one pass: what each takes is known to the next, and a pod like one that just failed is not tried.
pub fn retry_all(context: &mut Context) {
    let store = Arc::clone(&context.store);
    let mut txn = store.write();
    let mut waiting: Vec<Object> = txn.iter(Resource::Pods, "").filter(|pod| is_waiting(pod)).cloned().collect();
    waiting.sort_by(|a, b| value::text(a, "/metadata/creationTimestamp").cmp(value::text(b, "/metadata/creationTimestamp")));
    let mut room = Room::of(&txn);
    let mut refusals: HashMap<String, String> = HashMap::new();
    for pod in waiting {
        let key = Key::of(Resource::Pods, &pod);
        if !context.queue.has_passed(value::uid(&pod), "schedule", context.pace.schedule, &Work::Schedule(key.clone())) {
            continue;
        }
        let has_claims = value::items(&pod, "/spec/volumes").iter().any(|volume| volume.get("persistentVolumeClaim").is_some());
        let likeness = format!("{}{}{}{}", pod["spec"]["nodeSelector"], pod["spec"]["affinity"], pod["spec"]["tolerations"], requests_text(&pod));
        match refusals.get(&likeness) {
            Some(message) if !has_claims => refuse(&mut txn, &key, &pod, &message.clone()),
            _ => {
                if let Some(message) = attempt(&mut txn, &key, &pod, &mut room)
                    && !has_claims
                {
                    refusals.insert(likeness, message);
                }
            }
        }
    }
}

fn requests_text(pod: &Value) -> String {
    usage::pod(pod, Side::Requests).iter().fold(String::new(), |text, (name, amount)| text + name + "=" + &amount.to_string() + ";")
}

fn is_waiting(pod: &Value) -> bool {
    value::text(pod, "/spec/nodeName").is_empty()
        && !value::is_terminating(pod)
        && !has_ended(pod)
        && value::text(pod, "/spec/schedulerName") == COMPONENT
        && value::items(pod, "/spec/schedulingGates").is_empty()
}

pub fn reconcile(context: &mut Context, key: &Key) {
    let mut txn = context.store.write();
    let Some(pod) = txn.get(key).filter(|pod| is_waiting(pod)) else { return };
    if context.queue.has_passed(value::uid(&pod), "schedule", context.pace.schedule, &Work::Schedule(key.clone())) {
        let mut room = Room::of(&txn);
        attempt(&mut txn, key, &pod, &mut room);
    }
}

/// Binds the pod or says why not; the refusal comes back too.
fn attempt(txn: &mut Txn<'_>, key: &Key, pod: &Object, room: &mut Room) -> Option<String> {
    match choose(txn, pod, room) {
        Ok(node) => {
            let bound = bind(txn, pod, &node);
            room.take(&node, &bound);
            let message = format!("Successfully assigned {}/{} to {node}", key.namespace, key.name);
            events::record(txn, &bound, &Said::normal(COMPONENT, "Scheduled", message));
            None
        }
        Err(message) => {
            refuse(txn, key, pod, &message);
            Some(message)
        }
    }
}

fn refuse(txn: &mut Txn<'_>, key: &Key, pod: &Object, message: &str) {
    let told = value::items(pod, "/status/conditions").iter().any(|one| one["type"] == "PodScheduled" && one["message"] == message);
    if told {
        return;
    }
    events::record(txn, pod, &Said::warning(COMPONENT, "FailedScheduling", message));
    update::modify(txn, key, Part::Status, &Writer::controller("kube-scheduler"), |pod| {
        set_condition(pod, "PodScheduled", "False", "Unschedulable", message);
    });
}

/// Gives the pod its node.
pub fn bind(txn: &mut Txn<'_>, pod: &Object, node: &str) -> Object {
    let mut bound = (**pod).clone();
    value::set(&mut bound, &["spec", "nodeName"], node);
    let others: Vec<Value> = value::items(&bound, "/status/conditions").iter().filter(|one| one["type"] != "PodScheduled").cloned().collect();
    let mut conditions = vec![json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": stamp::now()})];
    conditions.extend(others);
    value::set(&mut bound, &["status", "conditions"], conditions);
    txn.put(Resource::Pods, bound)
}

/// The node for a pod, or why there is none.
fn choose(txn: &Txn<'_>, pod: &Object, room: &Room) -> Result<String, String> {
    let nodes = &room.nodes;
    let all = nodes.len();
    if let Some(problem) = unmet_claims(txn, pod) {
        return Err(format!(
            "0/{all} nodes are available: {problem}. preemption: 0/{all} nodes are available: {all} Preemption is not helpful for scheduling."
        ));
    }
    let asked = usage::pod(pod, Side::Requests);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut hopeless = 0;
    let mut best: Option<((i64, f64), &Object)> = None;
    for node in nodes {
        if let Some(reason) = mismatch(pod, node) {
            *reasons.entry(reason).or_default() += 1;
            hopeless += 1;
            continue;
        }
        let allocatable = usage::amounts(node.pointer("/status/allocatable"));
        let empty = (Amounts::new(), 0);
        let (taken, count) = room.used.get(value::name(node)).unwrap_or(&empty);
        let short = shortages(&asked, &allocatable, taken, *count);
        if short.is_empty() {
            let score = (wish(pod, node), free_share(&asked, &allocatable, taken));
            if best.is_none_or(|(highest, _)| score > highest) {
                best = Some((score, node));
            }
        }
        if asked.iter().any(|(name, amount)| *amount > allocatable.get(name).copied().unwrap_or(Quantity::ZERO)) {
            hopeless += 1;
        }
        for reason in short {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    if let Some((_, node)) = best {
        return Ok(value::name(node).to_owned());
    }
    if all == 0 {
        return Err("no nodes available to schedule pods".to_owned());
    }
    let mut list: Vec<String> = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    list.sort();
    Err(format!("0/{all} nodes are available: {}. {}", list.join(", "), preemption(all, hopeless)))
}

fn preemption(all: usize, hopeless: usize) -> String {
    let mut parts = Vec::new();
    if all > hopeless {
        parts.push(format!("{} No preemption victims found for incoming pod", all - hopeless));
    }
    if hopeless > 0 {
        parts.push(format!("{hopeless} Preemption is not helpful for scheduling"));
    }
    format!("preemption: 0/{all} nodes are available: {}.", parts.join(", "))
}

fn unmet_claims(txn: &Txn<'_>, pod: &Value) -> Option<String> {
    for volume in value::items(pod, "/spec/volumes") {
        let claim = value::text(volume, "/persistentVolumeClaim/claimName");
        if claim.is_empty() {
            continue;
        }
        match txn.get(&Key::new(Resource::PersistentVolumeClaims, value::namespace(pod), claim)) {
            None => return Some(format!("persistentvolumeclaim {claim:?} not found")),
            Some(found) if value::is_terminating(&found) => return Some(format!("persistentvolumeclaim {claim:?} is being deleted")),
            Some(found) if value::text(&found, "/spec/volumeName").is_empty() => {
                let class = value::text(&found, "/spec/storageClassName");
                let waits = txn
                    .get(&Key::new(Resource::StorageClasses, "", class))
                    .is_some_and(|class| value::text(&class, "/volumeBindingMode") == "WaitForFirstConsumer");
                if !waits {
                    return Some("pod has unbound immediate PersistentVolumeClaims".to_owned());
                }
            }
            Some(_) => {}
        }
    }
    None
}

/// The nodes, and what runs on each: amounts and the number of pods.
struct Room {
    nodes: Vec<Object>,
    used: HashMap<String, (Amounts, i64)>,
}

impl Room {
    fn of(txn: &Txn<'_>) -> Self {
        let mut room = Self { nodes: txn.list(Resource::Nodes, ""), used: HashMap::new() };
        for pod in txn.iter(Resource::Pods, "").filter(|pod| !has_ended(pod)) {
            room.take(value::text(pod, "/spec/nodeName"), pod);
        }
        room
    }

    fn take(&mut self, node: &str, pod: &Value) {
        if !node.is_empty() {
            let (sum, count) = self.used.entry(node.to_owned()).or_default();
            usage::add(sum, &usage::pod(pod, Side::Requests));
            *count += 1;
        }
    }
}
