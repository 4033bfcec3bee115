//! Namespaces: a default account at the start, and nothing left at the end.

use serde_json::{Value, json};

use super::{Context, Work, lost::undiscovered};
use crate::{
    ops::{
        Writer, create,
        delete::{self, Options},
        update::{self, Part},
    },
    registry::{Resource, kinds},
    store::{Change, Key, Txn},
    value,
};

pub fn observe(context: &mut Context, change: &Change) {
    if change.key.resource == Resource::Namespaces && change.new.is_some() {
        context.queue.push(Work::Namespace(change.key.name.clone()));
    } else if change.new.is_none() && !change.key.namespace.is_empty() {
        context.queue.push(Work::Namespace(change.key.namespace.clone()));
    }
}

pub fn reconcile(context: &mut Context, name: &str) {
    let mut txn = context.store.write();
    let key = Key::new(Resource::Namespaces, "", name);
    let Some(namespace) = txn.get(&key) else { return };
    if value::is_terminating(&namespace) {
        let is_stuck = context.faults.has_stuck_namespaces();
        empty(&mut txn, &key, &namespace, is_stuck);
    } else {
        furnish(&mut txn, name);
    }
}

fn furnish(txn: &mut Txn<'_>, name: &str) {
    let writer = Writer::controller("kube-controller-manager");
    let account = Key::new(Resource::ServiceAccounts, name, "default");
    if txn.get(&account).is_none() {
        let _ = create::create(txn, Resource::ServiceAccounts.kind(), name, json!({"metadata": {"name": "default"}}), &writer);
    }
    let authority = Key::new(Resource::ConfigMaps, name, "kube-root-ca.crt");
    if txn.get(&authority).is_none() {
        let body = json!({
            "metadata": {"name": "kube-root-ca.crt", "annotations": {"kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."}},
            "data": {"ca.crt": ""},
        });
        let _ = create::create(txn, Resource::ConfigMaps.kind(), name, body, &writer);
    }
}

/// Deletes what is in the namespace; removes it when nothing is.
fn empty(txn: &mut Txn<'_>, key: &Key, namespace: &Value, is_stuck: bool) {
    let writer = Writer::controller("kube-controller-manager");
    let mut left: Vec<(String, usize)> = Vec::new();
    let mut held = std::collections::BTreeMap::<String, usize>::new();
    for kind in kinds().iter().filter(|kind| kind.namespaced) {
        let found = txn.list(kind.resource, &key.name);
        for object in &found {
            if !value::is_terminating(object) {
                let _ = delete::delete(txn, kind, &Key::of(kind.resource, object), &Options::background(), &writer);
            }
        }
        for finalizer in txn.iter(kind.resource, &key.name).flat_map(|object| value::items(object, "/metadata/finalizers")) {
            *held.entry(finalizer.as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        let count = txn.iter(kind.resource, &key.name).count();
        if count > 0 {
            left.push((format!("{}.{}", kind.plural, kind.group), count));
        }
    }
    if left.is_empty() && is_stuck {
        update::modify(txn, key, Part::Status, &writer, |namespace| {
            if !value::items(namespace, "/status/conditions").iter().any(|one| one["reason"] == "DiscoveryFailed") {
                value::set(namespace, &["status", "conditions"], vec![undiscovered()]);
            }
        });
        return;
    }
    if left.is_empty() {
        finish(txn, key, namespace, &writer);
        return;
    }
    let message: Vec<_> = left.iter().map(|(kind, count)| format!("{kind} has {count} resource instances")).collect();
    let message = format!("Some resources are remaining: {}", message.join(", "));
    let held: Vec<_> = held.iter().map(|(finalizer, count)| format!("{finalizer} in {count} resource instances")).collect();
    update::modify(txn, key, Part::Status, &writer, |namespace| {
        let deleted = "All content successfully deleted, may be waiting on finalization";
        let mut conditions = vec![
            condition_kept(namespace, "NamespaceDeletionContentFailure", "False", "ContentDeleted", deleted),
            condition_kept_if_same(namespace, "NamespaceContentRemaining", "SomeResourcesRemain", &message),
        ];
        if !held.is_empty() {
            let held = format!("Some content in the namespace has finalizers remaining: {}", held.join(", "));
            conditions.push(condition_kept_if_same(namespace, "NamespaceFinalizersRemaining", "SomeFinalizersRemain", &held));
        }
        value::set(namespace, &["status", "conditions"], conditions);
    });
}

/// Its time changes only with what it says.
fn condition_kept_if_same(namespace: &Value, kind: &str, reason: &str, message: &str) -> Value {
    let old = value::items(namespace, "/status/conditions").iter().find(|one| one["type"] == kind && one["message"] == message).cloned();
    old.unwrap_or_else(|| condition(kind, "True", reason, message))
}

fn finish(txn: &mut Txn<'_>, key: &Key, namespace: &Value, writer: &Writer) {
    if value::items(namespace, "/metadata/finalizers").is_empty() {
        txn.remove(key);
    } else {
        update::modify(txn, key, Part::Main, writer, |namespace| {
            value::take(namespace, &["spec", "finalizers"]);
        });
    }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": crate::stamp::now()})
}

fn condition_kept(namespace: &Value, kind: &str, status: &str, reason: &str, message: &str) -> Value {
    let old = value::items(namespace, "/status/conditions").iter().find(|one| one["type"] == kind).cloned();
    old.unwrap_or_else(|| condition(kind, status, reason, message))
}
