//! How an offering runs, and what it is for.

use serde::{Deserialize, Serialize};

/// How it runs in Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// A StatefulSet of one, opened in a browser; files survive a stop.
    Notebook,
    /// An indexed Job with a headless Service; every node is a rank.
    DistributedJob,
    /// A Deployment of one, opened in a browser.
    CodeEditor,
    /// A Deployment of one that is reached by SSH: its Service listens on port 22.
    Shell,
    /// A Job of one pod that is tried again when it fails; the lab ends with it.
    BatchJob,
    /// A Deployment behind one address; every node is a replica.
    Inference,
}

impl Workload {
    pub const ALL: [Self; 6] = [Self::Notebook, Self::CodeEditor, Self::Shell, Self::BatchJob, Self::DistributedJob, Self::Inference];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notebook => "notebook",
            Self::DistributedJob => "distributed_job",
            Self::CodeEditor => "code_editor",
            Self::Shell => "shell",
            Self::BatchJob => "batch_job",
            Self::Inference => "inference",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|workload| workload.as_str() == text)
    }
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Notebook | Self::CodeEditor | Self::Shell => Purpose::Teaching,
            Self::BatchJob | Self::DistributedJob => Purpose::Training,
            Self::Inference => Purpose::Serving,
        }
    }
    /// Whether it may have several nodes: ranks or replicas.
    pub const fn spreads(self) -> bool {
        matches!(self, Self::DistributedJob | Self::Inference)
    }
    /// Whether it ends by itself.
    pub const fn ends(self) -> bool {
        matches!(self, Self::DistributedJob | Self::BatchJob)
    }
    /// Whether it is a Deployment in the cluster.
    pub const fn is_deployment(self) -> bool {
        matches!(self, Self::CodeEditor | Self::Shell | Self::Inference)
    }
}

/// The purpose of an offering, by which the catalogue groups it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Teaching,
    Training,
    Serving,
}

impl Purpose {
    pub const ALL: [Self; 3] = [Self::Teaching, Self::Training, Self::Serving];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Teaching => "teaching",
            Self::Training => "training",
            Self::Serving => "serving",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }
}
