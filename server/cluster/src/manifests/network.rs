//! Network policies (G3). A namespace starts closed both ways. A lab hears its own pods and the portal's proxy, and reaches its own pods,
//! the cluster's name service and the public internet: no private address, so no other tenant's pod, node or campus host.

use domain::{courses::Course, ids::LabId, labs::host::PORTS};
use serde_json::{Value, json};
use services::ports::LabOrder;

use super::Manifest;
use crate::{kinds::Kind, labels};

/// Name of the policy that closes a namespace.
pub const DEFAULT_DENY: &str = "lectern-default-deny";

pub fn default_deny(course: &Course) -> Manifest {
    let spec = json!({ "podSelector": {}, "policyTypes": ["Ingress", "Egress"] });
    Manifest::new(Kind::NetworkPolicy, &course.namespace, DEFAULT_DENY, &labels::of_course(course), json!({ "spec": spec }))
}

pub fn of_lab(order: &LabOrder) -> Manifest {
    let lab = &order.lab;
    let spec = spec(lab.id, &json!(lab.spec.port));
    Manifest::new(Kind::NetworkPolicy, &lab.namespace, &lab.name, &labels::of_lab(order), json!({ "spec": spec }))
}

/// Connections that a lab may accept and make. `port`: that of its application; the portal's proxy reaches the ports that people may open
/// beside it too.
pub fn spec(lab: LabId, port: &Value) -> Value {
    let own_pods = json!({ "matchLabels": { labels::LAB: lab.to_string() } });
    json!({
        "podSelector": own_pods,
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            { "from": [{ "podSelector": own_pods }] },
            {
                // Both selectors in one entry: a pod that calls itself lectern in another namespace is not let in.
                "from": [{
                    "namespaceSelector": { "matchLabels": { labels::PORTAL: "true" } },
                    "podSelector": { "matchLabels": { "app.kubernetes.io/name": "lectern" } },
                }],
                "ports": [
                    { "protocol": "TCP", "port": port },
                    { "protocol": "TCP", "port": PORTS.start(), "endPort": PORTS.end() },
                ],
            },
        ],
        "egress": [
            { "to": [{ "podSelector": own_pods }] },
            name_service(),
            { "to": internet() },
        ],
    })
}

/// DNS in the cluster: CoreDNS by its usual label, and the cache that some clusters run on every node.
fn name_service() -> Value {
    json!({
        "to": [
            { "namespaceSelector": {}, "podSelector": { "matchLabels": { "k8s-app": "kube-dns" } } },
            { "ipBlock": { "cidr": "169.254.20.10/32" } },
        ],
        "ports": [{ "protocol": "UDP", "port": 53 }, { "protocol": "TCP", "port": 53 }],
    })
}

fn internet() -> Value {
    // 169.254.0.0/16 holds the metadata service of clouds, which gives out credentials.
    let private = ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"];
    json!([
        { "ipBlock": { "cidr": "0.0.0.0/0", "except": private } },
        { "ipBlock": { "cidr": "::/0", "except": ["fc00::/7", "fe80::/10"] } },
    ])
}
