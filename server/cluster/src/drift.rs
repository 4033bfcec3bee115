//! Objects that somebody changed or deleted while a lab runs. What the watch knows is held against the manifests, so that looking costs no
//! request; only what differs is written again. The pod template is left alone: another one would make the pods anew.

use domain::catalogue;
use kube::api::Patch;
use serde_json::{Map, Value, json};
use services::ports::{ClusterError, LabOrder};

use crate::{
    apply,
    client::Kubernetes,
    kinds::Kind,
    manifests::{self, Manifest},
};

/// What the watch knows of the objects around a lab.
pub trait Known {
    /// The object without its status; `None` when there is none of ours.
    fn object(&self, kind: Kind, name: &str) -> Option<&Value>;
    /// Pods that the lab's workload is set to; `None` without a workload and for jobs, whose number is fixed.
    fn replicas(&self) -> Option<i32>;
}

/// What differs from the manifests.
pub fn find(order: &LabOrder, known: &impl Known) -> Vec<Manifest> {
    let shared = manifests::of_course(&order.course).into_iter().filter(|manifest| match manifest.kind {
        // One that somebody else made carries no label of ours.
        Kind::Namespace => known.object(manifest.kind, &manifest.name).is_some(),
        Kind::NetworkPolicy => true,
        _ => false,
    });
    // Secrets are never read, so nothing is known of them: the next start writes the lab's.
    let own = manifests::of_lab(order).into_iter().filter(|manifest| !matches!(manifest.kind, Kind::PersistentVolumeClaim | Kind::Secret));
    let mut all: Vec<_> = shared.chain(own).filter(|manifest| differs(manifest, known.object(manifest.kind, &manifest.name))).collect();
    if known.replicas().is_some_and(|replicas| replicas > 0 && u32::try_from(replicas) != Ok(order.lab.spec.nodes)) {
        all.push(replicas(order));
    }
    all
}

fn differs(wanted: &Manifest, there: Option<&Value>) -> bool {
    let Some(there) = there else { return true };
    // A rule more lets somebody in.
    let exact = wanted.kind != Kind::NetworkPolicy || without_empty(&there["spec"]) == without_empty(&wanted.body["spec"]);
    !exact || !contains(there, &wanted.body)
}

/// Whether everything that is wanted is there; the server may have filled in more.
fn contains(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| there.get(key).map_or(is_empty(wanted), |there| contains(there, wanted)))
        }
        (Value::Array(there), Value::Array(wanted)) => {
            there.len() == wanted.len() && there.iter().zip(wanted).all(|(there, wanted)| contains(there, wanted))
        }
        _ => there == wanted,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// Without fields that say nothing. An empty selector says something: all.
fn without_empty(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let says = |value: &Value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty());
            Value::Object(fields.iter().filter(|(_, value)| says(value)).map(|(key, value)| (key.clone(), without_empty(value))).collect())
        }
        Value::Array(items) => items.iter().map(without_empty).collect(),
        other => other.clone(),
    }
}

/// A merge patch that takes away what is there and not wanted.
fn undo(there: &Value, wanted: &Value) -> Value {
    let (Value::Object(there), Value::Object(wanted)) = (there, wanted) else { return wanted.clone() };
    let mut patch = Map::new();
    for (key, there) in there {
        match wanted.get(key) {
            None => patch.insert(key.clone(), Value::Null),
            Some(wanted) if wanted != there => patch.insert(key.clone(), undo(there, wanted)),
            Some(_) => None,
        };
    }
    Value::Object(patch)
}

/// The workload with nothing but its number of pods.
fn replicas(order: &LabOrder) -> Manifest {
    let kind = match order.lab.spec.workload {
        catalogue::Workload::Notebook => Kind::StatefulSet,
        _ => Kind::Deployment,
    };
    Manifest { kind, name: order.lab.name.clone(), body: json!({ "spec": { "replicas": order.lab.spec.nodes } }) }
}

impl Kubernetes {
    /// Writes again what differs; returns how many objects.
    pub(crate) async fn repair_lab(&self, order: &LabOrder) -> Result<u32, ClusterError> {
        let namespace = order.lab.namespace.as_str();
        let drifted = self.mirror.drift(order);
        for manifest in &drifted {
            tracing::warn!(
                lab.id = %order.lab.id, kubernetes.namespace = namespace,
                "{} {} was changed by somebody else and is restored", manifest.kind.as_str(), manifest.name
            );
            match manifest.kind {
                Kind::Namespace => self.apply("", manifest).await.map(drop)?,
                Kind::NetworkPolicy => self.restore_policy(namespace, manifest).await?,
                Kind::StatefulSet | Kind::Deployment => {
                    let (parameters, patch) = apply::merge(&manifest.body);
                    let scaled = self.change(manifest.kind.api(&self.client, namespace).patch(&manifest.name, &parameters, &patch)).await?;
                    self.mirror.wrote(order.lab.id, Some(&scaled.metadata));
                }
                _ => self.apply(namespace, manifest).await.map(drop)?,
            }
        }
        Ok(u32::try_from(drifted.len()).unwrap_or(u32::MAX))
    }

    /// An apply leaves fields that another manager added; a rule that lets somebody in must go.
    async fn restore_policy(&self, namespace: &str, manifest: &Manifest) -> Result<(), ClusterError> {
        let applied = self.apply(namespace, manifest).await?;
        let (there, wanted) = (without_empty(&applied.data["spec"]), without_empty(&manifest.body["spec"]));
        if there == wanted {
            return Ok(());
        }
        let extra = json!({ "spec": undo(&there, &wanted) });
        let (parameters, _) = apply::merge(&extra);
        self.change(manifest.kind.api(&self.client, namespace).patch(&manifest.name, &parameters, &Patch::Merge(&extra))).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_fills_in_is_no_difference_and_what_somebody_adds_to_a_policy_is() {
        let wanted = |kind| Manifest { kind, name: "x".into(), body: json!({ "spec": { "podSelector": {}, "policyTypes": ["Ingress"] } }) };
        let there = json!({ "spec": { "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [] }, "metadata": { "uid": "u" } });
        assert!(!differs(&wanted(Kind::NetworkPolicy), Some(&there)));
        let opened = json!({ "spec": { "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}] } });
        assert!(differs(&wanted(Kind::NetworkPolicy), Some(&opened)));
        assert!(!differs(&wanted(Kind::Service), Some(&opened)), "elsewhere more is fine");
        assert!(differs(&wanted(Kind::NetworkPolicy), None), "deleted");
        assert_eq!(undo(&opened["spec"], &wanted(Kind::NetworkPolicy).body["spec"]), json!({ "ingress": null }));
        let narrowed = json!({ "podSelector": { "matchLabels": { "a": "b" } }, "policyTypes": ["Ingress"] });
        assert_eq!(undo(&narrowed, &wanted(Kind::NetworkPolicy).body["spec"]), json!({ "podSelector": { "matchLabels": null } }));
    }
}
