//! The lab's persistent volume: outlives a stop, ends with the lab.

use serde_json::json;
use services::ports::LabOrder;

use super::Manifest;
use crate::{kinds::Kind, labels};

pub fn claim(order: &LabOrder) -> Option<Manifest> {
    let lab = &order.lab;
    if lab.spec.storage_gib == 0 {
        return None;
    }
    // Pods of one lab may sit on several nodes.
    let mode = if lab.spec.nodes > 1 { "ReadWriteMany" } else { "ReadWriteOnce" };
    let spec = json!({ "accessModes": [mode], "resources": { "requests": { "storage": format!("{}Gi", lab.spec.storage_gib) } } });
    Some(Manifest::new(Kind::PersistentVolumeClaim, &lab.namespace, &lab.name, &labels::of_lab(order), json!({ "spec": spec })))
}
