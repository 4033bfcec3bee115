//! Which pod holds which cards of which node: every pod of the cluster counts, not only those of labs.

use std::collections::BTreeMap;

use domain::{
    cluster::{Hold, IMPOSSIBLE_CARDS, MOST_CARDS, Node, Trouble},
    gpu::{Card, Vendor},
    ids::LabId,
};
use k8s_openapi::api::core::v1::Pod;

use crate::{labels, observe::pod_phase, quantity};

/// A bound pod that asked for cards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodCards {
    pub namespace: String,
    pub pod: String,
    pub node: String,
    /// The lab that its labels name.
    pub lab: Option<LabId>,
    /// Extended resource and count.
    pub asked: BTreeMap<String, u32>,
}

/// `None` for a pod without a node or without cards, and for one that has ended: its cards are free again.
pub fn of_pod(pod: &Pod) -> Option<PodCards> {
    let spec = pod.spec.as_ref()?;
    let node = spec.node_name.clone()?;
    if matches!(pod_phase(pod), "Succeeded" | "Failed") {
        return None;
    }
    let mut asked = BTreeMap::<String, u32>::new();
    for container in &spec.containers {
        // For extended resources limits and requests are the same, and either may be left out.
        let Some(resources) = &container.resources else { continue };
        let Some(amounts) = resources.limits.as_ref().or(resources.requests.as_ref()) else { continue };
        for (resource, amount) in amounts {
            let count = quantity::whole(&amount.0);
            if count > 0 && Vendor::ALL.iter().any(|vendor| resource.starts_with(vendor.prefix())) {
                let sum = asked.entry(resource.clone()).or_default();
                *sum = sum.saturating_add(count);
            }
        }
    }
    (!asked.is_empty()).then(|| PodCards {
        namespace: pod.metadata.namespace.clone().unwrap_or_default(),
        pod: pod.metadata.name.clone().unwrap_or_default(),
        node,
        lab: labels::lab_of(pod.metadata.labels.as_ref()).filter(|_| labels::is_ours(pod.metadata.labels.as_ref())),
        asked,
    })
}

/// Gives each node the pods that hold its cards, in order of their names. Each pod comes with the lab that it counts for.
pub fn attach<'p>(nodes: &mut [Node], pods: impl Iterator<Item = (&'p PodCards, Option<LabId>)>) {
    let mut of_node = BTreeMap::<&str, Vec<(&PodCards, Option<LabId>)>>::new();
    for (pod, lab) in pods {
        of_node.entry(&pod.node).or_default().push((pod, lab));
    }
    for node in nodes {
        let holds = of_node.remove(node.name.as_str()).unwrap_or_default();
        let holds = holds.into_iter().flat_map(|(pod, lab)| of_product(pod, lab, &node.product));
        // No kubelet runs a pod that asks for more than any node has, so it holds none of them.
        let (mut holds, impossible): (Vec<_>, Vec<_>) = holds.partition(|hold| hold.cards <= MOST_CARDS);
        holds.sort();
        node.holds = holds;
        node.troubles.extend(impossible.iter().map(|Hold { namespace, pod, card, cards, lab: _ }| Trouble {
            kind: IMPOSSIBLE_CARDS.into(),
            reason: String::new(),
            message: format!("{namespace}/{pod}: {} × {cards}", card.id()),
            since: None,
        }));
    }
}

fn of_product(pod: &PodCards, lab: Option<LabId>, product: &str) -> Vec<Hold> {
    let hold = |(resource, cards): (&String, &u32)| {
        let card = Card::of_node(product, resource)?;
        Some(Hold { namespace: pod.namespace.clone(), pod: pod.pod.clone(), lab, card, cards: *cards })
    };
    pod.asked.iter().filter_map(hold).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(phase: &str, node: Option<&str>, cards: &str) -> Pod {
        serde_json::from_value(json!({
            "metadata": { "name": "p", "namespace": "other" },
            "spec": { "nodeName": node, "containers": [{ "name": "c", "resources": { "limits": { "nvidia.com/gpu": cards, "cpu": "4" } } }] },
            "status": { "phase": phase },
        }))
        .expect("a pod")
    }

    #[test]
    fn a_bound_pod_holds_its_cards_until_it_ends() {
        assert_eq!(of_pod(&pod("Pending", None, "2")), None, "not placed yet");
        assert_eq!(of_pod(&pod("Succeeded", Some("n1"), "2")), None);
        assert_eq!(of_pod(&pod("Running", Some("n1"), "0")), None, "no cards");
        let holder = of_pod(&pod("Running", Some("n1"), "2")).expect("a holder");
        assert_eq!((holder.node.as_str(), holder.lab, holder.asked["nvidia.com/gpu"]), ("n1", None, 2));
    }

    #[test]
    fn a_pod_that_asks_for_more_cards_than_any_node_has_holds_none_and_is_named() {
        let mut greedy = pod("Running", Some("n1"), "4294967295");
        let containers = &mut greedy.spec.as_mut().expect("a spec").containers;
        containers.push(containers[0].clone());
        let greedy = of_pod(&greedy).expect("a holder");
        assert_eq!(greedy.asked["nvidia.com/gpu"], u32::MAX);
        let labels = json!({ "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB" });
        let node = serde_json::from_value(json!({ "metadata": { "name": "n1", "labels": labels } })).expect("a node");
        let mut nodes = [crate::info::of_node(&node)];
        let troubles = nodes[0].troubles.len();
        attach(&mut nodes, [(&greedy, None)].into_iter());
        assert_eq!(nodes[0].holds, []);
        assert_eq!(
            nodes[0].troubles[troubles..].iter().map(|trouble| trouble.message.as_str()).collect::<Vec<_>>(),
            ["other/p: a100-80g × 4294967295"]
        );
    }
}
