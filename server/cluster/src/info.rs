//! Version and nodes of the cluster, and a node as the portal sees it.

use std::collections::BTreeMap;

use domain::{
    cluster,
    gpu::{Card, PRODUCT_LABEL},
};
use k8s_openapi::{api::core::v1::Node, apimachinery::pkg::api::resource::Quantity};
use kube::{Api, api::ListParams};
use services::ports::{ClusterError, ClusterInfo};

use crate::{client::Kubernetes, errors::within, quantity};

impl Kubernetes {
    pub(crate) async fn cluster_info(&self) -> Result<ClusterInfo, ClusterError> {
        let version = self.version().await?;
        let nodes = within(Api::<Node>::all(self.client.clone()).list(&ListParams::default())).await?;
        Ok(ClusterInfo { version, nodes: nodes.items.iter().map(of_node).collect() })
    }
}

/// What matters of a node; unchanged by its heartbeats.
pub fn of_node(node: &Node) -> cluster::Node {
    let product = node.metadata.labels.as_ref().and_then(|labels| labels.get(PRODUCT_LABEL)).cloned().unwrap_or_default();
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
    }
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
            "metadata": { "name": "n1", "labels": { PRODUCT_LABEL: "NVIDIA-A100-SXM4-80GB" } },
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
    }
}
