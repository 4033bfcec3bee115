//! The pod template of a lab's workload, compared with the lab's manifest. What another client changed in it gives the pods other rights or
//! cards than were ordered.
//!
//! Each workload has an annotation with the hash of the template that was applied. A template is compared in full only if the manifest has
//! this hash: an earlier version of Lectern may have written another template, and an upgrade must not restart running labs. What no lab
//! may have is looked for in every template.

use std::collections::BTreeMap;

use domain::gpu::Vendor;
use kube::api::DynamicObject;
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
    if let Some(spec) = template["spec"].as_object_mut() {
        spec.remove("affinity");
    }
    template
}

/// FNV-1a: the same in every process and version. It tells templates apart and protects nothing.
pub fn hash(template: &Value) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", template.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

/// Whether another client changed the template. `noted`: the hash on the workload.
pub fn is_changed(order: &LabOrder, there: &Value, noted: Option<&str>) -> bool {
    let wanted = wanted(order);
    let of_this_generation = there["metadata"]["annotations"][labels::GENERATION] == wanted["metadata"]["annotations"][labels::GENERATION];
    is_dangerous(&there["spec"])
        || of_this_generation && cards(&there["spec"]) != cards(&wanted["spec"])
        || noted == Some(hash(&wanted).as_str()) && !covers(there, &wanted)
}

/// Whether pods of this specification could leave their container. No version of Lectern has set any of it.
fn is_dangerous(spec: &Value) -> bool {
    let is_set = |value: &Value| value.as_bool() == Some(true);
    let is_empty = |value: &Value| value.as_array().is_none_or(Vec::is_empty);
    let is_open = |context: &Value| {
        context["runAsUser"] == 0
            || is_set(&context["privileged"])
            || is_set(&context["allowPrivilegeEscalation"])
            || !is_empty(&context["capabilities"]["add"])
    };
    ["hostNetwork", "hostPID", "hostIPC"].iter().any(|member| is_set(&spec[*member]))
        || is_open(&spec["securityContext"])
        || containers(spec).any(|container| is_open(&container["securityContext"]))
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
        self.mirror.wrote(order.lab.id, Some(&changed.metadata));
        Ok(Some(changed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            json!({ "securityContext": { "runAsUser": 0 } }),
            json!({ "volumes": [{ "name": "root", "hostPath": { "path": "/" } }] }),
            json!({ "initContainers": [{ "securityContext": { "privileged": true } }] }),
        ] {
            assert!(is_dangerous(&spec(&plain, &pod)), "{pod}");
        }
        for context in
            [json!({ "privileged": true }), json!({ "allowPrivilegeEscalation": true }), json!({ "capabilities": { "add": ["SYS_ADMIN"] } })]
        {
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
    fn a_patch_removes_what_is_not_wanted() {
        let there = json!({ "hostNetwork": true, "securityContext": { "runAsUser": 0, "fsGroup": 1 }, "containers": [1, 2] });
        let wanted = json!({ "securityContext": { "runAsUser": 1_000 }, "containers": [1] });
        let expected = json!({ "hostNetwork": null, "securityContext": { "runAsUser": 1_000, "fsGroup": null }, "containers": [1] });
        assert_eq!(change_to(&there, &wanted), expected);
    }
}
