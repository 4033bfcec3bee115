//! The pods on each node and what they request: free cards cannot be used on a node without processor, memory or pod slots left.

use std::collections::BTreeMap;

use domain::{
    cluster::{Load, Node},
    ids::LabId,
};
use k8s_openapi::{
    api::core::v1::{Container, Pod},
    apimachinery::pkg::api::resource::Quantity,
};

use crate::{labels, observe::pod_phase, quantity};

/// Processor and memory that one bound pod requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodLoad {
    node: String,
    /// The lab that its labels name.
    pub lab: Option<LabId>,
    cpu_millis: u64,
    memory_mib: u64,
}

/// `None` for a pod without a node and for a pod that has ended.
pub fn of_pod(pod: &Pod) -> Option<PodLoad> {
    let spec = pod.spec.as_ref()?;
    let node = spec.node_name.clone()?;
    if matches!(pod_phase(pod), "Succeeded" | "Failed") {
        return None;
    }
    let sum = |of: fn(&Container) -> u64| spec.containers.iter().map(of).fold(0, u64::saturating_add);
    // Init containers run before the others, so they need additional room only if they request more.
    let before = |of: fn(&Container) -> u64| spec.init_containers.iter().flatten().map(of).max().unwrap_or_default();
    Some(PodLoad {
        node,
        lab: labels::lab_of(pod.metadata.labels.as_ref()).filter(|_| labels::is_ours(pod.metadata.labels.as_ref())),
        cpu_millis: sum(cpu).max(before(cpu)),
        memory_mib: sum(memory).max(before(memory)),
    })
}

fn requested<'c>(container: &'c Container, name: &str) -> Option<&'c Quantity> {
    let resources = container.resources.as_ref()?;
    let requests = resources.requests.as_ref().and_then(|all| all.get(name));
    requests.or_else(|| resources.limits.as_ref()?.get(name))
}

fn cpu(container: &Container) -> u64 {
    requested(container, "cpu").map_or(0, |quantity| quantity::millis(&quantity.0))
}

fn memory(container: &Container) -> u64 {
    requested(container, "memory").map_or(0, |quantity| quantity::mib(&quantity.0))
}

/// Adds pods and requests to each node: one sum for each lab, and one for all other pods. A pod that requests nothing takes a slot too.
/// Each pod comes with the lab that it counts for.
pub fn attach<'l>(nodes: &mut [Node], loads: impl Iterator<Item = (&'l PodLoad, Option<LabId>)>) {
    let mut sums = BTreeMap::<(&str, Option<LabId>), (u64, u64, u32)>::new();
    for (load, lab) in loads {
        let (cpu_millis, memory_mib, pods) = sums.entry((&load.node, lab)).or_default();
        *cpu_millis = cpu_millis.saturating_add(load.cpu_millis);
        *memory_mib = memory_mib.saturating_add(load.memory_mib);
        *pods = pods.saturating_add(1);
    }
    let mut of_node = BTreeMap::<&str, Vec<Load>>::new();
    for ((node, lab), (cpu_millis, memory_mib, pods)) in sums {
        of_node.entry(node).or_default().push(Load { lab, cpu_millis, memory_mib, pods });
    }
    for node in nodes {
        node.loads = of_node.remove(node.name.as_str()).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_counts_with_what_it_requests_until_it_ends() {
        let pod = |phase: &str| -> Pod {
            serde_json::from_value(json!({
                "metadata": { "name": "p", "namespace": "other" },
                "spec": {
                    "nodeName": "n1",
                    "initContainers": [{ "name": "i", "resources": { "requests": { "cpu": "4", "memory": "1Gi" } } }],
                    "containers": [
                        { "name": "a", "resources": { "requests": { "cpu": "500m", "memory": "3Gi" } } },
                        { "name": "b", "resources": { "limits": { "cpu": "1" } } },
                    ],
                },
                "status": { "phase": phase },
            }))
            .expect("a pod")
        };
        let expected = PodLoad { node: "n1".into(), lab: None, cpu_millis: 4_000, memory_mib: 3 * 1_024 };
        assert_eq!(of_pod(&pod("Running")), Some(expected));
        assert_eq!(of_pod(&pod("Succeeded")), None);
    }
}
