//! When the observed events of a lab took place, by the cluster's clock: the portal may notice them much later.

use domain::{labs::ObservedPhase, time::Timestamp};
use k8s_openapi::api::core::v1::{ContainerState, Pod};

use super::seen::{Seen, Workload, is_ready, pod_condition, pod_phase, stamp};

/// Since when the last pod is ready. Ranks that have completed were ready before.
pub fn ready_since(seen: &Seen) -> Option<Timestamp> {
    seen.pods.iter().filter_map(|pod| since(pod, "True")).max()
}

/// When the lab ended, failed, or lost its first pod.
pub fn ended_at(seen: &Seen, phase: ObservedPhase) -> Option<Timestamp> {
    match phase {
        ObservedPhase::Finished => completed(seen).or_else(|| seen.pods.iter().filter_map(finished_at).max()),
        ObservedPhase::Failed => {
            let told = seen.job_condition("Failed").and_then(|condition| condition.last_transition_time.as_ref()).map(stamp);
            losses(seen).chain(told).min()
        }
        ObservedPhase::Progressing => losses(seen).min(),
        ObservedPhase::Absent | ObservedPhase::Idle | ObservedPhase::Ready => None,
    }
}

/// When pods were lost that nothing has replaced. One that did its work was not lost; and one that failed before another was made in its place
/// (another try of a Job, a pod after an eviction) did not end the lab.
fn losses(seen: &Seen) -> impl Iterator<Item = Timestamp> {
    let lost = seen.pods.iter().filter(|pod| pod_phase(pod) != "Succeeded").filter_map(|pod| Some((pod, lost_at(pod)?)));
    let made_after = |pod: &Pod, at: Timestamp| pod.metadata.creation_timestamp.as_ref().is_some_and(|made| stamp(made) >= at);
    lost.filter(move |(pod, at)| !seen.pods.iter().any(|other| !std::ptr::eq(*pod, other) && made_after(other, *at))).map(|(_, at)| at)
}

fn completed(seen: &Seen) -> Option<Timestamp> {
    match &seen.workload {
        Some(Workload::Job(job)) => job.status.as_ref()?.completion_time.as_ref().map(stamp),
        _ => None,
    }
}

/// When the lab's container ended for the last time; `None` while it runs.
fn finished_at(pod: &Pod) -> Option<Timestamp> {
    let containers = pod.status.as_ref()?.container_statuses.as_ref()?;
    let ends = containers.iter().filter_map(|container| match container.state.as_ref()? {
        ContainerState { terminated: Some(end), .. } => end.finished_at.as_ref().map(stamp),
        _ => None,
    });
    ends.max()
}

/// Since when a pod is no longer ready, or the end of its container if that was earlier. For a pod that was never ready this is its
/// beginning: nothing was lost.
fn lost_at(pod: &Pod) -> Option<Timestamp> {
    if is_ready(pod) {
        return None;
    }
    since(pod, "False").or_else(|| since(pod, "Unknown")).into_iter().chain(finished_at(pod)).min()
}

fn since(pod: &Pod, status: &str) -> Option<Timestamp> {
    let condition = pod_condition(pod, "Ready").filter(|condition| condition.status == status)?;
    condition.last_transition_time.as_ref().map(stamp)
}
