//! The values that the API server fills in. To add a kind: an arm in `apply`.

use serde_json::{Value, json};

use super::pod_defaults;
use crate::{
    kubeconfig::base64,
    registry::{Kind, Resource},
    value::{self, set_default},
};

/// Fills in what a body leaves out.
pub fn apply(kind: &Kind, object: &mut Value) {
    match kind.resource {
        Resource::Namespaces => namespace(object),
        Resource::Pods => pod_defaults::pod(object),
        Resource::StatefulSets => stateful_set(object),
        Resource::Deployments => deployment(object),
        Resource::ReplicaSets => {
            set_default(object, &["spec", "replicas"], 1);
            pod_defaults::template(object);
        }
        Resource::DaemonSets => pod_defaults::template(object),
        Resource::Jobs => job(object),
        Resource::Services => service(object),
        Resource::PersistentVolumeClaims => {
            set_default(object, &["spec", "volumeMode"], "Filesystem");
            set_default(object, &["status", "phase"], "Pending");
            canonical(object, &["spec", "resources", "requests"]);
            canonical(object, &["spec", "resources", "limits"]);
        }
        Resource::PersistentVolumes => {
            set_default(object, &["spec", "volumeMode"], "Filesystem");
            set_default(object, &["spec", "persistentVolumeReclaimPolicy"], "Retain");
            set_default(object, &["status", "phase"], "Pending");
        }
        Resource::Secrets => secret(object),
        Resource::NetworkPolicies => network_policy(object),
        Resource::LimitRanges => limit_range(object),
        Resource::ResourceQuotas => {
            value::map_at(object, &["status"]);
            canonical(object, &["spec", "hard"]);
        }
        Resource::StorageClasses => {
            set_default(object, &["reclaimPolicy"], "Delete");
            set_default(object, &["volumeBindingMode"], "Immediate");
        }
        Resource::RoleBindings | Resource::ClusterRoleBindings => {
            set_default(object, &["roleRef", "apiGroup"], "rbac.authorization.k8s.io");
            for subject in object.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
                if value::text(subject, "/kind") != "ServiceAccount" {
                    set_default(subject, &["apiGroup"], "rbac.authorization.k8s.io");
                }
            }
        }
        _ => {}
    }
}

/// Writes the quantities of a map in their canonical form.
pub fn canonical(object: &mut Value, path: &[&str]) {
    let pointer = format!("/{}", path.join("/"));
    for (_, amount) in object.pointer_mut(&pointer).and_then(Value::as_object_mut).into_iter().flatten() {
        if let Some(quantity) = crate::quantity::Quantity::of(amount) {
            *amount = quantity.to_string().into();
        }
    }
}

fn namespace(object: &mut Value) {
    let name = value::name(object).to_owned();
    value::set(object, &["metadata", "labels", "kubernetes.io/metadata.name"], name);
    if !value::is_terminating(object) {
        set_default(object, &["spec", "finalizers"], json!(["kubernetes"]));
    }
    set_default(object, &["status", "phase"], "Active");
}

fn stateful_set(object: &mut Value) {
    set_default(object, &["spec", "replicas"], 1);
    set_default(object, &["spec", "podManagementPolicy"], "OrderedReady");
    set_default(object, &["spec", "revisionHistoryLimit"], 10);
    set_default(object, &["spec", "updateStrategy", "type"], "RollingUpdate");
    if value::text(object, "/spec/updateStrategy/type") == "RollingUpdate" {
        set_default(object, &["spec", "updateStrategy", "rollingUpdate", "partition"], 0);
    }
    set_default(object, &["spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted"], "Retain");
    set_default(object, &["spec", "persistentVolumeClaimRetentionPolicy", "whenScaled"], "Retain");
    for claim in object.pointer_mut("/spec/volumeClaimTemplates").and_then(Value::as_array_mut).into_iter().flatten() {
        set_default(claim, &["apiVersion"], "v1");
        set_default(claim, &["kind"], "PersistentVolumeClaim");
        set_default(claim, &["spec", "volumeMode"], "Filesystem");
        set_default(claim, &["status", "phase"], "Pending");
    }
    set_default(object, &["status", "replicas"], 0);
    set_default(object, &["status", "availableReplicas"], 0);
    pod_defaults::template(object);
}

