//! Defaults of pods and pod templates.

use serde_json::{Value, json};

use super::defaults::canonical;
use crate::value::{self, set_default};

/// A pod's own defaults, beyond those of its template.
pub fn pod(pod: &mut Value) {
    value::map_at(pod, &["spec"]);
    if let Some(spec) = pod.get_mut("spec") {
        spec_defaults(spec);
        set_default(spec, &["enableServiceLinks"], true);
        for list in ["initContainers", "containers"] {
            for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                requests_from_limits(container);
            }
        }
    }
    set_default(pod, &["status", "phase"], "Pending");
    let class = quality(pod);
    set_default(pod, &["status", "qosClass"], class);
}

/// What admission adds to a new pod.
pub fn admit(pod: &mut Value) {
    if let Some(spec) = pod.get_mut("spec") {
        for list in ["initContainers", "containers"] {
            for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                requests_from_limits(container);
            }
        }
    }
    set_default(pod, &["spec", "priority"], 0);
    set_default(pod, &["spec", "preemptionPolicy"], "PreemptLowerPriority");
    let mut tolerations = value::items(pod, "/spec/tolerations").to_vec();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        if !tolerations.iter().any(|one| one["key"] == key || (one.get("key").is_none() && one["operator"] == "Exists")) {
            tolerations.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
        }
    }
    value::set(pod, &["spec", "tolerations"], tolerations);
    let class = quality(pod);
    value::set(pod, &["status", "qosClass"], class);
}

/// Defaults of `spec.template`.
pub fn template(object: &mut Value) {
    value::map_at(object, &["spec", "template", "metadata"]);
    value::map_at(object, &["spec", "template", "spec"]);
    if let Some(spec) = object.pointer_mut("/spec/template/spec") {
        spec_defaults(spec);
    }
}

fn spec_defaults(spec: &mut Value) {
    set_default(spec, &["restartPolicy"], "Always");
    set_default(spec, &["terminationGracePeriodSeconds"], 30);
    set_default(spec, &["dnsPolicy"], "ClusterFirst");
    set_default(spec, &["schedulerName"], "default-scheduler");
    value::map_at(spec, &["securityContext"]);
    if let Some(account) = spec.get("serviceAccountName").cloned() {
        set_default(spec, &["serviceAccount"], account);
    }
    for list in ["initContainers", "containers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            container_defaults(container);
        }
    }
    for volume in spec.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten() {
        for source in ["secret", "configMap", "downwardAPI", "projected"] {
            if volume.get(source).is_some() {
                set_default(volume, &[source, "defaultMode"], 420);
            }
        }
        if volume.get("hostPath").is_some() {
            set_default(volume, &["hostPath", "type"], "");
        }
        if volume.as_object().is_some_and(|map| map.len() == 1 && map.contains_key("name")) {
            value::map_at(volume, &["emptyDir"]);
        }
    }
}

fn container_defaults(container: &mut Value) {
    set_default(container, &["terminationMessagePath"], "/dev/termination-log");
    set_default(container, &["terminationMessagePolicy"], "File");
    let image = value::text(container, "/image");
    let last = image.rsplit('/').next().unwrap_or_default();
    let is_latest = !image.contains('@') && (!last.contains(':') || last.ends_with(":latest"));
    set_default(container, &["imagePullPolicy"], if is_latest { "Always" } else { "IfNotPresent" });
    value::map_at(container, &["resources"]);
    canonical(container, &["resources", "limits"]);
    canonical(container, &["resources", "requests"]);
    for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        set_default(port, &["protocol"], "TCP");
    }
    for variable in container.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
        if variable.pointer("/valueFrom/fieldRef").is_some() {
            set_default(variable, &["valueFrom", "fieldRef", "apiVersion"], "v1");
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(probe).filter(|probe| probe.is_object()) {
            for (field, seconds) in [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)] {
                set_default(probe, &[field], seconds);
            }
            if probe.get("httpGet").is_some() {
                set_default(probe, &["httpGet", "path"], "/");
                set_default(probe, &["httpGet", "scheme"], "HTTP");
            }
        }
    }
}

fn requests_from_limits(container: &mut Value) {
    let limits = container.pointer("/resources/limits").and_then(Value::as_object).cloned();
    for (name, amount) in limits.into_iter().flatten() {
        set_default(container, &["resources", "requests", &name], amount);
    }
}

/// The pod's quality of service class.
fn quality(pod: &Value) -> &'static str {
    let containers = || value::items(pod, "/spec/containers").iter().chain(value::items(pod, "/spec/initContainers"));
    let part = |container: &Value, side: &str, name: &str| container.pointer(&format!("/resources/{side}/{name}")).cloned();
    let names = ["cpu", "memory"];
    let is_bare = containers()
        .all(|container| names.iter().all(|name| part(container, "limits", name).is_none() && part(container, "requests", name).is_none()));
    let is_guaranteed = containers().all(|container| {
        names.iter().all(|name| {
            let limit = part(container, "limits", name);
            limit.is_some() && part(container, "requests", name).is_none_or(|request| Some(request) == limit)
        })
    });
    match (is_bare, is_guaranteed) {
        (true, _) => "BestEffort",
        (_, true) => "Guaranteed",
        _ => "Burstable",
    }
}

/// The projected volume through which a pod would read its account's token.
pub fn mount_token(pod: &mut Value) {
    let directory = "/var/run/secrets/kubernetes.io/serviceaccount";
    let is_mounted = |container: &Value| value::items(container, "/volumeMounts").iter().any(|mount| mount["mountPath"] == directory);
    if value::items(pod, "/spec/volumes").iter().any(|volume| value::text(volume, "/name").starts_with("kube-api-access-")) {
        return;
    }
    let name = format!("kube-api-access-{}", crate::chance::suffix(5));
    for list in ["initContainers", "containers"] {
        for container in pod.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut).into_iter().flatten() {
            if !is_mounted(container) {
                let mut mounts = value::items(container, "/volumeMounts").to_vec();
                mounts.push(json!({"name": name, "readOnly": true, "mountPath": directory}));
                value::set(container, &["volumeMounts"], mounts);
            }
        }
    }
    let mut volumes = value::items(pod, "/spec/volumes").to_vec();
    volumes.push(json!({"name": name, "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
    ]}}));
    value::set(pod, &["spec", "volumes"], volumes);
}
