//! The pod that all labs have in common, hardened (G3): nobody's root, no privileges, no token of the cluster.

use serde_json::{Value, json};
use services::ports::LabOrder;

use super::{Manifest, container};
use crate::{kinds::Kind, labels};

/// Where the volume is, and where the lab starts; files elsewhere are gone after a stop.
pub const WORKSPACE: &str = "/workspace";
/// Owner of the lab's processes and files: the first ordinary user of the usual images.
const USER: u32 = 1_000;

/// An identity of its own that may do nothing, without a token in the pod.
pub fn service_account(order: &LabOrder) -> Manifest {
    let lab = &order.lab;
    Manifest::new(Kind::ServiceAccount, &lab.namespace, &lab.name, &labels::of_lab(order), json!({ "automountServiceAccountToken": false }))
}

/// The pod template; `environment` wins over the offering's. The caller adds ports and the restart policy.
pub fn template(order: &LabOrder, environment: Vec<(&'static str, Value)>) -> Value {
    let lab = &order.lab;
    let spec = &lab.spec;
    let mut metadata = json!({ "labels": labels::of_lab(order) });
    let mut annotations = order.pod_annotations.clone();
    if lab.lifecycle.generation > 0 {
        annotations.insert(labels::GENERATION.to_owned(), lab.lifecycle.generation.to_string());
    }
    if !annotations.is_empty() {
        metadata["annotations"] = json!(annotations);
    }
    let work = if spec.storage_gib > 0 {
        json!({ "name": "work", "persistentVolumeClaim": { "claimName": lab.name } })
    } else {
        json!({ "name": "work", "emptyDir": {} })
    };
    // PyTorch's data loaders and NCCL pass tensors through shared memory; the container default of 64 MB stops them.
    let shared_memory = json!({ "name": "shm", "emptyDir": { "medium": "Memory", "sizeLimit": format!("{}Gi", (spec.memory_gib / 2).max(1)) } });
    let mut pod = json!({
        "automountServiceAccountToken": false,
        "serviceAccountName": lab.name,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "containers": [container::lab(order, environment)],
        "volumes": [work, shared_memory],
    });
    if let Some(git_url) = &spec.git_url {
        pod["initContainers"] = json!([container::git_clone(git_url)]);
    }
    if spec.cards_per_node > 0 {
        let kind = spec.card.kind();
        pod["nodeSelector"] = json!({ kind.vendor.product_label(): kind.product });
        // Nodes with cards are often kept clear of other pods by this taint.
        pod["tolerations"] = json!([{ "key": kind.vendor.resource(), "operator": "Exists", "effect": "NoSchedule" }]);
    }
    if !order.preferred_nodes.is_empty() && spec.cards_per_node > 0 {
        let wishes: Vec<_> = (1..=100_u8).rev().zip(&order.preferred_nodes).map(|(weight, node)| wish(weight, node)).collect();
        pod["affinity"] = json!({ "nodeAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": wishes } });
    }
    json!({ "metadata": metadata, "spec": pod })
}

/// The cards were counted on that node; a wish and no demand, since the cluster knows more than cards. Earlier nodes weigh more, since the
/// plan fills one after the other.
fn wish(weight: u8, node: &str) -> Value {
    let here = json!({ "matchExpressions": [{ "key": "kubernetes.io/hostname", "operator": "In", "values": [node] }] });
    json!({ "weight": weight, "preference": here })
}
