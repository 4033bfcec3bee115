//! What the workload controllers share: pods from templates, their state, revisions.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

use crate::{
    chance,
    ops::{
        Writer,
        update::{self, Part},
    },
    registry::Resource,
    selector::LabelSelector,
    store::{Key, Object, Txn},
    value,
};

/// A pod of this owner's template, without a name.
pub fn pod_of(owner: &Value) -> Value {
    let template = &owner["spec"]["template"];
    let mut metadata = json!({"ownerReferences": [reference(owner)]});
    for part in ["labels", "annotations"] {
        if let Some(map) = template["metadata"].get(part) {
            metadata[part] = map.clone();
        }
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
}

/// The reference that makes `owner` the managing controller.
pub fn reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": value::name(owner), "uid": value::uid(owner),
        "controller": true, "blockOwnerDeletion": true,
    })
}

/// The objects of a kind that this owner controls.
pub fn controlled(txn: &Txn<'_>, resource: Resource, owner: &Value) -> Vec<Object> {
    let uid = value::uid(owner);
    let keys = txn.dependents(uid).into_iter().filter(|key| key.resource == resource);
    keys.filter_map(|key| txn.get(&key))
        .filter(|object| value::controller_of(object).is_some_and(|reference| value::text(reference, "/uid") == uid))
        .collect()
}

/// Takes over the objects of a kind that the owner selects, that may be its, and that nobody controls.
pub fn adopt(txn: &mut Txn<'_>, resource: Resource, owner: &Value, writer: &Writer, may: impl Fn(&Value) -> bool) {
    let Some(selector) = LabelSelector::of(&owner["spec"]["selector"]).filter(|selector| !selector.is_empty()) else { return };
    let is_free = |one: &&Object| selector.matches(one) && value::controller_of(one).is_none() && !value::is_terminating(one) && may(one);
    let free: Vec<Key> = txn.iter(resource, value::namespace(owner)).filter(is_free).map(|one| Key::of(resource, one)).collect();
    for key in free {
        update::modify(txn, &key, Part::Main, writer, |one| {
            let mut owners = value::items(one, "/metadata/ownerReferences").to_vec();
            owners.push(reference(owner));
            value::set(one, &["metadata", "ownerReferences"], owners);
        });
    }
}

/// A name for a version of a template, as controllers make it.
pub fn revision(object: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    object["spec"]["template"].to_string().hash(&mut hasher);
    let mut rest = hasher.finish();
    let mut name = String::new();
    for _ in 0..10 {
        name.push(char::from(chance::LETTERS[usize::try_from(rest % 27).unwrap_or_default()]));
        rest /= 27;
    }
    name
}

pub fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready").is_some_and(|ready| ready["status"] == "True")
}

pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    value::items(object, "/status/conditions").iter().find(|condition| condition["type"] == kind)
}

/// Sets a condition; its transition time changes only with its status.
pub fn set_condition(object: &mut Value, kind: &str, status: &str, reason: &str, message: &str) {
    let mut all = value::items(object, "/status/conditions").to_vec();
    let now = crate::stamp::now();
    let mut made = json!({"type": kind, "status": status, "lastTransitionTime": now});
    match value::text(object, "/kind") {
        "Pod" => made["lastProbeTime"] = Value::Null,
        "Job" => made["lastProbeTime"] = now.into(),
        _ => made["lastUpdateTime"] = now.into(),
    }
    if !reason.is_empty() {
        made["reason"] = reason.into();
    }
    if !message.is_empty() {
        made["message"] = message.into();
    }
    match all.iter_mut().find(|one| one["type"] == kind) {
        Some(old) if old["status"] == status && old["reason"] == made["reason"] && old["message"] == made["message"] => return,
        Some(old) => {
            if old["status"] == status {
                made["lastTransitionTime"] = old["lastTransitionTime"].clone();
            }
            *old = made;
        }
        None => all.push(made),
    }
    value::set(object, &["status", "conditions"], all);
}
