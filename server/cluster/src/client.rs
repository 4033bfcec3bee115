//! The connection to one cluster. Nothing is sent before the first call, so a cluster that is away does not stop a start.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use kube::{
    Client, Config,
    config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use services::ports::ClusterError;

use crate::{
    capabilities::Capabilities, connector, courses::Courses, drift::Repairs, end::KnownEnds, errors::within, observe::Patience, own_secrets::Written,
    reach::Dial, watch::Mirror,
};

/// A configuration from which no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("the kubeconfig cannot be used: {0}")]
    Kubeconfig(#[from] KubeconfigError),
    #[error("this is not a pod of a cluster: {0}")]
    InCluster(#[from] InClusterError),
    #[error("no client can be made from the configuration: {0}")]
    Client(#[source] kube::Error),
}

/// A cluster as Lectern uses it. Clones share the connections.
#[derive(Clone)]
pub struct Kubernetes {
    pub(crate) client: Client,
    /// Known after the first contact, renewed with every [`info`](services::ports::Fleet::info): clusters are upgraded.
    capabilities: Arc<RwLock<Option<Capabilities>>>,
    /// What a running watch knows.
    pub(crate) mirror: Arc<Mirror>,
    /// What may heal by itself and since when it has not.
    pub(crate) patience: Arc<Patience>,
    /// Courses whose objects were applied just now.
    pub(crate) courses: Arc<Courses>,
    /// The ends of labs that the cluster has been given.
    pub(crate) ends: Arc<KnownEnds>,
    /// How often objects of labs were restored of late.
    pub(crate) repairs: Arc<Repairs>,
    /// When the Secrets with labs' own secrets were written.
    pub(crate) own_secrets: Arc<Written>,
    /// Way to the pods.
    pub(crate) dial: Dial,
}

impl Kubernetes {
    /// Errors: only what is wrong with the configuration itself. A TLS provider must have been installed.
    #[expect(clippy::unused_async, reason = "must run inside a runtime, which the client's worker is spawned on")]
    pub async fn connect(mut config: Config) -> Result<Self, ConnectError> {
        // A call fails as a whole after `DEADLINE`; a connection that is not made by then is no use.
        config.connect_timeout = Some(Duration::from_secs(3));
        let client = connector::client(config).map_err(ConnectError::Client)?;
        Ok(Self {
            client,
            capabilities: Arc::default(),
            mirror: Arc::default(),
            patience: Arc::default(),
            courses: Arc::default(),
            ends: Arc::default(),
            repairs: Arc::default(),
            own_secrets: Arc::default(),
            // Pods have addresses only inside the cluster.
            dial: Dial::PortForward,
        })
    }

    pub async fn from_kubeconfig(path: impl AsRef<Path>) -> Result<Self, ConnectError> {
        Self::from_parsed(Kubeconfig::read_from(path)?).await
    }

    pub async fn from_kubeconfig_text(yaml: &str) -> Result<Self, ConnectError> {
        Self::from_parsed(Kubeconfig::from_yaml(yaml)?).await
    }

    /// With the service account of the pod that this runs in.
    pub async fn in_cluster() -> Result<Self, ConnectError> {
        Ok(Self { dial: Dial::Address, ..Self::connect(Config::incluster()?).await? })
    }

    async fn from_parsed(kubeconfig: Kubeconfig) -> Result<Self, ConnectError> {
        Self::connect(Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?).await
    }

    /// The server's `v1.33.0`; what it can do is kept from it.
    pub(crate) async fn version(&self) -> Result<String, ClusterError> {
        let version = within(self.client.apiserver_version()).await?;
        let found = Capabilities::of_version(&version.major, &version.minor);
        *self.capabilities.write().unwrap_or_else(PoisonError::into_inner) = Some(found);
        Ok(version.git_version)
    }

    /// What the server can do; asks when that is not known yet.
    pub(crate) async fn capabilities(&self) -> Result<Capabilities, ClusterError> {
        if let Some(known) = self.known_capabilities() {
            return Ok(known);
        }
        self.version().await?;
        Ok(self.known_capabilities().unwrap_or(Capabilities::CURRENT))
    }

    pub(crate) fn known_capabilities(&self) -> Option<Capabilities> {
        *self.capabilities.read().unwrap_or_else(PoisonError::into_inner)
    }
}
