//! Drift: objects that another client changed or deleted while a lab runs. The watch's copy is compared with the manifests, so a check
//! costs no request; only differing objects are written again. `template` compares the pod template.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::{catalogue, ids::LabId};
use kube::api::{DeleteParams, DynamicObject};
use serde_json::{Value, json};
use services::ports::{ClusterError, LabOrder};
use tokio::time::Instant;

use crate::{
    apply,
    capabilities::Capabilities,
    client::Kubernetes,
    kinds::Kind,
    labels,
    manifests::{self, Manifest},
    surplus,
    template::{self, Notes},
};

/// The watch's copy of the objects around a lab.
pub trait Known {
    /// The object without its status; `None` if there is none with Lectern's label.
    fn object(&self, kind: Kind, name: &str) -> Option<&Value>;
    /// Pods that the lab's workload requests; `None` without a workload, and for jobs, whose number is fixed.
    fn replicas(&self) -> Option<i32>;
    /// The pod template of the lab's workload, and what is noted on it; `None` without a workload, and for jobs, whose template
    /// cannot be changed.
    fn template(&self) -> Option<(Value, Notes)>;
    /// Whether a pod of an earlier template is not ready: a StatefulSet then waits for it, for ever if its template never lets it start.
    fn is_stuck(&self) -> bool;
}

/// The manifests whose objects differ from them.
pub fn find(order: &LabOrder, known: &impl Known) -> Vec<Manifest> {
    let shared = manifests::of_course(&order.course).into_iter().filter(|manifest| match manifest.kind {
        // A namespace that somebody else made is not among them.
        Kind::Namespace => known.object(manifest.kind, &manifest.name).is_some(),
        Kind::NetworkPolicy => true,
        _ => false,
    });
    // Secrets are never read, so they cannot be compared: the next start writes those of the lab, and `own_secrets` its own one in between.
    let own = manifests::of_lab(order).into_iter().filter(|manifest| !matches!(manifest.kind, Kind::PersistentVolumeClaim | Kind::Secret));
    let mut all: Vec<_> = shared.chain(own).filter(|manifest| differs(manifest, known.object(manifest.kind, &manifest.name))).collect();
    if known.replicas().is_some_and(|replicas| replicas > 0 && u32::try_from(replicas) != Ok(order.lab.spec.nodes)) {
        all.push(replicas(order));
    }
    if known.is_stuck() || known.template().is_some_and(|(there, noted)| template::is_changed(order, &there, &noted)) {
        all.push(template::manifest(order));
    }
    all
}

/// The manifests of the objects that open the namespace although the lab is down. One that was deleted opens nothing.
pub fn opened(order: &LabOrder, known: &impl Known) -> Vec<Manifest> {
    let guards = manifests::of_course(&order.course).into_iter().chain(manifests::of_lab(order));
    let guards = guards.filter(|manifest| matches!(manifest.kind, Kind::Namespace | Kind::NetworkPolicy));
    guards.filter(|manifest| known.object(manifest.kind, &manifest.name).is_some_and(|there| differs(manifest, Some(there)))).collect()
}

/// Whether a network policy is what Lectern writes for the lab, whatever the port of its proxy.
pub fn is_policy_of_lab(lab: LabId, policy: &Value) -> bool {
    let port = &policy["spec"]["ingress"][1]["ports"][0]["port"];
    surplus::without_empty(&policy["spec"]) == surplus::without_empty(&manifests::network::spec(lab, port))
}

fn differs(wanted: &Manifest, there: Option<&Value>) -> bool {
    there.is_none_or(|there| !contains(there, &wanted.body) || surplus::find(wanted, there).is_some())
}

/// Whether the object has everything that is wanted; the server may have added defaults.
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

/// A manifest of the workload with its number of pods only.
fn replicas(order: &LabOrder) -> Manifest {
    let kind = match order.lab.spec.workload {
        catalogue::Workload::Notebook => Kind::StatefulSet,
        _ => Kind::Deployment,
    };
    Manifest { kind, name: order.lab.name.clone(), body: json!({ "spec": { "replicas": order.lab.spec.nodes } }) }
}

/// An object is restored at once so many times; then each time waits twice as long as the one before.
const AT_ONCE: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(64);
/// An object that was left alone for so long counts anew.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(10);

/// How often objects were restored of late: another controller that writes the same field again and again would otherwise be answered as
/// fast as the API server takes it, since each write is news for the watch.
#[derive(Default)]
pub struct Repairs(Mutex<HashMap<(LabId, Kind, String), Repaired>>);

#[derive(Clone, Copy)]
struct Repaired {
    last: Instant,
    times: u32,
}

impl Repaired {
    fn pause(self) -> Duration {
        match self.times.checked_sub(AT_ONCE) {
            None => Duration::ZERO,
            Some(more) => Duration::from_secs(1 << more.min(6)).min(LONGEST_PAUSE),
        }
    }
}

impl Repairs {
    /// Whether the object may be restored now, for this lab; then it counts.
    pub fn begin(&self, lab: LabId, manifest: &Manifest) -> bool {
        let now = Instant::now();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, repaired| now - repaired.last < FORGOTTEN_AFTER);
        let repaired = known.entry((lab, manifest.kind, manifest.name.clone())).or_insert(Repaired { last: now, times: 0 });
        if now - repaired.last < repaired.pause() {
            return false;
        }
        *repaired = Repaired { last: now, times: repaired.times.saturating_add(1) };
        true
    }
}

