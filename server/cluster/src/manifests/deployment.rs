//! Editors, shells and inference services: a Deployment whose pods answer on one port. Replicas of a service share the volume.

use domain::catalogue::Workload;
use serde_json::{Value, json};
use services::ports::LabOrder;

use super::{Manifest, pod};
use crate::{kinds::Kind, labels};

pub fn deployment(order: &LabOrder) -> Manifest {
    let lab = &order.lab;
    let port = lab.spec.port;
    let name = port_name(lab.spec.workload);
    let mut template = pod::template(order, Vec::new());
    let container = &mut template["spec"]["containers"][0];
    container["ports"] = json!([{ "name": name, "protocol": "TCP", "containerPort": port }]);
    container["readinessProbe"] = answers(lab.spec.health_path.as_deref(), port);
    template["spec"]["restartPolicy"] = Value::from("Always");
    let spec = json!({
        "replicas": lab.spec.nodes,
        "revisionHistoryLimit": 1,
        // A new pod would wait for the card and the volume that the old one still holds.
        "strategy": { "type": "Recreate" },
        "selector": { "matchLabels": { labels::LAB: lab.id.to_string() } },
        "template": template,
    });
    Manifest::new(Kind::Deployment, &lab.namespace, &lab.name, &labels::of_lab(order), json!({ "spec": spec }))
}

/// Ready means that it answers, not that a process exists: readiness starts the bill.
fn answers(path: Option<&str>, port: u16) -> Value {
    match path {
        Some(path) => json!({ "httpGet": { "path": path, "port": port }, "periodSeconds": 2, "timeoutSeconds": 2, "failureThreshold": 3 }),
        None => json!({ "tcpSocket": { "port": port }, "periodSeconds": 2, "timeoutSeconds": 2, "failureThreshold": 3 }),
    }
}

pub const fn port_name(workload: Workload) -> &'static str {
    if matches!(workload, Workload::Shell) { "ssh" } else { "http" }
}
