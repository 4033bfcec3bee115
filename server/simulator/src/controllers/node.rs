//! Taints that follow from a node's state: cordoned, not ready, or silent.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Context, Work,
    events::{self, Said},
    lost::{self, UNREACHABLE},
    pod_template::condition,
};
use crate::{
    ops::{
        Writer,
        update::{self, Part},
    },
    registry::Resource,
    store::{Change, Key, Txn},
    value,
};

const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
const NOT_READY: &str = "node.kubernetes.io/not-ready";
const COMPONENT: &str = "kubelet";

pub fn observe(context: &mut Context, change: &Change) {
    if change.key.resource == Resource::Nodes {
        context.queue.push(Work::Node(change.key.clone()));
    }
}

pub fn reconcile(context: &mut Context, key: &Key) {
    let store = Arc::clone(&context.store);
    let mut txn = store.write();
    if txn.get(key).is_none() {
        lost::collect(&mut txn, &key.name);
        return;
    }
    let is_lost = context.faults.has_lost(&key.name);
    let was_silent = lost::report(&mut txn, key, is_lost);
    taint(&mut txn, key);
    if is_lost || was_silent {
        lost::follow(context, &mut txn, key, is_lost);
    }
}

fn taint(txn: &mut Txn<'_>, key: &Key) {
    let mut said = Vec::new();
    let node = update::modify(txn, key, Part::Main, &Writer::controller("kube-controller-manager"), |node| {
        let ready = condition(node, "Ready").map_or("", |ready| value::text(ready, "/status")).to_owned();
        let is_silent = ready == "Unknown";
        let wanted = [
            (UNSCHEDULABLE, "NoSchedule", value::flag(node, "/spec/unschedulable")),
            (NOT_READY, "NoSchedule", ready != "True" && !is_silent),
            (UNREACHABLE, "NoSchedule", is_silent),
            (UNREACHABLE, "NoExecute", is_silent),
        ];
        let is = |taint: &Value, key: &str, effect: &str| taint["key"] == key && taint["effect"] == effect;
        for (key, effect, applies) in wanted {
            let applied = value::items(node, "/spec/taints").iter().any(|taint| is(taint, key, effect));
            if applied != applies && effect == "NoSchedule" {
                said.push(match (key, applies) {
                    (UNSCHEDULABLE, true) => "NodeNotSchedulable",
                    (UNSCHEDULABLE, false) => "NodeSchedulable",
                    (_, true) => "NodeNotReady",
                    (_, false) => "NodeReady",
                });
            }
        }
        let mut taints: Vec<Value> = value::items(node, "/spec/taints")
            .iter()
            .filter(|taint| !wanted.iter().any(|(key, effect, _)| is(taint, key, effect)))
            .cloned()
            .collect();
        taints.extend(wanted.iter().filter(|(.., applies)| *applies).map(|(key, effect, _)| json!({"key": key, "effect": effect})));
        if taints.is_empty() {
            value::take(node, &["spec", "taints"]);
        } else {
            value::set(node, &["spec", "taints"], taints);
        }
    });
    if let Some(node) = node {
        for reason in said {
            let message = format!("Node {} status is now: {reason}", key.name);
            let said = if reason == "NodeNotReady" { Said::warning(COMPONENT, reason, message) } else { Said::normal(COMPONENT, reason, message) };
            events::record(txn, &node, &said.on(&key.name));
        }
    }
}