impl Kubernetes {
    /// Makes the workload again that another client deleted. Errors: `Busy` where that happens again and again.
    pub(crate) async fn remake_lab(&self, order: &LabOrder) -> Result<(), ClusterError> {
        let workload = manifests::workload(order, Capabilities::CURRENT);
        if !self.repairs.begin(order.lab.id, &workload) {
            return Err(ClusterError::Busy(format!("somebody deletes {} {} again and again", workload.kind.as_str(), workload.name)));
        }
        tracing::warn!(lab.id = %order.lab.id, lab.name = %order.lab.name, "the lab's workload was deleted by somebody else and is made again");
        self.start_lab(order).await
    }

    /// Writes again what differs; returns how many objects. Errors: `Busy` where somebody changes one again and again.
    pub(crate) async fn repair_lab(&self, order: &LabOrder) -> Result<u32, ClusterError> {
        let namespace = order.lab.namespace.as_str();
        let (mut restored, mut waits) = (0, None);
        for manifest in &self.mirror.drift(order) {
            if !self.repairs.begin(order.lab.id, manifest) {
                waits = Some(ClusterError::Busy(format!("somebody changes {} {} again and again", manifest.kind.as_str(), manifest.name)));
                continue;
            }
            tracing::warn!(
                lab.id = %order.lab.id, kubernetes.namespace = namespace,
                "{} {} was changed by somebody else and is restored", manifest.kind.as_str(), manifest.name
            );
            match manifest.kind {
                Kind::StatefulSet | Kind::Deployment if !manifest.body["spec"]["template"].is_null() => {
                    self.restore_template(order, manifest).await.map(drop)?;
                    if manifest.kind == Kind::StatefulSet {
                        self.delete_unready(order).await?;
                    }
                }
                Kind::StatefulSet | Kind::Deployment => {
                    let (parameters, patch) = apply::merge(&manifest.body);
                    let scaled = self.change(manifest.kind.api(&self.client, namespace).patch(&manifest.name, &parameters, &patch)).await?;
                    self.mirror.wrote(order.lab.id, Some(&scaled.metadata));
                }
                _ => self.restore_object(namespace, manifest).await?,
            }
            restored += 1;
        }
        waits.map_or(Ok(restored), Err)
    }

    /// Deletes the pods that a StatefulSet would wait for before it gives any pod the restored template.
    async fn delete_unready(&self, order: &LabOrder) -> Result<(), ClusterError> {
        let namespace = order.lab.namespace.as_str();
        let pods = self.find(namespace, &[Kind::Pod], &labels::selector_of(order.lab.id)).await?;
        let unready = pods.iter().map(|(_, pod)| pod).filter(|pod| pod.metadata.deletion_timestamp.is_none() && !is_ready(pod));
        let names: Vec<_> = unready.filter_map(|pod| pod.metadata.name.as_deref()).collect();
        for name in names {
            self.delete(Kind::Pod, namespace, name, &DeleteParams::background()).await?;
        }
        Ok(())
    }

    /// An apply keeps fields that another manager added; what must not be there is removed.
    async fn restore_object(&self, namespace: &str, manifest: &Manifest) -> Result<(), ClusterError> {
        let applied = self.apply(namespace, manifest).await?;
        let there = serde_json::to_value(&applied).unwrap_or_default();
        let Some(surplus) = surplus::find(manifest, &there) else { return Ok(()) };
        let (parameters, patch) = apply::merge(&surplus);
        self.change(manifest.kind.api(&self.client, namespace).patch(&manifest.name, &parameters, &patch)).await.map(drop)
    }
}

fn is_ready(pod: &DynamicObject) -> bool {
    let conditions = pod.data["status"]["conditions"].as_array();
    conditions.is_some_and(|all| all.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True"))
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
        assert!(!differs(&wanted(Kind::ResourceQuota), Some(&opened)), "elsewhere more is fine");
        assert!(differs(&wanted(Kind::NetworkPolicy), None), "deleted");
    }

    #[tokio::test(start_paused = true)]
    async fn who_changes_an_object_again_and_again_is_answered_ever_more_slowly() {
        let (repairs, lab) = (Repairs::default(), LabId::from_uuid(uuid::Uuid::from_u128(7)));
        let object = |name: &str| Manifest { kind: Kind::Service, name: name.into(), body: Value::Null };
        let begin = |name| repairs.begin(lab, &object(name));
        assert!((0..AT_ONCE).all(|_| begin("one")), "what somebody does by hand is undone at once");
        for seconds in [1, 2, 4, 8, 16, 32, 64, 64] {
            tokio::time::advance(Duration::from_secs(seconds).saturating_sub(Duration::from_millis(1))).await;
            assert!(!begin("one"), "{seconds} s");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(begin("one"), "{seconds} s");
        }
        assert!(begin("other"), "others are not held up");
        tokio::time::advance(FORGOTTEN_AFTER).await;
        assert!((0..AT_ONCE).all(|_| begin("one")), "it was left alone");
    }
}
