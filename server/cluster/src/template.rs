//! The pod template of a lab's workload, compared with the lab's manifest. What another client changed in it gives the pods other rights or
//! cards than were ordered.
//!
//! Each workload has two annotations. One is the hash of the template that was applied: a template is compared with the manifest only if the
//! manifest has this hash, since an earlier version of Lectern may have written another template, and an upgrade must not restart running
//! labs. The other is the hash of the template as the server returned it then, with its defaults and what admission made of it: whatever
//! differs from that later was changed or added by another client. A workload without them is from an earlier version. What no lab may have
//! is looked for in every template.

use std::collections::BTreeMap;

use domain::gpu::Vendor;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::{
    api::{DynamicObject, Patch, PatchParams},
    core::ObjectMeta,
};
use serde_json::{Value, json};
use services::ports::{ClusterError, LabOrder};

use crate::{
    apply,
    capabilities::Capabilities,
    client::Kubernetes,
    kinds::Kind,
    labels,
    manifests::{self, Manifest},
    quantity,
};

/// The template of the lab's manifest, without the preferred nodes: these follow the plan, and the pods stay where they are.
pub fn wanted(order: &LabOrder) -> Value {
    without_preference(&manifests::workload(order, Capabilities::CURRENT).body["spec"]["template"])
}

fn without_preference(template: &Value) -> Value {
    let mut template = template.clone();
    if is_preference(&template["spec"]["affinity"])
        && let Some(spec) = template["spec"].as_object_mut()
    {
        spec.remove("affinity");
    }
    template
}

/// Whether an affinity prefers nodes and does nothing else, as Lectern's.
fn is_preference(affinity: &Value) -> bool {
    let has_only = |value: &Value, member: &str| value.as_object().is_some_and(|all| all.keys().all(|key| key == member));
    has_only(affinity, "nodeAffinity") && has_only(&affinity["nodeAffinity"], "preferredDuringSchedulingIgnoredDuringExecution")
}

/// FNV-1a: the same in every process and version. It tells templates apart and protects nothing.
pub fn hash(template: &Value) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", template.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

/// Begins each hash of a template that was returned. Another number for each version of `k8s-openapi` with other members of a pod: the
/// hashes of an earlier one would differ without a change.
const FORMAT: &str = "1-";
/// `kubectl rollout restart` sets it.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// The hash of a template as the server returned it, by its typed form: the answer to a write and the watch then say the same.
fn hash_there(there: &Value) -> String {
    let mut there = without_preference(there);
    if let Some(annotations) = there.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(RESTARTED_AT);
    }
    let annotations = there["metadata"]["annotations"].as_object().filter(|all| !all.is_empty());
    format!("{FORMAT}{}", hash(&json!([there["metadata"]["labels"], annotations, there["spec"]])))
}

/// The same for an object that the server returned; `None` if it has no template.
fn hash_of(workload: &DynamicObject) -> Option<String> {
    let template: PodTemplateSpec = serde_json::from_value(workload.data["spec"]["template"].clone()).ok()?;
    serde_json::to_value(template).ok().as_ref().map(hash_there)
}

/// Notes on a workload about its template.
#[derive(Debug, Default)]
pub struct Notes {
    /// Of the template that was applied.
    applied: Option<String>,
    /// Of the template that was returned.
    there: Option<String>,
}

impl Notes {
    pub fn of(metadata: &ObjectMeta) -> Self {
        let noted = |name: &str| metadata.annotations.as_ref().and_then(|all| all.get(name)).cloned();
        Self { applied: noted(labels::TEMPLATE), there: noted(labels::TEMPLATE_THERE) }
    }

    fn differs(&self, there: &str) -> bool {
        self.there.as_ref().is_some_and(|noted| noted.starts_with(FORMAT) && noted != there)
    }
}

/// Whether another client changed the template.
pub fn is_changed(order: &LabOrder, there: &Value, noted: &Notes) -> bool {
    let wanted = wanted(order);
    let of_this_generation = there["metadata"]["annotations"][labels::GENERATION] == wanted["metadata"]["annotations"][labels::GENERATION];
    is_dangerous(&there["spec"])
        || of_this_generation && cards(&there["spec"]) != cards(&wanted["spec"])
        || noted.applied.as_ref() == Some(&hash(&wanted)) && !covers(there, &wanted)
        || noted.differs(&hash_there(there))
}

/// Whether another client changed the template of a workload that the server returned.
pub fn is_tampered(workload: &DynamicObject) -> bool {
    hash_of(workload).is_some_and(|there| Notes::of(&workload.metadata).differs(&there))
}

