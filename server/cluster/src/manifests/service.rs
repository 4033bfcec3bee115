//! How a lab is reached: one address for the proxy, port 22 for a shell, a name for each rank of a job. Nobody reaches a batch job.

use domain::catalogue::Workload;
use serde_json::json;
use services::ports::LabOrder;

use super::{Manifest, deployment, job};
use crate::{kinds::Kind, labels};

const SSH: u16 = 22;

pub fn service(order: &LabOrder) -> Option<Manifest> {
    let lab = &order.lab;
    let selector = json!({ labels::LAB: lab.id.to_string() });
    let spec = match lab.spec.workload {
        Workload::BatchJob => return None,
        Workload::Notebook | Workload::CodeEditor | Workload::Shell | Workload::Inference => {
            // Nobody's root cannot listen on 22, so the shell's own port is another one.
            let port = if lab.spec.workload == Workload::Shell { SSH } else { lab.spec.port };
            let name = deployment::port_name(lab.spec.workload);
            json!({
                "type": "ClusterIP",
                "selector": selector,
                "ports": [{ "name": name, "protocol": "TCP", "port": port, "targetPort": lab.spec.port }],
            })
        }
        // Ranks look for the first one while they start, so names resolve before anything is ready.
        Workload::DistributedJob => json!({
            "type": "ClusterIP",
            "clusterIP": "None",
            "publishNotReadyAddresses": true,
            "selector": selector,
            "ports": [{ "name": "rendezvous", "protocol": "TCP", "port": job::MASTER_PORT, "targetPort": job::MASTER_PORT }],
        }),
    };
    Some(Manifest::new(Kind::Service, &lab.namespace, &lab.name, &labels::of_lab(order), json!({ "spec": spec })))
}
