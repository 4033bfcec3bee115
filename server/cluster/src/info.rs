//! Version and nodes of the cluster, and a node as the portal sees it. A running watch knows all but the version.

use std::collections::BTreeMap;

use domain::{
    cluster::{self, IMPOSSIBLE_CARDS, MOST_CARDS, Sharing},
    gpu::{Card, Vendor},
};
use k8s_openapi::{
    api::core::v1::{Node, NodeCondition, Pod, Taint},
    apimachinery::pkg::api::resource::Quantity,
};
use kube::{Api, api::ListParams};
use services::ports::{ClusterError, ClusterInfo};

use crate::{client::Kubernetes, errors::within, holds, loads, observe::stamp, quantity};

/// Annotation by which something on the node may report the temperature of its hottest card, in degrees Celsius.
const TEMPERATURE: &str = "lectern.dev/gpu-temperature";
const MIG_STRATEGY: &str = "nvidia.com/mig.strategy";

impl Kubernetes {
    pub(crate) async fn cluster_info(&self) -> Result<ClusterInfo, ClusterError> {
        let version = self.version().await?;
        if let Some(nodes) = self.mirror.nodes() {
            return Ok(ClusterInfo { version, nodes, obstacles: self.mirror.foreign_policies() });
        }
        let everything = ListParams::default();
        let (nodes, pods) = (Api::<Node>::all(self.client.clone()), Api::<Pod>::all(self.client.clone()));
        let (nodes, pods) = tokio::try_join!(within(nodes.list(&everything)), within(pods.list(&everything)))?;
        let mut nodes: Vec<_> = nodes.items.iter().map(of_node).collect();
        let (loads, holds): (Vec<_>, Vec<_>) = pods.items.iter().map(|pod| (loads::of_pod(pod), holds::of_pod(pod))).unzip();
        holds::attach(&mut nodes, holds.iter().flatten().map(|pod| (pod, pod.lab)));
        loads::attach(&mut nodes, loads.iter().flatten().map(|load| (load, load.lab)));
        Ok(ClusterInfo { version, nodes, obstacles: Vec::new() })
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
    let capacity = status.capacity.unwrap_or_default();
    // A share does not count as a card or slice: a lab that orders one would get a part of it, without isolation.
    let unshared = |resources: &BTreeMap<String, Quantity>| cards(&product, resources, |resource| sharing(node, resource, &capacity).is_none());
    let (counted, impossible) = plausible(unshared(&allocatable), unshared(&capacity));
    let ready = status.conditions.iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    cluster::Node {
        name: node.metadata.name.clone().unwrap_or_default(),
        ready,
        cordoned: node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or(false),
        cards: counted.allocatable,
        capacity: counted.capacity,
        taints: untolerated(node, vendor),
        cpu_cores: allocatable.get("cpu").map_or(0, |quantity| quantity::whole(&quantity.0)),
        memory_gib: allocatable.get("memory").map_or(0, |quantity| quantity::gib(&quantity.0)),
        pods: allocatable.get("pods").map(|quantity| quantity::whole(&quantity.0)),
        product,
        vendor,
        driver: vendor.and_then(|vendor| label(vendor.driver_label())),
        mig_strategy: label(MIG_STRATEGY).filter(|strategy| strategy != "none"),
        temperature,
        troubles: status.conditions.iter().flatten().filter_map(trouble).chain(impossible).collect(),
        sharing: vendor.and_then(|vendor| first_shared(node, vendor, &capacity)),
        loads: Vec::new(),
        holds: Vec::new(),
        events: Vec::new(),
    }
}

/// Cards of each kind.
struct Counted {
    allocatable: Vec<(Card, u32)>,
    capacity: Vec<(Card, u32)>,
}

/// Leaves out what cannot be true: more cards than any node has, or more to be had than there are. Operators are told of each.
fn plausible(allocatable: Vec<(Card, u32)>, capacity: Vec<(Card, u32)>) -> (Counted, Vec<cluster::Trouble>) {
    let mut told = Vec::new();
    let mut tell = |message: String| told.push(cluster::Trouble { kind: IMPOSSIBLE_CARDS.into(), reason: String::new(), message, since: None });
    let mut counted = Counted { allocatable: Vec::new(), capacity: Vec::new() };
    for (card, count) in allocatable {
        let has = capacity.iter().find(|(of, _)| *of == card).map_or(count, |(_, has)| *has);
        if count.max(has) > MOST_CARDS {
            tell(format!("{} × {}", card.id(), count.max(has)));
            continue;
        }
        if count > has {
            tell(format!("{} × {count} / {has}", card.id()));
        }
        counted.allocatable.push((card, count.min(has)));
    }
    counted.capacity.extend(capacity.into_iter().filter(|(_, has)| *has <= MOST_CARDS));
    (counted, told)
}

/// The first resource of cards or slices whose units are shared.
fn first_shared(node: &Node, vendor: Vendor, capacity: &BTreeMap<String, Quantity>) -> Option<Sharing> {
    let of_cards = std::iter::once(vendor.resource());
    let of_slices = capacity.keys().map(String::as_str).filter(|resource| *resource != vendor.resource());
    of_cards.chain(of_slices).find_map(|resource| sharing(node, resource, capacity))
}

/// How GPU feature discovery reports cards or MIG slices that are shared by time-slicing or MPS: `replicas` is the number of shares of
/// each. The labels have the resource's name: `nvidia.com/gpu.replicas`, `nvidia.com/mig-1g.10gb.replicas`.
fn sharing(node: &Node, resource: &str, capacity: &BTreeMap<String, Quantity>) -> Option<Sharing> {
    let label = |name: &str| node.metadata.labels.as_ref()?.get(&format!("{resource}.{name}"));
    // A number that cannot be read is no reason to take shares for cards. Older feature discovery knew one strategy and does not name it.
    let replicas = label("replicas").filter(|text| !text.is_empty()).map_or(1_u32, |text| text.parse().unwrap_or(u32::MAX));
    let strategy = label("sharing-strategy").map_or("time-slicing", String::as_str);
    if replicas <= 1 || strategy == "none" {
        return None;
    }
    let shares = capacity.get(resource).map_or(0, |quantity| quantity::whole(&quantity.0));
    let cards = label("count").and_then(|text| text.parse().ok()).unwrap_or(shares / replicas);
    Some(Sharing { strategy: strategy.to_owned(), cards, shares })
}

/// Taints that keep pods with cards away; `manifests::pod` lists the tolerated ones.
fn untolerated(node: &Node, vendor: Option<Vendor>) -> Vec<String> {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref()).into_iter().flatten();
    // A cordon is a taint too, but it is shown separately.
    let keeps_away = |taint: &&Taint| match taint.effect.as_str() {
        "NoSchedule" => vendor.is_none_or(|vendor| taint.key != vendor.resource()) && taint.key != "node.kubernetes.io/unschedulable",
        "NoExecute" => true,
        _ => false,
    };
    let shown = |taint: &Taint| format!("{}={}:{}", taint.key, taint.value.as_deref().unwrap_or_default(), taint.effect);
    taints.filter(keeps_away).map(shown).collect()
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

fn cards(product: &str, resources: &BTreeMap<String, Quantity>, counts: impl Fn(&str) -> bool) -> Vec<(Card, u32)> {
    let counted = resources.iter().filter(|(resource, _)| counts(resource));
    let known = counted.filter_map(|(resource, quantity)| Some((Card::of_node(product, resource)?, quantity::whole(&quantity.0))));
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
                "allocatable": { "cpu": "63500m", "memory": "528282488Ki", "nvidia.com/gpu": "7", "pods": "110", "nvidia.com/mig-1g.10gb": "7", "nvidia.com/mig-7g.80gb": "0" },
                "conditions": [{ "type": "Ready", "status": "True" }],
            },
        }))
        .expect("a node");
        let seen = of_node(&node);
        let cards: Vec<_> = seen.cards.iter().map(|(card, count)| (card.id(), *count)).collect();
        assert_eq!(cards, [("a100-80g", 7), ("a100-80g-1g.10gb", 7)]);
        assert!(seen.ready && seen.cordoned);
        assert_eq!((seen.cpu_cores, seen.memory_gib, seen.pods), (63, 503, Some(110)));
        assert_eq!((seen.driver.as_deref(), seen.temperature), (Some("550.54.15"), Some(62)));
        assert_eq!(seen.troubles, []);
    }

    #[expect(clippy::needless_pass_by_value, reason = "documents written in place")]
    fn node(labels: serde_json::Value, spec: serde_json::Value, capacity: &str, allocatable: &str) -> cluster::Node {
        let node = json!({
            "metadata": { "name": "n1", "labels": labels },
            "spec": spec,
            "status": {
                "capacity": { "nvidia.com/gpu": capacity },
                "allocatable": { "nvidia.com/gpu": allocatable },
                "conditions": [{ "type": "Ready", "status": "True" }],
            },
        });
        of_node(&serde_json::from_value(node).expect("a node"))
    }

    const PRODUCT: &str = "NVIDIA-A100-SXM4-80GB";

    #[test]
    fn shares_of_cards_are_not_whole_cards() {
        let labels = json!({
            "nvidia.com/gpu.product": PRODUCT, "nvidia.com/gpu.count": "8",
            "nvidia.com/gpu.replicas": "4", "nvidia.com/gpu.sharing-strategy": "time-slicing",
        });
        let seen = node(labels, json!({}), "32", "32");
        assert_eq!((seen.cards, seen.capacity), (vec![], vec![]), "32 shares of 8 cards are no whole card");
        assert_eq!(seen.sharing, Some(Sharing { strategy: "time-slicing".into(), cards: 8, shares: 32 }));
        let unshared = json!({ "nvidia.com/gpu.product": PRODUCT, "nvidia.com/gpu.replicas": "1", "nvidia.com/gpu.sharing-strategy": "none" });
        let seen = node(unshared, json!({}), "8", "8");
        assert_eq!((seen.cards.iter().map(|(_, count)| *count).sum::<u32>(), seen.sharing), (8, None));
    }

    #[test]
    fn shares_without_a_strategy_or_a_readable_number_are_not_whole_cards() {
        for labels in [
            json!({ "nvidia.com/gpu.product": PRODUCT, "nvidia.com/gpu.replicas": "4" }),
            json!({ "nvidia.com/gpu.product": PRODUCT, "nvidia.com/gpu.replicas": "99999999999", "nvidia.com/gpu.sharing-strategy": "mps" }),
        ] {
            let seen = node(labels, json!({}), "32", "32");
            assert_eq!((seen.cards.len(), seen.sharing.map(|sharing| sharing.shares)), (0, Some(32)));
        }
    }

    #[test]
    fn cards_that_cannot_be_are_not_counted_and_told() {
        let told = |capacity: &str, allocatable: &str| {
            let seen = node(json!({ "nvidia.com/gpu.product": PRODUCT }), json!({}), capacity, allocatable);
            let cards: Vec<_> = seen.cards.iter().map(|(_, count)| *count).collect();
            (cards, seen.troubles.into_iter().map(|trouble| (trouble.kind, trouble.message)).collect::<Vec<_>>())
        };
        let impossible = |message: &str| vec![(IMPOSSIBLE_CARDS.to_owned(), message.to_owned())];
        assert_eq!(told("8", "8"), (vec![8], vec![]));
        assert_eq!(told("4294967295", "4294967295"), (vec![], impossible("a100-80g × 4294967295")));
        assert_eq!(told("8", "99999999999"), (vec![], impossible("a100-80g × 4294967295")));
        assert_eq!(told("8", "16"), (vec![8], impossible("a100-80g × 16 / 8")));
    }

    /// Seven slices of each of two cards, each shared by four: whole cards beside them stay whole.
    #[test]
    fn shares_of_slices_are_no_slices() {
        let labels = json!({
            "nvidia.com/gpu.product": PRODUCT, "nvidia.com/gpu.replicas": "1", "nvidia.com/gpu.sharing-strategy": "none",
            "nvidia.com/mig-1g.10gb.count": "14", "nvidia.com/mig-1g.10gb.replicas": "4", "nvidia.com/mig-1g.10gb.sharing-strategy": "time-slicing",
        });
        let resources = json!({ "nvidia.com/gpu": "6", "nvidia.com/mig-1g.10gb": "56" });
        let node = json!({ "metadata": { "name": "n1", "labels": labels }, "status": { "capacity": resources, "allocatable": resources } });
        let seen = of_node(&serde_json::from_value(node).expect("a node"));
        let shown = |cards: &[(Card, u32)]| cards.iter().map(|(card, count)| (card.id(), *count)).collect::<Vec<_>>();
        assert_eq!((shown(&seen.cards), shown(&seen.capacity)), (vec![("a100-80g", 6)], vec![("a100-80g", 6)]));
        assert_eq!(seen.sharing, Some(Sharing { strategy: "time-slicing".into(), cards: 14, shares: 56 }));
    }

    #[test]
    fn cards_that_the_node_does_not_offer_are_known() {
        let seen = node(json!({ "nvidia.com/gpu.product": PRODUCT }), json!({}), "8", "6");
        let count = |cards: &[(Card, u32)]| cards.iter().map(|(_, count)| *count).sum::<u32>();
        assert_eq!((count(&seen.cards), count(&seen.capacity)), (6, 8));
    }

    #[test]
    fn a_taint_that_labs_do_not_tolerate_keeps_them_away() {
        let with = |key: &str, effect: &str| {
            node(json!({ "nvidia.com/gpu.product": PRODUCT }), json!({ "taints": [{ "key": key, "value": "x", "effect": effect }] }), "8", "8")
        };
        let reserved = with("research", "NoSchedule");
        assert_eq!((reserved.taints.as_slice(), reserved.takes_pods()), (["research=x:NoSchedule".to_owned()].as_slice(), false));
        assert!(!with("research", "NoExecute").takes_pods());
        assert!(with("research", "PreferNoSchedule").takes_pods(), "only a wish");
        assert!(with("nvidia.com/gpu", "NoSchedule").takes_pods(), "labs with cards tolerate it");
        assert!(with("node.kubernetes.io/unschedulable", "NoSchedule").taints.is_empty(), "a cordon is shown as one");
    }

    #[test]
    fn a_node_with_less_than_a_core_or_without_pod_slots_has_no_room_for_labs() {
        let with = |cpu: &str, memory: &str, pods: &str| -> cluster::Node {
            let node = json!({ "metadata": { "name": "n1" }, "status": { "allocatable": { "cpu": cpu, "memory": memory, "pods": pods } } });
            of_node(&serde_json::from_value(node).expect("a node"))
        };
        let holds_labs = |node: cluster::Node| node.machine(|_| false).expect("it reports them").holds_labs(1);
        assert!(holds_labs(with("1", "2Gi", "1")));
        assert!(!holds_labs(with("1", "2Gi", "0")), "no pod slot");
        assert!(!holds_labs(with("500m", "2Gi", "110")), "less than a core is reported, and is not enough");
        assert!(!holds_labs(with("1", "512Mi", "110")));
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