/// Whether pods of this specification could leave their container. No version of Lectern has set any of it.
fn is_dangerous(spec: &Value) -> bool {
    let is_set = |value: &Value| value.as_bool() == Some(true);
    let is_empty = |value: &Value| value.as_array().is_none_or(Vec::is_empty);
    let is_open = |context: &Value| {
        context["runAsUser"] == 0
            || context["runAsNonRoot"] == false
            || context["procMount"] == "Unmasked"
            || context["seccompProfile"]["type"] == "Unconfined"
            || context["appArmorProfile"]["type"] == "Unconfined"
            || is_set(&context["windowsOptions"]["hostProcess"])
            || is_set(&context["privileged"])
            || is_set(&context["allowPrivilegeEscalation"])
            || !is_empty(&context["capabilities"]["add"])
    };
    let has_host_port = |container: &Value| container["ports"].as_array().into_iter().flatten().any(|port| port["hostPort"].as_u64() > Some(0));
    ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"].iter().any(|member| is_set(&spec[*member]))
        || is_open(&spec["securityContext"])
        || containers(spec).any(|container| is_open(&container["securityContext"]) || has_host_port(container))
        || spec["volumes"].as_array().into_iter().flatten().any(|volume| !volume["hostPath"].is_null())
}

fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers"].into_iter().filter_map(move |kind| spec[kind].as_array()).flatten()
}

/// Cards and slices that the containers have, by resource.
fn cards(spec: &Value) -> BTreeMap<&str, u32> {
    let mut all = BTreeMap::new();
    for (resource, limit) in containers(spec).filter_map(|container| container["resources"]["limits"].as_object()).flatten() {
        let count = limit.as_str().map_or(0, quantity::whole);
        if count > 0 && Vendor::ALL.iter().any(|vendor| resource.starts_with(vendor.prefix())) {
            let sum: &mut u32 = all.entry(resource.as_str()).or_default();
            *sum = sum.saturating_add(count);
        }
    }
    all
}

