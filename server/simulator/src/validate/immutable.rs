//! What may not change once made.

use serde_json::Value;

use super::Complaints;
use crate::{
    error::FieldError,
    quantity::Quantity,
    registry::{Kind, Resource},
    value,
};

pub fn check(kind: &Kind, old: &Value, new: &Value, complaints: &mut Complaints) {
    finalizers(old, new, complaints);
    match kind.resource {
        Resource::StatefulSets => {
            let free = [
                "replicas",
                "ordinals",
                "template",
                "updateStrategy",
                "revisionHistoryLimit",
                "persistentVolumeClaimRetentionPolicy",
                "minReadySeconds",
            ];
            if differs_beyond(old, new, &free) {
                let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
                complaints.push(FieldError::forbidden("spec", detail));
            }
        }
        Resource::Jobs => {
            fixed(old, new, "completions", complaints);
            fixed(old, new, "selector", complaints);
            fixed(old, new, "completionMode", complaints);
            let was_suspended = value::flag(old, "/spec/suspend");
            if old["spec"]["template"] != new["spec"]["template"] && !was_suspended {
                complaints.push(FieldError {
                    reason: "FieldValueInvalid",
                    field: "spec.template".to_owned(),
                    message: "Invalid value: core.PodTemplateSpec{}: field is immutable".to_owned(),
                });
            }
        }
        Resource::Deployments | Resource::ReplicaSets | Resource::DaemonSets => fixed(old, new, "selector", complaints),
        Resource::Pods if pod_rest(old) != pod_rest(new) => {
            let detail = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
            complaints.push(FieldError::forbidden("spec", detail));
        }
        Resource::PersistentVolumeClaims => {
            let was_bound = !value::text(old, "/spec/volumeName").is_empty();
            if was_bound && differs_beyond(old, new, &["resources"])
                || !was_bound && differs_beyond(old, new, &["resources", "volumeName", "storageClassName"])
            {
                complaints.push(FieldError::forbidden(
                    "spec",
                    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
                ));
            }
            let size = |object: &Value, pointer: &str| object.pointer(pointer).and_then(Quantity::of);
            let requested = "/spec/resources/requests/storage";
            // A request may be reduced while the volume has not grown, but it must stay above the volume's capacity.
            if let (Some(before), Some(after)) = (size(old, requested), size(new, requested))
                && after < before
                && size(old, "/status/capacity/storage").is_none_or(|there| after <= there)
            {
                complaints.push(FieldError::forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
            }
        }
        Resource::RoleBindings | Resource::ClusterRoleBindings if old["roleRef"] != new["roleRef"] => {
            complaints.push(FieldError::invalid("roleRef", &new["roleRef"], "cannot change roleRef"));
        }
        Resource::Secrets | Resource::ConfigMaps if value::flag(old, "/immutable") && old["data"] != new["data"] => {
            complaints.push(FieldError::forbidden("data", "field is immutable when `immutable` is set"));
        }
        Resource::Secrets if old["type"] != new["type"] => complaints.push(FieldError::invalid("type", &new["type"], "field is immutable")),
        _ => {}
    }
}

/// What is being deleted is not held by anything new.
fn finalizers(old: &Value, new: &Value, complaints: &mut Complaints) {
    let before = value::items(old, "/metadata/finalizers");
    let added: Vec<String> = value::items(new, "/metadata/finalizers").iter().filter(|one| !before.contains(one)).map(Value::to_string).collect();
    if value::is_terminating(old) && !added.is_empty() {
        let detail = format!("no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}", added.join(", "));
        complaints.push(FieldError::forbidden("metadata.finalizers", &detail));
    }
}

fn fixed(old: &Value, new: &Value, field: &str, complaints: &mut Complaints) {
    if old["spec"].get(field) != new["spec"].get(field) {
        let shown = new["spec"].get(field).cloned().unwrap_or_default();
        complaints.push(FieldError::invalid(format!("spec.{field}"), &shown, "field is immutable"));
    }
}

fn differs_beyond(old: &Value, new: &Value, free: &[&str]) -> bool {
    let rest = |object: &Value| {
        let mut spec = object["spec"].clone();
        if let Some(map) = spec.as_object_mut() {
            map.retain(|name, _| !free.contains(&name.as_str()));
        }
        spec
    };
    rest(old) != rest(new)
}

fn pod_rest(pod: &Value) -> Value {
    let mut spec = pod["spec"].clone();
    for field in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates"] {
        value::take(&mut spec, &[field]);
    }
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            value::take(container, &["image"]);
            value::take(container, &["imagePullPolicy"]);
        }
    }
    spec
}
