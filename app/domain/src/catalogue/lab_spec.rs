//! The specification of a lab: image, cards, cores, memory, storage, variables.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AppAccess, Entrance, Workload};
use crate::{
    gpu::{Card, CardShare},
    secret::{SecretValue, is_secret},
};

/// The specification of a lab: the offering's base with the order's parameters applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabSpec {
    pub workload: Workload,
    pub image: String,
    /// Empty: the image's own.
    #[serde(default)]
    pub command: Vec<String>,
    /// Port that the lab answers on.
    pub port: u16,
    pub card: Card,
    /// Cards (or slices) for each node.
    pub cards_per_node: u32,
    pub nodes: u32,
    /// Whole cores for each node.
    pub cpu_cores: u32,
    /// GiB for each node.
    pub memory_gib: u32,
    /// GiB of the persistent volume, one for the lab; 0 for none.
    pub storage_gib: u32,
    /// Cloned into the lab at its first start.
    #[serde(default)]
    pub git_url: Option<String>,
    /// Variables that everybody may read. A secret is refused here and belongs into `secrets`.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Variables whose values are stored encrypted, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretValue>,
    /// How often a batch job is tried again after a failure.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// Path of an HTTP check on `port` that says the lab answers; without one an open port is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_path: Option<String>,
    /// The way in which the application takes the lab's own secret; `None` for one that takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_access: Option<AppAccess>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl LabSpec {
    /// Moves variables that are secret by name or value from `environment` to `secrets`, as if they had been typed there.
    pub fn separate_secrets(&mut self) {
        for (name, value) in std::mem::take(&mut self.environment) {
            if is_secret(&name, &value) {
                self.secrets.entry(name).or_insert_with(|| SecretValue::typed(&value));
            } else {
                self.environment.insert(name, value);
            }
        }
    }

    pub fn entrance(&self) -> Entrance {
        self.workload.entrance(self.port)
    }
    /// Whether its own port may be asked for pages.
    pub fn has_pages(&self) -> bool {
        self.workload.has_pages_on(self.port)
    }

    /// All cards of the lab.
    pub const fn cards(&self) -> u32 {
        self.cards_per_node * self.nodes
    }
    /// Whole-card equivalents of the lab (D3).
    pub fn card_share(&self) -> CardShare {
        self.card.share().times(i64::from(self.cards()))
    }
    pub const fn total_cpu_cores(&self) -> u32 {
        self.cpu_cores * self.nodes
    }
    pub const fn total_memory_gib(&self) -> u32 {
        self.memory_gib * self.nodes
    }
}
