//! The rights that Lectern needs in the whole cluster, as the rules of a ClusterRole. A test runs the life of every kind of lab with these
//! and no others: another call to the API server needs its verb here.

use serde_json::{Value, json};

/// API group, resource, verbs.
const RIGHTS: [(&str, &str, &[&str]); 17] = [
    ("", "namespaces", &["get", "list", "watch", "create", "patch", "delete"]),
    // Listed and deleted in namespaces that somebody else made. Server-side apply needs `create` besides `patch`.
    ("", "resourcequotas", &["list", "create", "patch", "delete"]),
    ("", "limitranges", &["list", "create", "patch", "delete"]),
    ("networking.k8s.io", "networkpolicies", &["list", "watch", "create", "patch", "delete"]),
    ("", "serviceaccounts", &["list", "watch", "create", "patch", "delete"]),
    // Written and removed, never read.
    ("", "secrets", &["create", "patch", "delete"]),
    ("", "services", &["list", "watch", "create", "patch", "delete"]),
    ("", "persistentvolumeclaims", &["get", "list", "watch", "create", "patch", "delete"]),
    ("apps", "statefulsets", &["get", "list", "watch", "create", "patch", "delete"]),
    ("apps", "deployments", &["get", "list", "watch", "create", "patch", "delete"]),
    ("batch", "jobs", &["get", "list", "watch", "create", "patch", "delete"]),
    // Deleted only when they have lost their owner.
    ("", "pods", &["list", "watch", "delete"]),
    ("apps", "replicasets", &["list", "delete"]),
    ("apps", "controllerrevisions", &["list", "delete"]),
    ("", "nodes", &["list", "watch"]),
    ("", "events", &["list", "watch"]),
    // Optional: without it the check of a larger volume is left to admission alone.
    ("storage.k8s.io", "storageclasses", &["get"]),
];

/// The rules of the ClusterRole.
pub fn rules() -> Value {
    let rule = |(group, resource, verbs): &(&str, &str, &[&str])| json!({ "apiGroups": [group], "resources": [resource], "verbs": verbs });
    RIGHTS.iter().map(rule).collect()
}
