//! The nodes of the simulated cluster.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    chance,
    controllers::events::{self, Said},
    registry::Resource,
    stamp,
    store::{Key, Txn},
    value,
};

/// One node.
#[derive(Debug, Clone)]
pub struct NodeSpec {
    pub name: String,
    /// As its vendor's software labels it: `NVIDIA-A100-SXM4-80GB`, `AMD_Instinct_MI250_OAM`.
    pub gpu_product: String,
    /// Version of the cards' driver.
    pub gpu_driver: String,
    /// Memory of one card in GiB.
    pub gpu_memory: u32,
    /// Whole NVIDIA cards (`nvidia.com/gpu`).
    pub gpus: u32,
    /// More extended resources: `nvidia.com/mig-1g.10gb` or `amd.com/gpu`, with their quantity.
    pub extended: BTreeMap<String, String>,
    /// Cores, as a quantity.
    pub cpu: String,
    /// Main memory, as a quantity.
    pub memory: String,
    /// Pods that it takes.
    pub pods: u32,
    pub labels: BTreeMap<String, String>,
}

/// Annotation with the temperature that the node reports of its hottest card, in degrees Celsius.
pub const TEMPERATURE: &str = "lectern.dev/gpu-temperature";

/// Six mixed nodes: two of eight A100, one of four, one A100 node partly in MIG slices, one MI250, one of eight V100 with an older driver.
pub fn default_nodes() -> Vec<NodeSpec> {
    let node = |number: u32, (product, driver, card): (&str, &str, u32), gpus: u32, extended: &[(&str, &str)], cpu: &str, memory: &str| NodeSpec {
        name: format!("dell-pro-max-aipc-{number:02}"),
        gpu_product: product.to_owned(),
        gpu_driver: driver.to_owned(),
        gpu_memory: card,
        gpus,
        extended: extended.iter().map(|(name, amount)| ((*name).to_owned(), (*amount).to_owned())).collect(),
        cpu: cpu.to_owned(),
        memory: memory.to_owned(),
        pods: 110,
        labels: BTreeMap::from([
            ("aipc.dell.edu/gpu".to_owned(), "true".to_owned()),
            ("topology.kubernetes.io/zone".to_owned(), format!("zone-{}", number.div_ceil(2))),
        ]),
    };
    let a100 = ("NVIDIA-A100-SXM4-80GB", "550.54.15", 80);
    vec![
        node(1, a100, 8, &[], "128", "1Ti"),
        node(2, a100, 8, &[], "128", "1Ti"),
        node(3, a100, 4, &[], "64", "512Gi"),
        // Two of eight cards cut into seven slices each.
        node(4, a100, 6, &[("nvidia.com/mig-1g.10gb", "14")], "128", "1Ti"),
        node(5, ("AMD_Instinct_MI250_OAM", "6.7.0", 128), 0, &[("amd.com/gpu", "8")], "128", "1Ti"),
        node(6, ("Tesla-V100-SXM2-32GB", "535.161.08", 32), 8, &[], "80", "768Gi"),
    ]
}

/// Makes the nodes that are not there yet; those that are keep what was done to them.
pub fn ensure(txn: &mut Txn<'_>, nodes: &[NodeSpec], version: &str) {
    for (at, node) in nodes.iter().enumerate() {
        if txn.get(&Key::new(Resource::Nodes, "", &node.name)).is_none() {
            let made = txn.put(Resource::Nodes, object(node, at + 1, version));
            let ready = format!("Node {} status is now: NodeReady", node.name);
            events::record(txn, &made, &Said::normal("kubelet", "NodeReady", ready).on(&node.name));
        }
    }
}

