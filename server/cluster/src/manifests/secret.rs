//! The lab's secret variables: one Secret for each lab, which its container refers to.

use std::collections::BTreeMap;

use domain::secret::{MASK, Secret};
use k8s_openapi::ByteString;
use serde_json::{Value, json};
use services::ports::LabOrder;

use super::Manifest;
use crate::{kinds::Kind, labels};

/// `None` for a lab without secrets. Also `None` if the order does not carry all values, since the manifest would overwrite the stored
/// ones.
pub fn secret(order: &LabOrder) -> Option<Manifest> {
    let lab = &order.lab;
    let names = &lab.spec.secrets;
    if names.is_empty() || !names.keys().all(|name| order.secrets.contains_key(name)) {
        return None;
    }
    let wanted = order.secrets.iter().filter(|(name, _)| names.contains_key(*name));
    let data: BTreeMap<&String, ByteString> = wanted.map(|(name, value)| (name, ByteString(value.expose().clone().into_bytes()))).collect();
    let rest = json!({ "type": "Opaque", "data": data });
    Some(Manifest::new(Kind::Secret, &lab.namespace, &lab.name, &labels::of_lab(order), rest))
}

/// The container's reference to a secret variable.
pub fn reference(order: &LabOrder, name: &str) -> Value {
    json!({ "valueFrom": { "secretKeyRef": { "name": order.lab.name, "key": name } } })
}

/// The order with each secret value masked, for manifests that people read.
pub fn with_masks(order: &LabOrder) -> LabOrder {
    let secrets = order.lab.spec.secrets.keys().map(|name| (name.clone(), Secret::new(MASK.to_owned()))).collect();
    LabOrder { secrets, ..order.clone() }
}

/// The manifest with each secret value masked, for people to read.
pub fn masked(mut manifest: Manifest) -> Manifest {
    if manifest.kind == Kind::Secret
        && let Some(Value::Object(data)) = manifest.body.get_mut("data")
    {
        data.values_mut().for_each(|value| *value = json!(MASK));
    }
    manifest
}
