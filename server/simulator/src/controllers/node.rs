//! Taints that follow from a node's state: cordoned, or not ready.

use serde_json::{Value, json};

use super::{Context, Work, pod_template::is_ready};
use crate::{
    ops::{
        Writer,
        update::{self, Part},
    },
    registry::Resource,
    store::{Change, Key},
    value,
};

pub fn observe(context: &mut Context, change: &Change) {
    if change.key.resource == Resource::Nodes && change.new.is_some() {
        context.queue.push(Work::Node(change.key.clone()));
    }
}

pub fn reconcile(context: &mut Context, key: &Key) {
    let mut txn = context.store.write();
    update::modify(&mut txn, key, Part::Main, &Writer::controller("kube-controller-manager"), |node| {
        let is_unready = !is_ready(node);
        let wanted = [
            ("node.kubernetes.io/unschedulable", "NoSchedule", value::flag(node, "/spec/unschedulable")),
            ("node.kubernetes.io/not-ready", "NoSchedule", is_unready),
        ];
        let mut taints: Vec<Value> =
            value::items(node, "/spec/taints").iter().filter(|taint| !wanted.iter().any(|(key, ..)| taint["key"] == *key)).cloned().collect();
        taints.extend(wanted.iter().filter(|(.., applies)| *applies).map(|(key, effect, _)| json!({"key": key, "effect": effect})));
        if taints.is_empty() {
            value::take(node, &["spec", "taints"]);
        } else {
            value::set(node, &["spec", "taints"], taints);
        }
    });
}
