//! The lab's conditions in the order in which a start passes them, each one over all of its pods. Reasons are those of Kubernetes.

use domain::{
    labs::{Condition, ConditionStatus},
    time::Timestamp,
};
use k8s_openapi::api::core::v1::Pod;

use super::{
    events, failure,
    seen::{Seen, pod_condition, pod_name, stamp},
};

pub fn conditions(seen: &Seen) -> Vec<Condition> {
    let mut all = Vec::new();
    all.extend(volume(seen));
    all.extend(pods_created(seen));
    all.extend(over_pods(seen, "Scheduled", "PodScheduled"));
    let fetches_code =
        seen.pods.iter().any(|pod| pod.spec.as_ref().is_some_and(|spec| spec.init_containers.as_ref().is_some_and(|init| !init.is_empty())));
    if fetches_code {
        all.extend(over_pods(seen, "Initialized", "Initialized"));
    }
    all.extend(over_pods(seen, "Ready", "Ready"));
    for kind in ["Complete", "Failed"] {
        all.extend(seen.job_condition(kind).map(|condition| Condition {
            kind: kind.into(),
            status: ConditionStatus::True,
            reason: condition.reason.clone().unwrap_or_default(),
            message: condition.message.clone().unwrap_or_default(),
            since: condition.last_transition_time.as_ref().map(stamp),
        }));
    }
    all
}

fn volume(seen: &Seen) -> Option<Condition> {
    let claim = seen.volume.as_ref()?;
    // Its phase stays as it was until the last pod that uses it is gone.
    if let Some(at) = &claim.metadata.deletion_timestamp {
        let (kind, reason) = ("VolumeBound".into(), "Terminating".into());
        return Some(Condition { kind, status: ConditionStatus::False, reason, message: String::new(), since: Some(stamp(at)) });
    }
    let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending");
    // What holds up a claim is said in its events only.
    let told = seen
        .events
        .iter()
        .filter(|event| event.involved_object.kind.as_deref() == Some("PersistentVolumeClaim"))
        .max_by_key(|event| events::last(event));
    let (status, reason, message) = match (phase, told) {
        ("Bound", _) => {
            (ConditionStatus::True, "Bound".to_owned(), claim.spec.as_ref().and_then(|spec| spec.volume_name.clone()).unwrap_or_default())
        }
        ("Pending", Some(event)) => (ConditionStatus::False, event.reason.clone().unwrap_or_default(), events::message(event).to_owned()),
        (other, _) => (ConditionStatus::False, other.to_owned(), String::new()),
    };
    Some(Condition { kind: "VolumeBound".into(), status, reason, message, since: claim.metadata.creation_timestamp.as_ref().map(stamp) })
}

/// Only while pods are missing: then it says why.
fn pods_created(seen: &Seen) -> Option<Condition> {
    let (have, wanted) = (seen.pods.len(), seen.wanted());
    if have >= wanted || seen.job_condition("Complete").is_some() || seen.job_condition("Failed").is_some() {
        return None;
    }
    let (reason, message, since) = match failure::refused(seen) {
        Some(refusal) => (refusal.reason, refusal.message, Some(refusal.last)),
        None => ("Pending".into(), format!("{have}/{wanted}"), None),
    };
    Some(Condition { kind: "PodsCreated".into(), status: ConditionStatus::False, reason, message, since })
}

/// A condition of every pod as one: true when all have it, else the first pod that has not tells why.
fn over_pods(seen: &Seen, kind: &str, of_pod: &str) -> Option<Condition> {
    if seen.pods.is_empty() {
        return None;
    }
    let total = seen.pods.len();
    let met = seen.pods.iter().filter(|pod| has(pod, of_pod)).count();
    let changed: Option<Timestamp> = seen.pods.iter().filter_map(|pod| pod_condition(pod, of_pod)?.last_transition_time.as_ref().map(stamp)).max();
    let counted = |text: String| if total == 1 { text } else { format!("{met}/{total} {text}").trim_end().to_owned() };
    let condition = match seen.pods.iter().find(|pod| !has(pod, of_pod)) {
        None => {
            Condition { kind: kind.into(), status: ConditionStatus::True, reason: String::new(), message: counted(String::new()), since: changed }
        }
        Some(pod) => {
            let (reason, message) = why_not(seen, pod, of_pod);
            let told = if message.is_empty() { String::new() } else { format!("{}: {message}", pod_name(pod)) };
            Condition { kind: kind.into(), status: ConditionStatus::False, reason, message: counted(told), since: changed }
        }
    };
    Some(condition)
}

fn has(pod: &Pod, kind: &str) -> bool {
    pod_condition(pod, kind).is_some_and(|condition| condition.status == "True")
}

/// The container's own reason where it has one (`ImagePullBackOff` tells more than `ContainersNotReady`), else the condition's.
fn why_not(seen: &Seen, pod: &Pod, kind: &str) -> (String, String) {
    if kind != "PodScheduled"
        && let Some((reason, message)) = failure::waiting(pod)
    {
        return (reason.to_owned(), message.to_owned());
    }
    if kind == "Ready"
        && let Some(lost) = on_lost_node(seen, pod)
    {
        return lost;
    }
    let condition = pod_condition(pod, kind);
    let told = condition.and_then(|condition| condition.reason.clone()).filter(|reason| !reason.is_empty());
    // The phase is a poor reason why a condition is false; `Running` explains nothing.
    let reason = told.unwrap_or_else(|| match super::seen::pod_phase(pod) {
        "Running" => "ContainersNotReady".to_owned(),
        phase => phase.to_owned(),
    });
    (reason, condition.and_then(|condition| condition.message.clone()).unwrap_or_default())
}

/// Why a pod is not ready if its node stopped reporting: its own condition then has no reason, and its phase is still `Running`.
fn on_lost_node(seen: &Seen, pod: &Pod) -> Option<(String, String)> {
    let node = pod.spec.as_ref()?.node_name.as_deref()?;
    let has_reason = pod_condition(pod, "Ready").is_some_and(|condition| condition.reason.as_ref().is_some_and(|reason| !reason.is_empty()));
    let told =
        seen.events.iter().filter(|event| event.involved_object.name.as_deref() == Some(pod_name(pod))).max_by_key(|event| events::last(event));
    let is_lost = seen.lost_nodes.contains(node) || told.is_some_and(|event| event.reason.as_deref() == Some("NodeNotReady"));
    (is_lost && !has_reason).then(|| ("NodeNotReady".to_owned(), format!("the node {node} is not ready")))
}
