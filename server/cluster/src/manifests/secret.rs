//! The lab's secret variables, and the lab's own secret, by which the door reaches its application. Each is a Secret that the container refers
//! to: the first is written when a lab starts, the other also in between, and a write replaces all values of an object.

use std::collections::BTreeMap;

use domain::{
    labs::Lab,
    secret::{MASK, Secret},
};
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

/// Name of the Secret with the lab's own secret.
pub fn own_name(lab: &Lab) -> String {
    format!("{}-door", lab.name)
}

/// The Secret with the lab's own secret. `None` if the application takes none, or if the order does not carry the value.
pub fn own(order: &LabOrder) -> Option<Manifest> {
    let lab = &order.lab;
    let (access, value) = (lab.spec.app_access.as_ref()?, order.own_secret.as_ref()?);
    let data = BTreeMap::from([(&access.variable, ByteString(value.expose().clone().into_bytes()))]);
    let rest = json!({ "type": "Opaque", "data": data });
    Some(Manifest::new(Kind::Secret, &lab.namespace, &own_name(lab), &labels::of_lab(order), rest))
}

/// The container's reference to a secret variable.
pub fn reference(order: &LabOrder, name: &str) -> Value {
    json!({ "valueFrom": { "secretKeyRef": { "name": order.lab.name, "key": name } } })
}

/// The same to the lab's own secret.
pub fn own_reference(order: &LabOrder, variable: &str) -> Value {
    json!({ "valueFrom": { "secretKeyRef": { "name": own_name(&order.lab), "key": variable } } })
}

/// The order with each secret value masked, for manifests that people read.
pub fn with_masks(order: &LabOrder) -> LabOrder {
    let secrets = order.lab.spec.secrets.keys().map(|name| (name.clone(), Secret::new(MASK.to_owned()))).collect();
    let own_secret = order.lab.spec.app_access.as_ref().map(|_| Secret::new(MASK.to_owned()));
    LabOrder { secrets, own_secret, ..order.clone() }
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
