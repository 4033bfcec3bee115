//! Version and nodes of the cluster, and a node as the portal sees it. A running watch knows all but the version.

use std::collections::BTreeMap;

use domain::{
    cluster,
    gpu::{Card, Vendor},
};
use k8s_openapi::{
    api::core::v1::{Node, NodeCondition, Pod},
    apimachinery::pkg::api::resource::Quantity,
};
use kube::{Api, api::ListParams};
use services::ports::{ClusterError, ClusterInfo};

use crate::{client::Kubernetes, errors::within, holds, observe::stamp, quantity};

/// Annotation by which something on the node may report the temperature of its hottest card, in degrees Celsius.
const TEMPERATURE: &str = "lectern.dev/gpu-temperature";
const MIG_STRATEGY: &str = "nvidia.com/mig.strategy";

impl Kubernetes {
    pub(crate) async fn cluster_info(&self) -> Result<ClusterInfo, ClusterError> {
        let version = self.version().await?;
        if let Some(nodes) = self.mirror.nodes() {
            return Ok(ClusterInfo { version, nodes });
        }
        let everything = ListParams::default();
        let (nodes, pods) = (Api::<Node>::all(self.client.clone()), Api::<Pod>::all(self.client.clone()));
        let (nodes, pods) = tokio::try_join!(within(nodes.list(&everything)), within(pods.list(&everything)))?;
        let mut nodes: Vec<_> = nodes.items.iter().map(of_node).collect();
        let pods: Vec<_> = pods.items.iter().filter_map(holds::of_pod).collect();
        holds::attach(&mut nodes, pods.iter());
        Ok(ClusterInfo { version, nodes })
    }
}

/// What matters of a node; unchanged by its heartbeats. Who holds its cards and what happened on it is added by the caller.
pub fn of_node(node: &Node) -> cluster::Node {
    let label = |name: &str| node.metadata.labels.as_ref()?.get(name).filter(|text| !text.is_empty()).cloned();
    let vendor = Vendor::ALL.into_iter().find(|vendor| label(vendor.product_label()).is_some());
    let product = vendor.and_then(|vendor| label(vendor.product_label())).unwrap_or_default();
    let temperature = node.metadata.annotations.as_ref().and_then(|all| all.get(TEMPERATURE)?.parse().ok());
    let status = node.status.clone().unwrap_or_default();
    let allocatable = status.allocatable.unwrap_or_default();
    let ready = status.conditions.iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    cluster::Node {
        name: node.metadata.name.clone().unwrap_or_default(),
        ready,
        cordoned: node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or(false),
        cards: cards(&product, &allocatable),
        cpu_cores: allocatable.get("cpu").map_or(0, |quantity| quantity::whole(&quantity.0)),
        memory_gib: allocatable.get("memory").map_or(0, |quantity| quantity::gib(&quantity.0)),
        product,
        vendor,
        driver: vendor.and_then(|vendor| label(vendor.driver_label())),
        mig_strategy: label(MIG_STRATEGY).filter(|strategy| strategy != "none"),
        temperature,
        troubles: status.conditions.iter().flatten().filter_map(trouble).collect(),
        holds: Vec::new(),
        events: Vec::new(),
    }
}

fn trouble(condition: &NodeCondition) -> Option<cluster::Trouble> {
    let wanted = if condition.type_ == "Ready" { "True" } else { "False" };
    let known = matches!(condition.type_.as_str(), "Ready" | "MemoryPressure" | "DiskPressure" | "PIDPressure" | "NetworkUnavailable");
    // A kubelet that fell silent leaves `Unknown` behind; what is not known of pressure is said by `Ready` alone.
    let bad = condition.status != wanted && (condition.type_ == "Ready" || condition.status == "True");
    (known && bad).then(|| cluster::Trouble {
        kind: condition.type_.clone(),
        reason: condition.reason.clone().unwrap_or_default(),
        message: condition.message.clone().unwrap_or_default(),
        since: condition.last_transition_time.as_ref().map(stamp),
    })
}

fn cards(product: &str, allocatable: &BTreeMap<String, Quantity>) -> Vec<(Card, u32)> {
    let known = allocatable.iter().filter_map(|(resource, quantity)| Some((Card::of_node(product, resource)?, quantity::whole(&quantity.0))));
    known.filter(|(_, count)| *count > 0).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_shows_whole_cards_and_slices() {
        let node = serde_json::from_value(json!({
            "metadata": { "name": "n1", "labels": { "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "nvidia.com/cuda.driver-version.full": "550.54.15" },
                "annotations": { "lectern.dev/gpu-temperature": "62" } },
            "spec": { "unschedulable": true },
            "status": {
                "allocatable": { "cpu": "63500m", "memory": "528282488Ki", "nvidia.com/gpu": "7", "nvidia.com/mig-1g.10gb": "7", "nvidia.com/mig-7g.80gb": "0" },
                "conditions": [{ "type": "Ready", "status": "True" }],
            },
        }))
        .expect("a node");
        let seen = of_node(&node);
        let cards: Vec<_> = seen.cards.iter().map(|(card, count)| (card.id(), *count)).collect();
        assert_eq!(cards, [("a100-80g", 7), ("a100-80g-1g.10gb", 7)]);
        assert!(seen.ready && seen.cordoned);
        assert_eq!((seen.cpu_cores, seen.memory_gib), (63, 503));
        assert_eq!((seen.driver.as_deref(), seen.temperature), (Some("550.54.15"), Some(62)));
        assert_eq!(seen.troubles, []);
    }

    #[test]
    fn an_amd_node_is_known_by_its_own_labels() {
        let node = serde_json::from_value(json!({
            "metadata": { "name": "n5", "labels": { "amd.com/gpu.product-name": "AMD_Instinct_MI250_OAM", "amd.com/gpu.driver-version": "6.7.0" } },
            "status": {
                "allocatable": { "amd.com/gpu": "8" },
                "conditions": [
                    { "type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status." },
                    { "type": "MemoryPressure", "status": "Unknown" },
                    { "type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure" },
                ],
            },
        }))
        .expect("a node");
        let seen = of_node(&node);
        assert_eq!(seen.cards.iter().map(|(card, count)| (card.id(), *count)).collect::<Vec<_>>(), [("mi250", 8)]);
        assert_eq!((seen.vendor, seen.driver.as_deref(), seen.temperature), (Some(Vendor::Amd), Some("6.7.0"), None));
        assert!(!seen.ready);
        assert_eq!(seen.troubles.iter().map(|trouble| trouble.kind.as_str()).collect::<Vec<_>>(), ["Ready", "DiskPressure"]);
    }
}