fn deployment(object: &mut Value) {
    set_default(object, &["spec", "replicas"], 1);
    set_default(object, &["spec", "revisionHistoryLimit"], 10);
    set_default(object, &["spec", "progressDeadlineSeconds"], 600);
    set_default(object, &["spec", "strategy", "type"], "RollingUpdate");
    if value::text(object, "/spec/strategy/type") == "RollingUpdate" {
        set_default(object, &["spec", "strategy", "rollingUpdate", "maxSurge"], "25%");
        set_default(object, &["spec", "strategy", "rollingUpdate", "maxUnavailable"], "25%");
    }
    value::map_at(object, &["status"]);
    pod_defaults::template(object);
}

fn job(object: &mut Value) {
    let (completions, parallelism) = (value::int(object, "/spec/completions"), value::int(object, "/spec/parallelism"));
    if completions.is_none() && parallelism.is_none() {
        value::set(object, &["spec", "completions"], 1);
    }
    set_default(object, &["spec", "parallelism"], 1);
    set_default(object, &["spec", "completionMode"], "NonIndexed");
    set_default(object, &["spec", "suspend"], false);
    set_default(object, &["spec", "podReplacementPolicy"], "TerminatingOrFailed");
    let per_index = object.pointer("/spec/backoffLimitPerIndex").is_some();
    set_default(object, &["spec", "backoffLimit"], if per_index { i32::MAX } else { 6 });
    set_default(object, &["spec", "manualSelector"], false);
    let (uid, name) = (value::uid(object).to_owned(), value::name(object).to_owned());
    let template_labels = object.pointer("/spec/template/metadata/labels").filter(|labels| labels.get("job-name").is_none()).cloned();
    if let Some(labels) = template_labels
        && object["metadata"].get("labels").is_none()
    {
        value::set(object, &["metadata", "labels"], labels);
    }
    if !value::flag(object, "/spec/manualSelector") && !uid.is_empty() {
        value::set(object, &["spec", "selector"], json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}));
        let labels = value::map_at(object, &["spec", "template", "metadata", "labels"]);
        for (key, text) in [("controller-uid", &uid), ("job-name", &name)] {
            labels.insert(key.to_owned(), text.as_str().into());
            labels.insert(format!("batch.kubernetes.io/{key}"), text.as_str().into());
        }
    }
    value::map_at(object, &["status"]);
    pod_defaults::template(object);
}

fn service(object: &mut Value) {
    set_default(object, &["spec", "type"], "ClusterIP");
    set_default(object, &["spec", "sessionAffinity"], "None");
    if value::text(object, "/spec/type") != "ExternalName" {
        set_default(object, &["spec", "internalTrafficPolicy"], "Cluster");
        set_default(object, &["spec", "ipFamilies"], json!(["IPv4"]));
        set_default(object, &["spec", "ipFamilyPolicy"], "SingleStack");
    }
    for port in object.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten() {
        set_default(port, &["protocol"], "TCP");
        let own = port.get("port").cloned().unwrap_or_default();
        set_default(port, &["targetPort"], own);
    }
    value::map_at(object, &["status", "loadBalancer"]);
}

fn secret(object: &mut Value) {
    set_default(object, &["type"], "Opaque");
    if let Some(Value::Object(plain)) = value::take(object, &["stringData"]) {
        for (key, text) in plain {
            value::set(object, &["data", &key], base64(text.as_str().unwrap_or_default().as_bytes()));
        }
    }
}

fn network_policy(object: &mut Value) {
    if object.pointer("/spec/policyTypes").is_none() {
        let mut types = vec!["Ingress"];
        if !value::items(object, "/spec/egress").is_empty() {
            types.push("Egress");
        }
        value::set(object, &["spec", "policyTypes"], types);
    }
    value::map_at(object, &["spec", "podSelector"]);
    for direction in ["ingress", "egress"] {
        for rule in object.pointer_mut(&format!("/spec/{direction}")).and_then(Value::as_array_mut).into_iter().flatten() {
            for port in rule.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                set_default(port, &["protocol"], "TCP");
            }
        }
    }
}

/// A maximum is the default limit, the default limit the default request, and a minimum a request, where nothing else is said.
fn limit_range(object: &mut Value) {
    for limit in object.pointer_mut("/spec/limits").and_then(Value::as_array_mut).into_iter().flatten() {
        for part in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
            canonical(limit, &[part]);
        }
        if value::text(limit, "/type") != "Container" {
            continue;
        }
        for (from, to) in [("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")] {
            for (name, amount) in limit.get(from).and_then(Value::as_object).cloned().into_iter().flatten() {
                set_default(limit, &[to, &name], amount);
            }
        }
    }
}