fn object(node: &NodeSpec, number: usize, version: &str) -> Value {
    let mut labels = json!({
        "kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": "amd64", "node-role.kubernetes.io/worker": "", "type": "fake",
    });
    if node.gpus > 0 || node.extended.keys().any(|name| name.starts_with("nvidia.com/")) {
        labels["nvidia.com/gpu.present"] = "true".into();
        labels["nvidia.com/gpu.product"] = node.gpu_product.as_str().into();
        labels["nvidia.com/gpu.count"] = node.gpus.to_string().into();
        // As GPU feature discovery writes them; memory in MiB.
        labels["nvidia.com/gpu.memory"] = (node.gpu_memory * 1_024).to_string().into();
        labels["nvidia.com/cuda.driver-version.full"] = node.gpu_driver.as_str().into();
        for (part, text) in ["major", "minor", "revision"].into_iter().zip(node.gpu_driver.split('.')) {
            labels[format!("nvidia.com/cuda.driver-version.{part}")] = text.into();
        }
        let cut: Vec<_> = node.extended.iter().filter_map(|(name, amount)| Some((name.strip_prefix("nvidia.com/mig-")?, amount))).collect();
        let capable = node.gpu_product.contains("A100") || node.gpu_product.contains("H100");
        labels["nvidia.com/mig.capable"] = capable.to_string().into();
        if !cut.is_empty() {
            labels["nvidia.com/mig.strategy"] = "mixed".into();
        }
        for (profile, amount) in cut {
            labels[format!("nvidia.com/mig-{profile}.count")] = amount.as_str().into();
            labels[format!("nvidia.com/mig-{profile}.product")] = format!("{}-MIG-{profile}", node.gpu_product).into();
        }
    } else if !node.gpu_product.is_empty() {
        // As AMD's node labeller writes them.
        labels["amd.com/gpu.product-name"] = node.gpu_product.as_str().into();
        labels["amd.com/gpu.driver-version"] = node.gpu_driver.as_str().into();
        labels["amd.com/gpu.vram"] = format!("{}G", node.gpu_memory).into();
    }
    let mut annotations = json!({"node.alpha.kubernetes.io/ttl": "0"});
    if !node.gpu_product.is_empty() {
        annotations[TEMPERATURE] = (36 + number % 3).to_string().into();
    }
    for (key, text) in &node.labels {
        labels[key] = text.as_str().into();
    }
    let mut capacity = json!({"cpu": node.cpu, "memory": node.memory, "ephemeral-storage": "1Ti", "hugepages-1Gi": "0", "hugepages-2Mi": "0"});
    capacity["pods"] = node.pods.to_string().into();
    if node.gpus > 0 {
        capacity["nvidia.com/gpu"] = node.gpus.to_string().into();
    }
    for (name, amount) in &node.extended {
        capacity[name] = amount.as_str().into();
    }
    let now = stamp::now();
    let condition = |kind: &str, status: &str, reason: &str, message: &str| json!({"type": kind, "status": status, "reason": reason, "message": message, "lastHeartbeatTime": now, "lastTransitionTime": now});
    let mut object = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": node.name, "uid": chance::uid(), "creationTimestamp": now, "labels": labels,
            "annotations": annotations},
        "spec": {"podCIDR": format!("10.244.{number}.0/24"), "podCIDRs": [format!("10.244.{number}.0/24")], "providerID": format!("simulated://{}", node.name)},
        "status": {
            "capacity": capacity, "allocatable": capacity,
            "addresses": [{"type": "InternalIP", "address": format!("10.245.0.{number}")}, {"type": "Hostname", "address": node.name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {"machineID": format!("simulated-{number}"), "systemUUID": format!("simulated-{number}"), "bootID": "simulated",
                "kernelVersion": "6.1.0-simulated", "osImage": "Simulated Linux", "containerRuntimeVersion": "simulated://1.0",
                "kubeletVersion": version, "kubeProxyVersion": version, "operatingSystem": "linux", "architecture": "amd64"},
        },
    });
    value::set(
        &mut object,
        &["status", "conditions"],
        vec![
            condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ],
    );
    object
}
