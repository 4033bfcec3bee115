//! A cluster to test on: a simulator of the test's own, or the control plane that LECTERN_TEST_KUBECONFIG names.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    sync::Mutex,
};

use cluster::{Kind, Kubernetes};
use futures::FutureExt;
use k8s_openapi::api::core::v1::PersistentVolume;
use kube::{
    Api, Client, Config, ResourceExt as _,
    api::{ApiResource, DynamicObject, GroupVersionKind, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use services::ports::{LabOrder, Workloads};
use storage::testing::skip;

use super::{Gate, until, volume};

pub struct Rig {
    pub cluster: Kubernetes,
    /// The same cluster, to look behind Lectern's back and to interfere.
    pub client: Client,
    kubeconfig: Kubeconfig,
    /// Where the API server listens.
    server: String,
    /// Has no volume provisioner: the test makes the volumes.
    bare: bool,
    /// What was started, to leave nothing behind.
    started: Mutex<Vec<LabOrder>>,
    /// Stops with the rig.
    simulator: Option<simulator::Simulator>,
}

impl Rig {
    /// `None`, and a line that says so, when no control plane is named.
    pub async fn real(test: &str) -> Option<Self> {
        match std::env::var("LECTERN_TEST_KUBECONFIG") {
            Ok(path) if !path.is_empty() => {
                install_tls();
                let cluster = Kubernetes::from_kubeconfig(&path).await.expect("a cluster");
                Some(Self::of(cluster, Kubeconfig::read_from(path).expect("a kubeconfig"), None).await)
            }
            _ => {
                skip(test, "LECTERN_TEST_KUBECONFIG names no control plane");
                None
            }
        }
    }

    /// A simulated cluster of the test's own.
    pub async fn simulated() -> Self {
        install_tls();
        let options = simulator::Options { pace: simulator::Pace::fast(), ..simulator::Options::default() };
        let simulator = simulator::start(options).await.expect("a simulator");
        let text = simulator.kubeconfig();
        let cluster = Kubernetes::from_kubeconfig_text(&text).await.expect("a cluster");
        Self::of(cluster, Kubeconfig::from_yaml(&text).expect("a kubeconfig"), Some(simulator)).await
    }

    async fn of(cluster: Kubernetes, kubeconfig: Kubeconfig, simulator: Option<simulator::Simulator>) -> Self {
        let config = configuration(&kubeconfig).await;
        let server = config.cluster_url.authority().expect("a host").to_string();
        let client = Client::try_from(config).expect("a client");
        Self { cluster, client, kubeconfig, server, bare: simulator.is_none(), started: Mutex::default(), simulator }
    }

    /// Objects of a kind that Lectern applies. `namespace` has no meaning for namespaces.
    pub fn api(&self, kind: Kind, namespace: &str) -> Api<DynamicObject> {
        let version = kind.api_version();
        let (group, version) = version.rsplit_once('/').unwrap_or(("", &version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind.as_str()));
        if kind == Kind::Namespace {
            Api::all_with(self.client.clone(), &resource)
        } else {
            Api::namespaced_with(self.client.clone(), namespace, &resource)
        }
    }

    /// Switches a fault of the simulator on.
    pub fn switch_on(&self, rule: simulator::faults::Rule) {
        self.faults().switch_on(rule);
    }

    /// Ends all faults of the simulator.
    pub fn all_off(&self) {
        self.faults().all_off();
    }

    fn faults(&self) -> &std::sync::Arc<simulator::faults::Switchboard> {
        self.simulator.as_ref().expect("a simulator").faults()
    }

    /// A client of the same cluster as a user with a role of their own.
    pub async fn acting_as(&self, user: &str) -> Kubernetes {
        let mut config = configuration(&self.kubeconfig).await;
        config.headers.push((http::HeaderName::from_static("impersonate-user"), user.parse().expect("a header")));
        Kubernetes::connect(config).await.expect("a cluster")
    }

    /// Runs a scenario; what it started ends with it also when it fails, since others need the cards.
    pub async fn run(self, scenario: impl AsyncFnOnce(&Self)) {
        let outcome = AssertUnwindSafe(scenario(&self)).catch_unwind().await;
        if let Err(panic) = outcome {
            if self.bare {
                let started = std::mem::take(&mut *self.started.lock().expect("no panic"));
                for order in started {
                    self.clean(&order).await;
                }
            }
            resume_unwind(panic);
        }
    }

    /// The cluster through a network that the test can break.
    pub async fn through_a_gate(&self) -> (Kubernetes, Gate) {
        let gate = Gate::before(&self.server).await;
        let mut config = configuration(&self.kubeconfig).await;
        config.cluster_url = format!("https://{}", gate.address).parse().expect("a URL");
        (Kubernetes::connect(config).await.expect("a cluster"), gate)
    }

    /// Starts the lab, with a volume for its claim where nothing else provides one.
    pub async fn start(&self, order: &LabOrder) {
        self.started.lock().expect("no panic").push(order.clone());
        self.provide_volume(order).await;
        until("the lab is applied", || self.cluster.start(order), Result::is_ok).await.expect("until");
    }

    /// Makes the volume of the lab's claim where nothing else does.
    pub async fn provide_volume(&self, order: &LabOrder) {
        let lab = &order.lab;
        if !self.bare || lab.spec.storage_gib == 0 {
            return;
        }
        let volume = volume::of(lab);
        let volumes = Api::<PersistentVolume>::all(self.client.clone());
        if volumes.get_opt(&volume.name_any()).await.expect("an answer").is_none() {
            volumes.create(&PostParams::default(), &volume).await.expect("a volume");
        }
    }

    /// Destroys the lab and its course, and waits until nothing is left.
    pub async fn clean(&self, order: &LabOrder) {
        until("the lab is gone", || self.cluster.destroy(order, true), |left| matches!(left, Ok(0))).await.expect("until");
        if self.bare {
            let name = format!("{}-{}", order.lab.namespace, order.lab.name);
            let _ = Api::<PersistentVolume>::all(self.client.clone()).delete(&name, &kube::api::DeleteParams::default()).await;
        }
    }
}

fn install_tls() {
    // Another test of this process may have done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

async fn configuration(kubeconfig: &Kubeconfig) -> Config {
    Config::from_custom_kubeconfig(kubeconfig.clone(), &KubeConfigOptions::default()).await.expect("a configuration")
}
