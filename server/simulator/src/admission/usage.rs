//! What objects use: the sums that quotas, nodes and `kubectl describe` speak of.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{quantity::Quantity, value};

/// Amounts by resource name.
pub type Amounts = BTreeMap<String, Quantity>;

/// Which side of a container's resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Requests,
    Limits,
}

impl Side {
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Limits => "limits",
        }
    }
}

/// Reads a map of quantities.
pub fn amounts(map: Option<&Value>) -> Amounts {
    let entries = map.and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(name, amount)| Some((name.clone(), Quantity::of(amount)?))).collect()
}

/// What a pod asks for: the sum of its containers, or its largest init container where that is more.
pub fn pod(pod: &Value, side: Side) -> Amounts {
    let of = |container: &Value| amounts(container.get("resources").and_then(|resources| resources.get(side.name())));
    let mut sum = Amounts::new();
    for container in value::items(pod, "/spec/containers") {
        add(&mut sum, &of(container));
    }
    for container in value::items(pod, "/spec/initContainers") {
        for (name, amount) in of(container) {
            let slot = sum.entry(name).or_insert(Quantity::ZERO);
            *slot = (*slot).max(amount);
        }
    }
    add(&mut sum, &amounts(pod.pointer("/spec/overhead")));
    sum
}

pub fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        let slot = sum.entry(name.clone()).or_insert(Quantity::ZERO);
        *slot = *slot + *amount;
    }
}

/// Whether a pod has ended, and so uses nothing.
pub fn has_ended(pod: &Value) -> bool {
    ["Succeeded", "Failed"].contains(&value::text(pod, "/status/phase"))
}
