//! When the cluster ends a lab by itself: the deadline of a Job, and the timer of everything else (see `crate::end`).

use domain::time::Timestamp;
use serde_json::{Value, json};
use services::ports::LabOrder;

use super::{Manifest, container};
use crate::{kinds::Kind, labels};

/// The portal stops a lab on the second. The cluster waits so much longer, so that an extension in the last moment is in time.
const GRACE_SECONDS: i64 = 15;
/// How long a lab whose time has not begun may take to come up.
const START_MINUTES: i64 = 4 * 60;

/// Of the Job that ends the lab's workload.
pub fn timer_name(lab: &str) -> String {
    format!("{lab}-end")
}

/// Seconds from `from` to the end of the lab's time.
pub fn seconds(order: &LabOrder, from: Timestamp) -> i64 {
    let lab = &order.lab;
    let end = lab.stops_at().unwrap_or_else(|| order.at.plus_minutes(i64::from(lab.minutes) + START_MINUTES));
    (end.seconds_since(from) + GRACE_SECONDS).max(1)
}

/// A Job that makes no pods and fails at the end of the lab's time. `from`: the portal's clock when it was made.
pub fn timer(order: &LabOrder, from: Timestamp) -> Manifest {
    let lab = &order.lab;
    // What is never made still has to be something that the namespace would allow.
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

/// Gives a lab's own Job its deadline.
pub fn bound(mut job: Manifest, order: &LabOrder) -> Manifest {
    job.body["metadata"]["annotations"] = counts_from(order.at);
    job.body["spec"]["activeDeadlineSeconds"] = json!(seconds(order, order.at));
    job
}

fn counts_from(from: Timestamp) -> Value {
    json!({ labels::COUNTS_FROM: from.to_rfc3339() })
}
