//! What a fresh cluster holds: system namespaces, the default storage class, the API server's own Service, nodes.

use serde_json::{Value, json};

use crate::{
    controllers::PROVISIONER,
    nodes::{self, NodeSpec},
    ops::{Writer, create},
    registry::Resource,
    rest::VERSION,
    store::{Key, Store},
};

/// Makes what is missing; what is there stays as it is.
pub fn furnish(store: &Store, specs: &[NodeSpec]) {
    let mut txn = store.write();
    let writer = Writer::controller("kube-apiserver");
    let mut ensure = |resource: Resource, namespace: &str, body: Value| {
        let name = body["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if txn.get(&Key::new(resource, namespace, &*name)).is_none()
            && let Err(error) = create::create(&mut txn, resource.kind(), namespace, body, &writer)
        {
            tracing::warn!(object.name = %name, error = %error, "the simulated cluster cannot furnish itself");
        }
    };
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        ensure(Resource::Namespaces, "", json!({"metadata": {"name": name}}));
    }
    let class = json!({
        "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": PROVISIONER, "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate", "allowVolumeExpansion": true,
    });
    ensure(Resource::StorageClasses, "", class);
    for (name, number) in [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)] {
        ensure(Resource::PriorityClasses, "", json!({"metadata": {"name": name}, "value": number}));
    }
    let service = json!({
        "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 6443}]},
    });
    ensure(Resource::Services, "default", service);
    nodes::ensure(&mut txn, specs, VERSION);
}
