//! The simulated cluster: nodes enough, made through its API as an operator would, and a simulator in a process of its own.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    portal::Api,
    process::{Memory, Process, free_port},
    settings::Settings,
};

/// One-seventh slices of a node whose eight A100 are all cut.
pub const SLICES: usize = 56;

/// A simulator beside the portal.
#[derive(Debug)]
pub struct Simulator {
    process: Process,
    pub kubeconfig: PathBuf,
}

impl Simulator {
    pub async fn start(settings: &Settings, folder: &Path, fast: bool) -> Result<Self> {
        let kubeconfig = folder.join("kubeconfig");
        let address = format!("127.0.0.1:{}", free_port()?);
        let mut command = Command::new(&settings.binary);
        command.args(["simulator", "--listen", &address, "--kubeconfig-out"]).arg(&kubeconfig);
        command.args(fast.then_some("--fast"));
        let process = Process::start(&mut command, &folder.join("simulator.log"))?;
        for _ in 0..500 {
            process.id()?;
            if kubeconfig.is_file() && process.said().contains("the simulated cluster is at") {
                return Ok(Self { process, kubeconfig });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        process.stop().await?;
        anyhow::bail!("the simulator did not start")
    }

    pub fn memory(&self) -> Result<Memory> {
        self.process.memory()
    }

    pub async fn stop(self) -> Result<()> {
        self.process.stop().await
    }
}

/// Adds nodes: `sliced` with [`SLICES`] slices each, the rest with eight whole A100; then waits until the portal knows them all.
pub async fn add_nodes(kubeconfig: &Path, sliced: usize, whole: usize, api: &Api) -> Result<()> {
    let config: Value = serde_yaml_ng::from_str(&std::fs::read_to_string(kubeconfig)?)?;
    let server = config["clusters"][0]["cluster"]["server"].as_str().context("no server in the kubeconfig")?;
    let token = config["users"][0]["user"]["token"].as_str().context("no token in the kubeconfig")?;
    // On loopback, to a process that was started a moment ago.
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build()?;
    for number in 0..sliced + whole {
        let node = node(number, number < sliced);
        let name = node["metadata"]["name"].as_str().unwrap_or_default();
        let made = client.post(format!("{server}/api/v1/nodes")).bearer_auth(token).json(&node).send().await?;
        ensure!(made.status().is_success() || made.status() == 409, "node {name}: {}", made.text().await?);
        // Who makes a node does not say how it is; its kubelet does.
        let status = json!({"status": node["status"]});
        let patch = client.patch(format!("{server}/api/v1/nodes/{name}/status")).bearer_auth(token);
        let patched = patch.header("content-type", "application/merge-patch+json").body(status.to_string()).send().await?;
        ensure!(patched.status().is_success(), "node {name}: {}", patched.text().await?);
    }
    let free = (sliced * SLICES) as u64;
    for _ in 0..600 {
        let known = api.get("/gpu-inventory").await?;
        let known = known.as_object().context("an inventory")?;
        let ours: Vec<_> = known.iter().filter(|(name, _)| name.starts_with("bench-")).map(|(_, node)| node).collect();
        let free_now: u64 = ours.iter().filter_map(|node| node["mig"][0]["free"].as_u64()).sum();
        if ours.len() == sliced + whole && free_now == free {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the portal does not see {} more nodes with {free} slices", sliced + whole)
}

fn node(number: usize, sliced: bool) -> Value {
    let name = format!("bench-{number:03}");
    let product = "NVIDIA-A100-SXM4-80GB";
    let mut labels = json!({
        "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "aipc.dell.edu/gpu": "true",
        "nvidia.com/gpu.present": "true", "nvidia.com/gpu.product": product, "nvidia.com/gpu.count": "8", "nvidia.com/gpu.memory": "81920",
        "nvidia.com/mig.capable": "true", "nvidia.com/cuda.driver-version.full": "550.54.15",
    });
    let mut capacity = json!({"cpu": "256", "memory": "2Ti", "pods": "110", "ephemeral-storage": "1Ti"});
    if sliced {
        labels["nvidia.com/mig.strategy"] = "mixed".into();
        labels["nvidia.com/mig-1g.10gb.count"] = SLICES.to_string().into();
        labels["nvidia.com/mig-1g.10gb.product"] = format!("{product}-MIG-1g.10gb").into();
        capacity["nvidia.com/mig-1g.10gb"] = SLICES.to_string().into();
    } else {
        capacity["nvidia.com/gpu"] = "8".into();
    }
    json!({
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels},
        "status": {"capacity": capacity, "allocatable": capacity, "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady",
            "message": "kubelet is posting ready status", "lastHeartbeatTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
    })
}
