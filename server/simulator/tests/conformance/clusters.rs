//! The clusters that a case runs on, each time in a namespace of its own.

use std::{path::PathBuf, process::Command};

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, Config,
    api::{DeleteParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::json;
use simulator::{Options, Pace, Simulator};
use tempfile::TempDir;

use crate::skip::skip;

pub struct Cluster {
    pub client: Client,
    pub namespace: String,
    /// Where kubectl runs: its home, its kubeconfig, the files of the case.
    pub folder: TempDir,
    pub is_real: bool,
    _simulator: Option<Simulator>,
}

/// A simulator of the test's own.
pub async fn simulated() -> Cluster {
    let simulator = simulator::start(Options { pace: Pace::fast(), ..Options::default() }).await.expect("a simulator");
    let kubeconfig = Kubeconfig::from_yaml(&simulator.kubeconfig()).expect("a kubeconfig");
    Cluster::of(kubeconfig, Some(simulator)).await
}

/// `None`, with its reason in the list of skips, when no control plane is named.
pub async fn real(test: &str) -> Option<Cluster> {
    match std::env::var("LECTERN_TEST_KUBECONFIG") {
        Ok(path) if !path.is_empty() => Some(Cluster::of(Kubeconfig::read_from(path).expect("a kubeconfig"), None).await),
        _ => {
            skip(test, "LECTERN_TEST_KUBECONFIG names no control plane");
            None
        }
    }
}

/// Whether kubectl is installed; a line in the list of skips where it is not.
pub fn has_kubectl(test: &str) -> bool {
    let has = Command::new("kubectl").arg("version").arg("--client").output().is_ok();
    if !has {
        skip(test, "kubectl is not installed");
    }
    has
}

impl Cluster {
    async fn of(mut kubeconfig: Kubeconfig, simulator: Option<Simulator>) -> Self {
        // Another test of this process may have done it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let namespace = format!("case-{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
        for context in &mut kubeconfig.contexts {
            if let Some(context) = &mut context.context {
                context.namespace = Some(namespace.clone());
            }
        }
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("kubeconfig"), serde_yaml_ng::to_string(&kubeconfig).expect("YAML")).expect("a file");
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a configuration");
        let client = Client::try_from(config).expect("a client");
        let own: Namespace = serde_json::from_value(json!({"metadata": {"name": namespace}})).expect("a namespace");
        Api::all(client.clone()).create(&PostParams::default(), &own).await.expect("a namespace");
        let accounts = Api::<k8s_openapi::api::core::v1::ServiceAccount>::namespaced(client.clone(), &namespace);
        while accounts.get_opt("default").await.expect("an answer").is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Self { client, namespace, folder, is_real: simulator.is_none(), _simulator: simulator }
    }

    /// Takes away what the case left; a simulator goes as a whole.
    pub async fn clean(&self) {
        if self.is_real {
            let _ = Api::<Namespace>::all(self.client.clone()).delete(&self.namespace, &DeleteParams::default()).await;
        }
    }

    /// Runs a line in a shell whose kubectl speaks to this cluster, off the runtime's threads, which serve it. Gives everything it printed.
    pub async fn run(&self, line: &str) -> String {
        let mut command = Command::new("sh");
        let folder: PathBuf = self.folder.path().into();
        command.args(["-c", &format!("{{ {line}\n}} 2>&1")]).current_dir(&folder);
        command.env("KUBECONFIG", folder.join("kubeconfig")).env("HOME", &folder).env("NAMESPACE", &self.namespace);
        let output = tokio::task::spawn_blocking(move || command.output().expect("a shell")).await.expect("it ends");
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.extend(["[exit ", &output.status.code().unwrap_or(-1).to_string(), "]\n"]);
        }
        text
    }
}
