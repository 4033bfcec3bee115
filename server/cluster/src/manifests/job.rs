//! Distributed training: an indexed Job whose pods are the ranks, with the environment that `torchrun` and `init_process_group` read.
//!
//! A server before 1.24 has no stable indexed Jobs: there the pods run without a rank or a first one to meet at, which is enough for
//! single-node jobs and for tests.

use serde_json::{Value, json};
use services::ports::LabOrder;

use super::{Manifest, pod};
use crate::{capabilities::Capabilities, kinds::Kind, labels};

/// PyTorch's own default.
pub const MASTER_PORT: u16 = 29_500;
/// Where the Job controller notes a pod's index.
const INDEX: &str = "metadata.annotations['batch.kubernetes.io/job-completion-index']";

pub fn job(order: &LabOrder, capabilities: Capabilities) -> Manifest {
    let lab = &order.lab;
    let nodes = lab.spec.nodes;
    let mut template = pod::template(order, environment(order, capabilities));
    let pod = &mut template["spec"];
    // Gives each pod the name `<job>-<index>.<service>`.
    pod["subdomain"] = Value::from(lab.name.clone());
    pod["restartPolicy"] = Value::from("Never");
    pod["containers"][0]["ports"] = json!([{ "name": "rendezvous", "protocol": "TCP", "containerPort": MASTER_PORT }]);
    let mut spec = json!({
        "parallelism": nodes,
        "completions": nodes,
        // A rank that died cannot rejoin the others: say so at once and let the cards go.
        "backoffLimit": 0,
        "template": template,
    });
    if capabilities.indexed_jobs {
        spec["completionMode"] = Value::from("Indexed");
    }
    Manifest::new(Kind::Job, &lab.namespace, &lab.name, &labels::of_lab(order), json!({ "spec": spec }))
}

/// For processes started one a node (`MASTER_*`, `WORLD_SIZE`, `RANK`), and `torchrun`'s defaults (`PET_*`), which starts one a card.
fn environment(order: &LabOrder, capabilities: Capabilities) -> Vec<(&'static str, Value)> {
    let spec = &order.lab.spec;
    let text = |value: String| json!({ "value": value });
    let mut all = vec![
        ("MASTER_PORT", text(MASTER_PORT.to_string())),
        ("WORLD_SIZE", text(spec.nodes.to_string())),
        ("PET_MASTER_PORT", text(MASTER_PORT.to_string())),
        ("PET_NNODES", text(spec.nodes.to_string())),
        ("PET_NPROC_PER_NODE", text(spec.cards_per_node.max(1).to_string())),
    ];
    if capabilities.indexed_jobs {
        let first = format!("{0}-0.{0}", order.lab.name);
        let index = json!({ "valueFrom": { "fieldRef": { "apiVersion": "v1", "fieldPath": INDEX } } });
        all.extend([("MASTER_ADDR", text(first.clone())), ("PET_MASTER_ADDR", text(first)), ("RANK", index.clone()), ("PET_NODE_RANK", index)]);
    }
    all
}
