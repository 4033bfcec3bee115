//! A notebook: a StatefulSet of one, so that the pod keeps its name and never runs twice on one volume.

use serde_json::{Value, json};
use services::ports::LabOrder;

use super::{Manifest, pod};
use crate::{kinds::Kind, labels};

pub fn stateful_set(order: &LabOrder) -> Manifest {
    let lab = &order.lab;
    let port = lab.spec.port;
    let mut template = pod::template(order, Vec::new());
    let container = &mut template["spec"]["containers"][0];
    container["ports"] = json!([{ "name": "http", "protocol": "TCP", "containerPort": port }]);
    // Ready means that it answers, not that a process exists: readiness starts the bill.
    container["readinessProbe"] = json!({ "tcpSocket": { "port": port }, "periodSeconds": 2, "timeoutSeconds": 2, "failureThreshold": 3 });
    template["spec"]["restartPolicy"] = Value::from("Always");
    let spec = json!({
        "replicas": 1,
        "serviceName": lab.name,
        "revisionHistoryLimit": 1,
        "selector": { "matchLabels": { labels::LAB: lab.id.to_string() } },
        "template": template,
    });
    Manifest::new(Kind::StatefulSet, &lab.namespace, &lab.name, &labels::of_lab(order), json!({ "spec": spec }))
}
