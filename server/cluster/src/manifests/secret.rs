//! The lab's secret variables: a Secret of its own, which its container reads by reference.

use std::collections::BTreeMap;

use domain::secret::MASK;
use k8s_openapi::ByteString;
use serde_json::{Value, json};
use services::ports::LabOrder;

use super::Manifest;
use crate::{kinds::Kind, labels};

/// None for a lab without secrets. Values that the order does not carry are empty: it is only shown then, never applied.
pub fn secret(order: &LabOrder) -> Option<Manifest> {
    let lab = &order.lab;
    if lab.spec.secrets.is_empty() {
        return None;
    }
    let value = |name: &String| ByteString(order.secrets.get(name).map(|value| value.expose().clone().into_bytes()).unwrap_or_default());
    let data: BTreeMap<&String, ByteString> = lab.spec.secrets.keys().map(|name| (name, value(name))).collect();
    let rest = json!({ "type": "Opaque", "data": data });
    Some(Manifest::new(Kind::Secret, &lab.namespace, &lab.name, &labels::of_lab(order), rest))
}

/// The container's reference to one of them.
pub fn reference(order: &LabOrder, name: &str) -> Value {
    json!({ "valueFrom": { "secretKeyRef": { "name": order.lab.name, "key": name } } })
}

/// The same manifest for people to read.
pub fn masked(mut manifest: Manifest) -> Manifest {
    if manifest.kind == Kind::Secret
        && let Some(Value::Object(data)) = manifest.body.get_mut("data")
    {
        data.values_mut().for_each(|value| *value = json!(MASK));
    }
    manifest
}
