//! One word for a lab's state in the cluster.

use domain::labs::ObservedPhase;

use super::seen::Seen;

pub fn phase(seen: &Seen, failed: bool) -> ObservedPhase {
    let ending = seen.workload.as_ref().is_some_and(|workload| workload.metadata().deletion_timestamp.is_some());
    // If the number of pods differs from the order, another client changed it. Fewer pods are not enough; more are not waited for.
    let wanted = match (seen.wanted(), seen.ordered) {
        // Pods whose workload somebody deleted go on running until a new one adopts them, or until they are deleted.
        (0, Some(ordered)) if seen.workload.is_none() => ordered,
        (0, _) => 0,
        (wanted, ordered) => ordered.unwrap_or(wanted),
    };
    if seen.workload.is_none() && seen.pods.is_empty() && seen.volume.is_none() && seen.others.is_empty() {
        ObservedPhase::Absent
    } else if !ending && seen.job_condition("Complete").is_some() {
        ObservedPhase::Finished
    } else if failed {
        ObservedPhase::Failed
    } else if wanted > 0 && seen.ready() + seen.succeeded() >= wanted {
        ObservedPhase::Ready
    } else if seen.pods.is_empty() {
        ObservedPhase::Idle
    } else {
        ObservedPhase::Progressing
    }
}
