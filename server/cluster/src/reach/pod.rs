//! A pod before it is reached: whether it is still the one asked for, and where it is.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::Pod;
use services::ports::{ClusterError, PodTarget};

use crate::observe::pod_phase;

/// A pod that is the one asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// `None` until its network is made.
    Alive(Option<IpAddr>),
    /// It ran to its end. It still shows its address, which may belong to another pod by now.
    Over,
}

/// Compares the pod of the target's name with the target. Errors: `Busy` if there is none, if it is another one, if it is ending, or if it has
/// no node yet: the server answers the log of such a pod with an empty one.
pub fn check_pod(pod: Option<&Pod>, target: &PodTarget) -> Result<Found, ClusterError> {
    let name = &target.name;
    let Some(pod) = pod else { return Err(ClusterError::Busy(format!("pod {name} is gone"))) };
    if pod.metadata.uid.as_deref() != Some(target.uid.as_str()) {
        return Err(ClusterError::Busy(format!("pod {name} was replaced")));
    }
    if pod.metadata.deletion_timestamp.is_some() {
        return Err(ClusterError::Busy(format!("pod {name} is ending")));
    }
    if matches!(pod_phase(pod), "Succeeded" | "Failed") {
        return Ok(Found::Over);
    }
    if pod.spec.as_ref().is_none_or(|spec| spec.node_name.is_none()) {
        return Err(ClusterError::Busy(format!("pod {name} has no node yet")));
    }
    let address = pod.status.as_ref().and_then(|status| status.pod_ip.as_deref()).and_then(|address| address.parse().ok());
    Ok(Found::Alive(address))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use serde_json::{Value, json};

    use super::*;

    fn target() -> PodTarget {
        PodTarget { namespace: "lectern-x".into(), name: "lab-7-0".into(), uid: "u1".into() }
    }

    fn found(metadata: &Value, status: &Value) -> Result<Found, ClusterError> {
        let spec = json!({ "nodeName": "n1", "containers": [] });
        let pod = serde_json::from_value(json!({ "metadata": metadata, "spec": spec, "status": status })).expect("a pod");
        check_pod(Some(&pod), &target())
    }

    #[test]
    fn a_pod_that_is_gone_or_ending_or_unplaced_or_another_one_is_not_reached() {
        let ending = json!({ "name": "lab-7-0", "uid": "u1", "deletionTimestamp": "2026-11-21T10:00:00Z" });
        let unplaced = serde_json::from_value(json!({ "metadata": { "name": "lab-7-0", "uid": "u1" } })).expect("a pod");
        let cases = [
            check_pod(Some(&unplaced), &target()),
            check_pod(None, &target()),
            found(&json!({ "name": "lab-7-0", "uid": "u2" }), &json!({ "phase": "Running" })),
            found(&json!({ "name": "lab-7-0" }), &json!({ "phase": "Running" })),
            found(&ending, &json!({ "phase": "Running" })),
        ];
        for case in cases {
            assert!(matches!(case, Err(ClusterError::Busy(_))), "{case:?}");
        }
    }

    #[test]
    fn the_address_of_a_pod_that_ran_to_its_end_is_not_used() {
        let metadata = json!({ "name": "lab-7-0", "uid": "u1" });
        let of = |phase: &str| found(&metadata, &json!({ "phase": phase, "podIP": "10.0.0.7" })).expect("the pod");
        assert_eq!(of("Running"), Found::Alive(Some(Ipv4Addr::new(10, 0, 0, 7).into())));
        assert_eq!((of("Succeeded"), of("Failed")), (Found::Over, Found::Over));
        let pending = found(&metadata, &json!({ "phase": "Pending" }));
        assert_eq!(pending.expect("the pod"), Found::Alive(None));
    }
}
