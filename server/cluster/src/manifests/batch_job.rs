//! A batch job: one pod that runs a command to its end, tried again as often as was ordered. Nothing connects to it, so it has no Service.

use serde_json::{Value, json};
use services::ports::LabOrder;

use super::{Manifest, pod};
use crate::{capabilities::Capabilities, kinds::Kind, labels};

pub fn batch_job(order: &LabOrder, capabilities: Capabilities) -> Manifest {
    let lab = &order.lab;
    let mut template = pod::template(order, Vec::new());
    template["spec"]["restartPolicy"] = Value::from("Never");
    let mut spec = json!({
        "parallelism": 1,
        "completions": 1,
        "backoffLimit": lab.spec.retries,
        "template": template,
    });
    if capabilities.pod_failure_policy {
        // A drain or a preemption is not a failure of the program, so it does not use up a retry.
        let disrupted = json!([{ "type": "DisruptionTarget", "status": "True" }]);
        spec["podFailurePolicy"] = json!({ "rules": [{ "action": "Ignore", "onPodConditions": disrupted }] });
    }
    Manifest::new(Kind::Job, &lab.namespace, &lab.name, &labels::of_lab(order), json!({ "spec": spec }))
}
