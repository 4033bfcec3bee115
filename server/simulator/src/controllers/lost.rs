//! Nodes whose kubelet fell silent, as a fault has it: what the control plane makes of them and of their pods, and their return.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Context, Work,
    events::{self, Said},
    kubelet,
    pod_template::set_condition,
};
use crate::{
    admission::usage::has_ended,
    ops::{
        Writer,
        delete::{self, Options},
        update::{self, Part},
    },
    registry::Resource,
    stamp,
    store::{Key, Object, Txn},
    value,
};

pub const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const SILENT: &str = "NodeStatusUnknown";
const COMPONENT: &str = "node-controller";

/// What a healthy kubelet reports: condition, status, reason, message.
const HEALTHY: [(&str, &str, &str, &str); 4] = [
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
];

/// A switch was turned: nodes and namespaces that are going may have another fate now.
pub fn turned(context: &mut Context) {
    let txn = context.store.write();
    let nodes: Vec<_> = txn.iter(Resource::Nodes, "").map(|node| Work::Node(Key::of(Resource::Nodes, node))).collect();
    let ending = txn.iter(Resource::Namespaces, "").filter(|namespace| value::is_terminating(namespace));
    let ending: Vec<_> = ending.map(|namespace| Work::Namespace(value::name(namespace).to_owned())).collect();
    drop(txn);
    for work in nodes.into_iter().chain(ending) {
        context.queue.push(work);
    }
}

/// The node's conditions: unknown while it is silent, healthy when it speaks again. Whether it was silent before.
pub fn report(txn: &mut Txn<'_>, key: &Key, is_lost: bool) -> bool {
    let silent = |node: Object| value::items(&node, "/status/conditions").iter().any(|condition| condition["reason"] == SILENT);
    let was_silent = txn.get(key).is_some_and(silent);
    update::modify(txn, key, Part::Status, &Writer::controller(COMPONENT), |node| {
        let mut conditions = value::items(node, "/status/conditions").to_vec();
        for condition in &mut conditions {
            if is_lost && condition["reason"] != SILENT {
                turn(condition, "Unknown", SILENT, "Kubelet stopped posting node status.");
            } else if !is_lost
                && condition["reason"] == SILENT
                && let Some((_, status, reason, message)) = HEALTHY.iter().find(|(kind, ..)| condition["type"] == *kind)
            {
                turn(condition, status, reason, message);
            }
        }
        value::set(node, &["status", "conditions"], conditions);
    });
    was_silent
}

fn turn(condition: &mut Value, status: &str, reason: &str, message: &str) {
    let now = stamp::now();
    for (field, text) in [("status", status), ("reason", reason), ("message", message), ("lastTransitionTime", now.as_str())] {
        condition[field] = text.into();
    }
}

/// The node's pods: not ready and in the end evicted while it is silent; they stay until it confirms that they ended.
pub fn follow(context: &mut Context, txn: &mut Txn<'_>, node: &Key, is_lost: bool) {
    for pod in pods_on(txn, &node.name) {
        let key = Key::of(Resource::Pods, &pod);
        if !is_lost {
            context.queue.forget_stage(value::uid(&pod), "evict");
            kubelet::resume(txn, &key, &pod);
            context.queue.push(Work::Pod(key));
        } else if !has_ended(&pod) && !value::is_terminating(&pod) {
            give_up(txn, &key, &pod);
            if let Some(patience) = patience(&pod)
                && context.queue.has_passed(value::uid(&pod), "evict", patience.min(context.pace.evict), &Work::Node(node.clone()))
            {
                evict(txn, &key, &pod);
            }
        }
    }
}

/// Pods of a node that is no more are gone too.
pub fn collect(txn: &mut Txn<'_>, node: &str) {
    for pod in pods_on(txn, node) {
        let options = Options { grace_seconds: Some(0), ..Options::background() };
        let _ = delete::delete(txn, Resource::Pods.kind(), &Key::of(Resource::Pods, &pod), &options, &Writer::controller("pod-garbage-collector"));
    }
}

fn pods_on(txn: &Txn<'_>, node: &str) -> Vec<Object> {
    txn.iter(Resource::Pods, "").filter(|pod| value::text(pod, "/spec/nodeName") == node).cloned().collect()
}

fn give_up(txn: &mut Txn<'_>, key: &Key, pod: &Object) {
    let was_ready = super::pod_template::is_ready(pod);
    update::modify(txn, key, Part::Status, &Writer::controller(COMPONENT), |pod| {
        if was_ready {
            set_condition(pod, "Ready", "False", "", "");
        }
    });
    if was_ready {
        events::record(txn, pod, &Said::warning(COMPONENT, "NodeNotReady", "Node is not ready"));
    }
}

/// How long the pod stays on an unreachable node; `None` for ever.
fn patience(pod: &Value) -> Option<Duration> {
    let fits = |one: &&Value| {
        let key = value::text(one, "/key");
        let effect = value::text(one, "/effect");
        (key == UNREACHABLE || key.is_empty() && one["operator"] == "Exists") && (effect.is_empty() || effect == "NoExecute")
    };
    let mut tolerated = value::items(pod, "/spec/tolerations").iter().filter(fits).peekable();
    if tolerated.peek().is_none() {
        return Some(Duration::ZERO);
    }
    tolerated.filter_map(|one| value::int(one, "/tolerationSeconds")).min().map(|seconds| Duration::from_secs(seconds.max(0).unsigned_abs()))
}

fn evict(txn: &mut Txn<'_>, key: &Key, pod: &Object) {
    let writer = Writer::controller("taint-eviction-controller");
    update::modify(txn, key, Part::Status, &writer, |pod| {
        set_condition(pod, "DisruptionTarget", "True", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint");
    });
    let said = format!("Marking for deletion Pod {}/{}", key.namespace, key.name);
    events::record(txn, pod, &Said::normal("taint-eviction-controller", "TaintManagerEviction", said));
    let _ = delete::delete(txn, Resource::Pods.kind(), key, &Options::background(), &writer);
}

/// The condition of a namespace that becomes empty and cannot go.
pub fn undiscovered() -> Value {
    json!({
        "type": "NamespaceDeletionDiscoveryFailure", "status": "True", "reason": "DiscoveryFailed", "lastTransitionTime": stamp::now(),
        "message": "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: the server is currently unable to handle the request",
    })
}
