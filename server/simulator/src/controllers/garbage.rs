//! Garbage collection by owner references: what has lost its owners goes, owners deleted in the foreground wait for theirs.

use serde_json::Value;

use super::{Context, Work};
use crate::{
    ops::{
        Writer,
        delete::{self, FOREGROUND, ORPHAN, Options, Propagation},
        update::{self, Part},
    },
    store::{Change, Key, Txn},
    value,
};

pub fn observe(context: &mut Context, change: &Change) {
    match (&change.old, &change.new) {
        (Some(old), None) => {
            let txn = context.store.write();
            let dependents = txn.dependents(value::uid(old));
            let owners = value::items(old, "/metadata/ownerReferences").iter().filter_map(|owner| txn.by_uid(value::text(owner, "/uid")));
            let all: Vec<Key> = dependents.into_iter().chain(owners).collect();
            drop(txn);
            for key in all {
                context.queue.push(Work::Collect(key));
            }
        }
        (_, Some(new)) if is_of_interest(&change.key, new) => context.queue.push(Work::Collect(change.key.clone())),
        _ => {}
    }
}

fn is_of_interest(key: &Key, object: &Value) -> bool {
    let is_owned = !value::items(object, "/metadata/ownerReferences").is_empty();
    let is_ours = || has_finalizer(object, FOREGROUND) || has_finalizer(object, ORPHAN);
    is_owned || (value::is_terminating(object) && (is_ours() || update::is_ready_to_go(key.resource.kind(), object)))
}

fn has_finalizer(object: &Value, name: &str) -> bool {
    value::items(object, "/metadata/finalizers").iter().any(|one| one == name)
}

pub fn reconcile(context: &mut Context, key: &Key) {
    let mut txn = context.store.write();
    let Some(object) = txn.get(key) else { return };
    let writer = Writer::controller("kube-controller-manager");
    if value::is_terminating(&object) {
        if has_finalizer(&object, ORPHAN) {
            orphan(&mut txn, key, &object, &writer);
        } else if has_finalizer(&object, FOREGROUND) {
            wait_for_dependents(&mut txn, key, &object, &writer);
        } else if update::is_ready_to_go(key.resource.kind(), &object) {
            // Left behind in the data folder of an earlier version that was killed.
            txn.remove(key);
        }
        return;
    }
    follow_owners(&mut txn, key, &object, &writer);
}

fn orphan(txn: &mut Txn<'_>, key: &Key, object: &Value, writer: &Writer) {
    for dependent in txn.dependents(value::uid(object)) {
        update::modify(txn, &dependent, Part::Main, writer, |dependent| {
            keep_owners(dependent, |owner| value::text(owner, "/uid") != value::uid(object));
        });
    }
    drop_finalizer(txn, key, ORPHAN, writer);
}

fn wait_for_dependents(txn: &mut Txn<'_>, key: &Key, object: &Value, writer: &Writer) {
    let dependents = txn.dependents(value::uid(object));
    if dependents.is_empty() {
        drop_finalizer(txn, key, FOREGROUND, writer);
        return;
    }
    for dependent in dependents {
        let Some(found) = txn.get(&dependent) else { continue };
        if value::is_terminating(&found) {
            continue;
        }
        let has_own = !txn.dependents(value::uid(&found)).is_empty();
        let propagation = Some(if has_own { Propagation::Foreground } else { Propagation::Background });
        let _ = delete::delete(txn, dependent.resource.kind(), &dependent, &Options { propagation, ..Options::default() }, writer);
    }
    // Those without finalizers or grace are gone by now.
    if txn.dependents(value::uid(object)).is_empty() {
        drop_finalizer(txn, key, FOREGROUND, writer);
    }
}

fn follow_owners(txn: &mut Txn<'_>, key: &Key, object: &Value, writer: &Writer) {
    let owners = value::items(object, "/metadata/ownerReferences");
    if owners.is_empty() {
        return;
    }
    let exists = |txn: &Txn<'_>, owner: &Value| {
        txn.by_uid(value::text(owner, "/uid"))
            .is_some_and(|found| found.name == value::text(owner, "/name") && (found.namespace.is_empty() || found.namespace == key.namespace))
    };
    let present: Vec<String> = owners.iter().filter(|owner| exists(txn, owner)).map(|owner| value::text(owner, "/uid").to_owned()).collect();
    if present.is_empty() {
        let options = Options { propagation: Some(Propagation::Background), uid: Some(value::uid(object).to_owned()), ..Options::default() };
        let _ = delete::delete(txn, key.resource.kind(), key, &options, writer);
    } else if present.len() < owners.len() {
        update::modify(txn, key, Part::Main, writer, |object| {
            keep_owners(object, |owner| present.iter().any(|uid| uid == value::text(owner, "/uid")));
        });
    }
}

fn keep_owners(object: &mut Value, keep: impl Fn(&Value) -> bool) {
    let kept: Vec<Value> = value::items(object, "/metadata/ownerReferences").iter().filter(|owner| keep(owner)).cloned().collect();
    if kept.is_empty() {
        value::take(object, &["metadata", "ownerReferences"]);
    } else {
        value::set(object, &["metadata", "ownerReferences"], kept);
    }
}

/// Removes a finalizer; an object without any other goes with it.
pub fn drop_finalizer(txn: &mut Txn<'_>, key: &Key, name: &str, writer: &Writer) {
    update::modify(txn, key, Part::Main, writer, |object| {
        let kept: Vec<Value> = value::items(object, "/metadata/finalizers").iter().filter(|one| *one != name).cloned().collect();
        if kept.is_empty() {
            value::take(object, &["metadata", "finalizers"]);
        } else {
            value::set(object, &["metadata", "finalizers"], kept);
        }
    });
}
