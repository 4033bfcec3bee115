//! One word for a lab's state in the cluster.

use domain::labs::ObservedPhase;

use super::seen::Seen;

pub fn phase(seen: &Seen, failed: bool) -> ObservedPhase {
    let ending = seen.workload.as_ref().is_some_and(|workload| workload.metadata().deletion_timestamp.is_some());
    let wanted = seen.wanted();
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
