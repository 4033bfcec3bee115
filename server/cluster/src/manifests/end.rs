//! When the cluster ends a lab automatically: the deadline of a Job, and the timer for all other workloads (see `crate::end`).

use domain::time::Timestamp;
use serde_json::{Value, json};
use services::ports::LabOrder;

use super::{Manifest, container};
use crate::{kinds::Kind, labels};

/// Seconds that the cluster waits beyond the lab's end. The portal stops the lab on time; the delay leaves room for a last-minute
/// extension.
const GRACE_SECONDS: i64 = 15;
/// Minutes that a lab may take to start before its time begins.
const START_MINUTES: i64 = 4 * 60;

/// Name of the Job that ends the lab's workload.
pub fn timer_name(lab: &str) -> String {
    format!("{lab}-end")
}

/// Seconds from `from` to the end of the lab's time.
pub fn seconds(order: &LabOrder, from: Timestamp) -> i64 {
    let lab = &order.lab;
    let end = lab.stops_at().unwrap_or_else(|| order.at.plus_minutes(i64::from(lab.minutes) + START_MINUTES));
    (end.seconds_since(from) + GRACE_SECONDS).max(1)
}

/// A Job that makes no pods and fails at the end of the lab's time. `from`: the portal's clock when the Job was made.
pub fn timer(order: &LabOrder, from: Timestamp) -> Manifest {
    let lab = &order.lab;
    // The pods are never made, but their template still has to be valid in the namespace.
    let modest = json!({ "cpu": "100m", "memory": "64Mi" });
    let pod = json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
        "containers": [{
            "name": "none",
            "image": lab.spec.image,
            "resources": { "requests": modest, "limits": modest },
            "securityContext": container::hardened(),
        }],
    });
    let spec = json!({
        "parallelism": 0,
        "completions": 1,
        "backoffLimit": 0,
        "activeDeadlineSeconds": seconds(order, from),
        "ttlSecondsAfterFinished": 0,
        "template": { "spec": pod },
    });
    let mut timer = Manifest::new(Kind::Job, &lab.namespace, &timer_name(&lab.name), &labels::of_lab(order), json!({ "spec": spec }));
    timer.body["metadata"]["annotations"] = counts_from(from);
    timer
}

/// Sets the deadline of a lab's own Job.
pub fn bound(mut job: Manifest, order: &LabOrder) -> Manifest {
    job.body["metadata"]["annotations"] = counts_from(order.at);
    job.body["spec"]["activeDeadlineSeconds"] = json!(seconds(order, order.at));
    job
}

fn counts_from(from: Timestamp) -> Value {
    json!({ labels::COUNTS_FROM: from.to_rfc3339() })
}
