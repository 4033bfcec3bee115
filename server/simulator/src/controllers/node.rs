//! Taints that follow from a node's state: cordoned, or not ready.

use serde_json::{Value, json};

use super::{
    Context, Work,
    events::{self, Said},
    pod_template::is_ready,
};
use crate::{
    ops::{
        Writer,
        update::{self, Part},
    },
    registry::Resource,
    store::{Change, Key},
    value,
};

const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
const COMPONENT: &str = "kubelet";

pub fn observe(context: &mut Context, change: &Change) {
    if change.key.resource == Resource::Nodes && change.new.is_some() {
        context.queue.push(Work::Node(change.key.clone()));
    }
}

pub fn reconcile(context: &mut Context, key: &Key) {
    let mut txn = context.store.write();
    let mut said = Vec::new();
    let node = update::modify(&mut txn, key, Part::Main, &Writer::controller("kube-controller-manager"), |node| {
        let is_unready = !is_ready(node);
        let wanted =
            [(UNSCHEDULABLE, "NoSchedule", value::flag(node, "/spec/unschedulable")), ("node.kubernetes.io/not-ready", "NoSchedule", is_unready)];
        for (key, _, applies) in wanted {
            let applied = value::items(node, "/spec/taints").iter().any(|taint| taint["key"] == key);
            if applied != applies {
                said.push(match (key, applies) {
                    (UNSCHEDULABLE, true) => "NodeNotSchedulable",
                    (UNSCHEDULABLE, false) => "NodeSchedulable",
                    (_, true) => "NodeNotReady",
                    (_, false) => "NodeReady",
                });
            }
        }
        let mut taints: Vec<Value> =
            value::items(node, "/spec/taints").iter().filter(|taint| !wanted.iter().any(|(key, ..)| taint["key"] == *key)).cloned().collect();
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
            events::record(&mut txn, &node, &said.on(&key.name));
        }
    }
}
