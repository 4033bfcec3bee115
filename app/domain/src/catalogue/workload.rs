//! How an offering runs, and what it is for.

use serde::{Deserialize, Serialize};

use crate::labs::host;

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
    /// Where people use a lab of this kind whose own port is `port`.
    pub fn entrance(self, port: u16) -> Entrance {
        match self {
            Self::BatchJob | Self::DistributedJob => Entrance::Log,
            Self::Notebook | Self::CodeEditor | Self::Inference if self.has_pages_on(port) => Entrance::Page,
            Self::Notebook | Self::CodeEditor | Self::Inference | Self::Shell => Entrance::Terminal,
        }
    }
    /// Whether the own port of such a lab may be asked for pages.
    pub fn has_pages_on(self, port: u16) -> bool {
        self != Self::Shell && host::has_pages(port)
    }
    /// Whether it is a Deployment in the cluster.
    pub const fn is_deployment(self) -> bool {
        matches!(self, Self::CodeEditor | Self::Shell | Self::Inference)
    }
}

/// The place where a lab is used; the main button of its pages leads there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entrance {
    /// The pages of its own site.
    Page,
    /// A shell in the browser or by SSH.
    Terminal,
    /// The output of its program.
    Log,
}

impl Entrance {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Terminal => "terminal",
            Self::Log => "log",
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lab_is_used_where_it_answers() {
        for (workload, port, entrance) in [
            (Workload::Notebook, 8_888, Entrance::Page),
            (Workload::CodeEditor, 8_080, Entrance::Page),
            (Workload::Inference, 80, Entrance::Page),
            (Workload::Notebook, 2_222, Entrance::Terminal),
            (Workload::Shell, 2_222, Entrance::Terminal),
            (Workload::Shell, 8_022, Entrance::Terminal),
            (Workload::BatchJob, 6_006, Entrance::Log),
            (Workload::DistributedJob, 29_500, Entrance::Log),
        ] {
            assert_eq!(workload.entrance(port), entrance, "{workload:?} {port}");
        }
        // A board beside a job may be looked at; an SSH server and the meeting of ranks may not.
        assert!(Workload::BatchJob.has_pages_on(6_006) && !Workload::DistributedJob.has_pages_on(29_500));
        assert!(!Workload::Shell.has_pages_on(8_022) && !Workload::Notebook.has_pages_on(22));
    }
}