/// Whether the template has everything that is wanted; the server adds defaults, leaves out empty members and rewrites quantities.
pub fn covers(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| there.get(key).map_or_else(|| is_blank(wanted), |there| covers(there, wanted)))
        }
        (Value::Array(there), Value::Array(wanted)) => {
            there.len() == wanted.len() && there.iter().zip(wanted).all(|(there, wanted)| covers(there, wanted))
        }
        (Value::String(there), Value::String(wanted)) => there == wanted || quantity::is_same(there, wanted),
        _ => there == wanted,
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A merge patch that makes one value the other: what is not wanted is removed, and the server fills in its defaults.
fn change_to(there: &Value, wanted: &Value) -> Value {
    let (Value::Object(there), Value::Object(wanted)) = (there, wanted) else { return wanted.clone() };
    let removed = there.keys().filter(|key| !wanted.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let kept = wanted.iter().map(|(key, wanted)| (key.clone(), change_to(there.get(key).unwrap_or(&Value::Null), wanted)));
    Value::Object(removed.chain(kept).collect())
}

/// A manifest of the workload with its template only.
pub fn manifest(order: &LabOrder) -> Manifest {
    let kind = if order.lab.spec.workload.is_deployment() { Kind::Deployment } else { Kind::StatefulSet };
    Manifest { kind, name: order.lab.name.clone(), body: json!({ "spec": { "template": wanted(order) } }) }
}

impl Kubernetes {
    /// Gives the workload its template again; its controller then replaces the pods. `None` if there is no workload.
    pub(crate) async fn restore_template(&self, order: &LabOrder, manifest: &Manifest) -> Result<Option<DynamicObject>, ClusterError> {
        let namespace = order.lab.namespace.as_str();
        let Some(found) = self.get(manifest.kind, namespace, &manifest.name).await? else { return Ok(None) };
        let (there, wanted) = (without_preference(&found.data["spec"]["template"]), &manifest.body["spec"]["template"]);
        let body = json!({ "spec": { "template": change_to(&there, wanted) } });
        let (parameters, patch) = apply::merge(&body);
        let changed = self.change(manifest.kind.api(&self.client, namespace).patch(&manifest.name, &parameters, &patch)).await?;
        self.note_template(order, manifest.kind, changed).await.map(Some)
    }

    /// Notes on the workload what its template is now. What admission changed in it is no drift.
    pub(crate) async fn note_template(&self, order: &LabOrder, kind: Kind, written: DynamicObject) -> Result<DynamicObject, ClusterError> {
        let wanted = wanted(order);
        let applied = covers(&written.data["spec"]["template"], &wanted).then(|| hash(&wanted));
        let there = hash_of(&written);
        let before = Notes::of(&written.metadata);
        let mut noted = written;
        if before.applied != applied || before.there != there {
            noted = self.annotate(order, kind, &json!({ labels::TEMPLATE: applied, labels::TEMPLATE_THERE: there })).await?;
        }
        // Admission may change the template with any write, so that no hash holds.
        if hash_of(&noted) != there {
            noted = self.annotate(order, kind, &json!({ labels::TEMPLATE_THERE: null })).await?;
        }
        self.mirror.wrote(order.lab.id, Some(&noted.metadata));
        Ok(noted)
    }

    async fn annotate(&self, order: &LabOrder, kind: Kind, annotations: &Value) -> Result<DynamicObject, ClusterError> {
        let body = json!({ "metadata": { "annotations": annotations } });
        let parameters = PatchParams { field_manager: Some(labels::NOTES.into()), ..PatchParams::default() };
        let workloads = kind.api(&self.client, &order.lab.namespace);
        self.change(workloads.patch(&order.lab.name, &parameters, &Patch::Merge(&body))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_of_any_shape_has_a_hash_or_none() {
        for template in [json!(null), json!([]), json!("x"), json!({ "spec": 7 }), json!({ "spec": { "containers": "x" } })] {
            let workload = serde_json::from_value(json!({ "metadata": {}, "spec": { "template": template } })).expect("an object");
            let _ = hash_of(&workload);
        }
        let bare = serde_json::from_value(json!({ "metadata": {} })).expect("an object");
        let _ = hash_of(&bare);
        let whole = json!({ "metadata": {}, "spec": { "template": { "spec": { "containers": [{ "name": "lab" }] } } } });
        assert!(hash_of(&serde_json::from_value(whole).expect("an object")).is_some());
    }

    fn spec(container: &Value, pod: &Value) -> Value {
        let mut spec = json!({ "containers": [container] });
        if let (Value::Object(spec), Value::Object(pod)) = (&mut spec, pod) {
            spec.extend(pod.clone());
        }
        spec
    }

    #[test]
    fn what_lets_a_pod_out_of_its_container_is_dangerous() {
        let plain = json!({ "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } } });
        let pod = json!({ "securityContext": { "runAsUser": 1_000 }, "volumes": [{ "name": "shm", "emptyDir": {} }], "hostNetwork": false });
        assert!(!is_dangerous(&spec(&plain, &pod)));
        for pod in [
            json!({ "hostNetwork": true }),
            json!({ "hostPID": true }),
            json!({ "hostIPC": true }),
            json!({ "shareProcessNamespace": true }),
            json!({ "securityContext": { "runAsNonRoot": false } }),
            json!({ "initContainers": [{ "ports": [{ "containerPort": 80, "hostPort": 80 }] }] }),
            json!({ "securityContext": { "runAsUser": 0 } }),
            json!({ "volumes": [{ "name": "root", "hostPath": { "path": "/" } }] }),
            json!({ "initContainers": [{ "securityContext": { "privileged": true } }] }),
        ] {
            assert!(is_dangerous(&spec(&plain, &pod)), "{pod}");
        }
        for context in [
            json!({ "privileged": true }),
            json!({ "allowPrivilegeEscalation": true }),
            json!({ "capabilities": { "add": ["SYS_ADMIN"] } }),
            json!({ "procMount": "Unmasked" }),
            json!({ "seccompProfile": { "type": "Unconfined" } }),
        ] {
            assert!(is_dangerous(&spec(&json!({ "securityContext": context }), &json!({}))), "{context}");
        }
    }

    #[test]
    fn what_the_server_writes_otherwise_is_no_change() {
        let wanted = json!({ "memory": "1024Gi", "cpu": "16", "env": [{ "name": "A", "value": "" }], "none": [] });
        let there = json!({ "memory": "1Ti", "cpu": "16", "env": [{ "name": "A" }], "dnsPolicy": "ClusterFirst" });
        assert!(covers(&there, &wanted));
        assert!(!covers(&json!({ "memory": "2Ti" }), &json!({ "memory": "1024Gi" })));
        assert!(!covers(&json!({ "image": "b" }), &json!({ "image": "a" })));
        assert!(!covers(&json!({ "containers": [{}, {}] }), &json!({ "containers": [{}] })), "another container");
    }

    #[test]
    fn a_template_that_was_returned_is_known_again_whatever_the_plan_and_restarts() {
        let there = json!({ "metadata": { "labels": { "a": "b" } }, "spec": { "containers": [{ "name": "lab" }] } });
        let mut same = there.clone();
        same["metadata"]["annotations"] = json!({ RESTARTED_AT: "2026-11-30T18:00:00Z" });
        let preferred = json!([{ "weight": 1, "preference": {} }]);
        same["spec"]["affinity"] = json!({ "nodeAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": preferred } });
        assert_eq!(hash_there(&same), hash_there(&there));
        for (pointer, added) in [
            ("/spec", json!({ "hostAliases": [{ "ip": "10.0.0.1" }] })),
            ("/spec", json!({ "affinity": { "podAntiAffinity": {} } })),
            ("/spec/containers/0", json!({ "command": ["miner"] })),
            ("/metadata/labels", json!({ "app": "other" })),
        ] {
            let mut changed = there.clone();
            let member = changed.pointer_mut(pointer).and_then(Value::as_object_mut).expect("a member");
            member.extend(added.as_object().expect("members").clone());
            assert_ne!(hash_there(&changed), hash_there(&there), "{added}");
        }
    }

    #[test]
    fn a_patch_removes_what_is_not_wanted() {
        let there = json!({ "hostNetwork": true, "securityContext": { "runAsUser": 0, "fsGroup": 1 }, "containers": [1, 2] });
        let wanted = json!({ "securityContext": { "runAsUser": 1_000 }, "containers": [1] });
        let expected = json!({ "hostNetwork": null, "securityContext": { "runAsUser": 1_000, "fsGroup": null }, "containers": [1] });
        assert_eq!(change_to(&there, &wanted), expected);
    }
}
