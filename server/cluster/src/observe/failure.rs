//! Which reports mean that a lab will not come up by itself. To wait for a card is not a failure: an unschedulable pod is a condition only.

use std::time::Duration;

use domain::time::Timestamp;
use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Event, Pod};

use super::{
    events,
    seen::{self, Seen, Workload},
};

/// Reasons for which the kubelet keeps a container waiting although it tries again by itself.
const STUCK: [&str; 6] =
    ["ErrImagePull", "ImagePullBackOff", "CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "RunContainerError"];
/// Reasons that no trying again can change.
const HOPELESS: [&str; 2] = ["InvalidImageName", "ErrImageNeverPull"];
/// What a registry says when the image will not come, unlike when the registry is away.
const NOT_TO_BE_HAD: [&str; 4] = ["not found", "manifest unknown", "denied", "unauthorized"];

/// How long a container may be stuck: registries and networks have their moments, and failing takes the lab's cards away.
const STUCK_FOR: Duration = Duration::from_secs(30);
/// As many starts tell that a program does not run, however quickly they came.
const CRASHES: i32 = 3;

/// Seconds that pods must have been refused: a quota is over for a moment whenever one lab ends as another starts.
const REFUSED_FOR: i64 = 15;

/// Reason and message. `QuotaExceeded` and `VolumeLost` are our words, the others are those of Kubernetes.
pub fn failure(seen: &Seen) -> Option<(String, String)> {
    if let Some(condition) = seen.job_condition("Failed") {
        let reason = condition.reason.clone().unwrap_or_else(|| "JobFailed".into());
        let message = condition.message.clone().unwrap_or_default();
        let exit = seen.pods.iter().find_map(exit);
        return Some((reason, [message].into_iter().chain(exit).collect::<Vec<_>>().join("; ")));
    }
    if seen.wanted() == 0 {
        return None;
    }
    stuck(seen).or_else(|| volume_lost(seen)).or_else(|| refused(seen).filter(Refusal::lasts).map(|refusal| (refusal.reason, refusal.message)))
}

fn stuck(seen: &Seen) -> Option<(String, String)> {
    seen.pods.iter().filter(|pod| !seen::is_ending(pod)).find_map(|pod| {
        let (reason, message) = waiting(pod)?;
        (HOPELESS.contains(&reason) || (STUCK.contains(&reason) && is_lasting(seen, pod)))
            .then(|| (reason.to_owned(), format!("{}: {}", seen::pod_name(pod), told(seen, pod).unwrap_or(message))))
    })
}

/// Whether a container of the pod waits for what may or may not heal.
pub fn is_stuck(pod: &Pod) -> bool {
    waiting(pod).is_some_and(|(reason, _)| STUCK.contains(&reason))
}

fn is_lasting(seen: &Seen, pod: &Pod) -> bool {
    let waited = pod.metadata.uid.as_ref().and_then(|uid| seen.stuck.get(uid)).copied().unwrap_or_default();
    waited >= STUCK_FOR || told(seen, pod).is_some() || containers(pod).any(|container| container.restart_count >= CRASHES)
}

/// That the image is not to be had, in the words of the container or of an event.
fn told<'a>(seen: &'a Seen, pod: &'a Pod) -> Option<&'a str> {
    let (reason, message) = waiting(pod)?;
    if !reason.contains("Image") {
        return None;
    }
    let name = pod.metadata.name.as_deref();
    let failures = seen.events.iter().filter(|event| event.reason.as_deref() == Some("Failed") && event.involved_object.name.as_deref() == name);
    let messages = std::iter::once(message).chain(failures.map(events::message));
    messages.into_iter().find(|message| NOT_TO_BE_HAD.iter().any(|words| message.contains(words)))
}

/// Why a container of the pod waits, the fetching of code included.
pub fn waiting(pod: &Pod) -> Option<(&str, &str)> {
    containers(pod).find_map(|container| {
        let waiting = container.state.as_ref()?.waiting.as_ref()?;
        Some((waiting.reason.as_deref()?, waiting.message.as_deref().unwrap_or_default()))
    })
}

fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let init = status.and_then(|status| status.init_container_statuses.as_ref()).into_iter().flatten();
    init.chain(status.and_then(|status| status.container_statuses.as_ref()).into_iter().flatten())
}

/// How a failed pod ended: `lab-7-0: exit code 1 (OOMKilled)`.
fn exit(pod: &Pod) -> Option<String> {
    containers(pod).find_map(|container| match container.state.as_ref() {
        Some(ContainerState { terminated: Some(end), .. }) if end.exit_code != 0 => {
            Some(format!("{}: exit code {} ({})", seen::pod_name(pod), end.exit_code, end.reason.as_deref().unwrap_or("Error")))
        }
        _ => None,
    })
}

fn volume_lost(seen: &Seen) -> Option<(String, String)> {
    let status = seen.volume.as_ref()?.status.as_ref()?;
    (status.phase.as_deref() == Some("Lost")).then(|| ("VolumeLost".into(), "the persistent volume of the claim is gone".into()))
}

/// Pods are missing because the cluster will not have them.
pub struct Refusal {
    pub reason: String,
    pub message: String,
    first: Timestamp,
    pub last: Timestamp,
}

impl Refusal {
    fn lasts(&self) -> bool {
        self.last.seconds_since(self.first) >= REFUSED_FOR
    }
}

/// What the controller says of pods that it could not make since the lab was last started.
pub fn refused(seen: &Seen) -> Option<Refusal> {
    let workload = seen.workload.as_ref()?;
    if seen.pods.len() >= seen.wanted() {
        return None;
    }
    let since = workload.applied_at();
    let kind = match workload {
        Workload::StatefulSet(_) => "StatefulSet",
        Workload::Job(_) => "Job",
        // It leaves the making of pods to its ReplicaSet, whose name it does not tell.
        Workload::Deployment(_) => "ReplicaSet",
    };
    let own = !matches!(workload, Workload::Deployment(_));
    let mut refusals: Vec<&Event> = seen
        .events
        .iter()
        .filter(|event| event.reason.as_deref() == Some("FailedCreate") && event.involved_object.kind.as_deref() == Some(kind))
        // An event of an object that had the same name before is about that one.
        .filter(|event| !own || event.involved_object.uid.is_none() || event.involved_object.uid == workload.metadata().uid)
        .filter(|event| since.is_none_or(|since| events::last(event).is_some_and(|last| last.seconds() >= since.seconds())))
        .collect();
    refusals.sort_by_key(|event| events::last(event));
    let latest = refusals.last()?;
    let message = events::message(latest).to_owned();
    let reason = if message.contains("exceeded quota") { "QuotaExceeded" } else { "FailedCreate" };
    let last = events::last(latest)?;
    let first = refusals.iter().filter_map(|event| events::first(event)).min().unwrap_or(last);
    let first = since.map_or(first, |since| first.max(since)).min(last);
    Some(Refusal { reason: reason.into(), message, first, last })
}
