//! How a lab is reached: a notebook at one address for the proxy, the ranks of a job at a name each.

use domain::catalogue::Workload;
use serde_json::json;
use services::ports::LabOrder;

use super::{Manifest, job};
use crate::{kinds::Kind, labels};

pub fn service(order: &LabOrder) -> Manifest {
    let lab = &order.lab;
    let selector = json!({ labels::LAB: lab.id.to_string() });
    let spec = match lab.spec.workload {
        Workload::Notebook => json!({
            "type": "ClusterIP",
            "selector": selector,
            "ports": [{ "name": "http", "protocol": "TCP", "port": lab.spec.port, "targetPort": lab.spec.port }],
        }),
        // Ranks look for the first one while they start, so names resolve before anything is ready.
        Workload::DistributedJob => json!({
            "type": "ClusterIP",
            "clusterIP": "None",
            "publishNotReadyAddresses": true,
            "selector": selector,
            "ports": [{ "name": "rendezvous", "protocol": "TCP", "port": job::MASTER_PORT, "targetPort": job::MASTER_PORT }],
        }),
    };
    Manifest::new(Kind::Service, &lab.namespace, &lab.name, &labels::of_lab(order), json!({ "spec": spec }))
}
