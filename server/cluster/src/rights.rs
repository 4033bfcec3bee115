//! The cluster-wide rights that Lectern needs, as the rules of a ClusterRole. A test runs the life of every kind of lab with exactly these:
//! a new call to the API server needs its verb here.

use serde_json::{Value, json};

/// API group, resource, verbs.
const RIGHTS: [(&str, &str, &[&str]); 21] = [
    ("", "namespaces", &["get", "list", "watch", "create", "patch", "delete"]),
    // Listed and deleted in namespaces that existed before. Server-side apply needs `create` besides `patch`.
    ("", "resourcequotas", &["list", "create", "patch", "delete"]),
    ("", "limitranges", &["list", "create", "patch", "delete"]),
    ("networking.k8s.io", "networkpolicies", &["list", "watch", "create", "patch", "delete"]),
    ("", "serviceaccounts", &["list", "watch", "create", "patch", "delete"]),
    // Written and deleted, never read.
    ("", "secrets", &["create", "patch", "delete"]),
    ("", "services", &["list", "watch", "create", "patch", "delete"]),
    ("", "persistentvolumeclaims", &["get", "list", "watch", "create", "patch", "delete"]),
    ("apps", "statefulsets", &["get", "list", "watch", "create", "patch", "delete"]),
    ("apps", "deployments", &["get", "list", "watch", "create", "patch", "delete"]),
    ("batch", "jobs", &["get", "list", "watch", "create", "patch", "delete"]),
    // Read one by one before they are reached while no watch runs. Deleted only if their owner no longer exists, or if it waits for them.
    ("", "pods", &["get", "list", "watch", "delete"]),
    // The streams are opened by GET. From Kubernetes 1.35 on it needs `create` besides `get`.
    ("", "pods/exec", &["get", "create"]),
    ("", "pods/portforward", &["get", "create"]),
    ("", "pods/log", &["get"]),
    // Optional: without it, or without metrics, a silent program does not keep an unused lab from being stopped.
    ("metrics.k8s.io", "pods", &["get"]),
    ("apps", "replicasets", &["list", "delete"]),
    ("apps", "controllerrevisions", &["list", "delete"]),
    ("", "nodes", &["list", "watch"]),
    ("", "events", &["list", "watch"]),
    // Optional: without it only admission checks whether a volume can grow.
    ("storage.k8s.io", "storageclasses", &["get"]),
];

/// The rules of the ClusterRole.
pub fn rules() -> Value {
    let rule = |(group, resource, verbs): &(&str, &str, &[&str])| json!({ "apiGroups": [group], "resources": [resource], "verbs": verbs });
    RIGHTS.iter().map(rule).collect()
}
