//! The volume of a lab's claim, for a cluster without a provisioner.

use domain::labs::Lab;
use k8s_openapi::api::core::v1::PersistentVolume;
use serde_json::json;

pub fn of(lab: &Lab) -> PersistentVolume {
    serde_json::from_value(json!({
        "metadata": { "name": format!("{}-{}", lab.namespace, lab.name) },
        "spec": {
            "capacity": { "storage": format!("{}Gi", lab.spec.storage_gib) },
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": { "namespace": lab.namespace, "name": lab.name },
            "hostPath": { "path": "/tmp" },
        },
    }))
    .expect("a volume")
}
