//! The meaning of a refused call to a pod. The API server passes such calls on to the pod's node, so many refusals are about the pod or its
//! node alone, and say nothing about the cluster.

use kube::{client::UpgradeConnectionError, core::Status};
use services::ports::ClusterError;

use crate::errors::{chain, of_kube, of_status};

/// Parts of the messages about a container that has not started, of a pod without a node, and of an init container before its turn.
const NOT_STARTED: [&str; 3] = ["is waiting to start", "does not have a host assigned", "is not available"];
/// Part of the API server's message about a node that it cannot reach.
const NODE_AWAY: [&str; 4] = ["error dialing backend", "dial tcp", "no preferred addresses found", "No agent available"];
/// The reason that kube gives to an answer that is plain text. The API server itself answers in JSON, nodes do not.
const PLAIN_TEXT: &str = "Failed to parse error data";

pub fn of_call(error: &kube::Error) -> ClusterError {
    match error {
        kube::Error::Api(status) => of_answer(status),
        kube::Error::UpgradeConnection(UpgradeConnectionError::GetPendingUpgrade(_)) => ClusterError::Away(chain(error)),
        // A proxy on the way to the API server lets no WebSocket through.
        kube::Error::UpgradeConnection(_) => ClusterError::Refused { reason: "NoWebSocket".into(), message: chain(error) },
        _ => of_kube(error),
    }
}

fn of_answer(status: &Status) -> ClusterError {
    let says = |parts: &[&str]| parts.iter().any(|part| status.message.contains(part));
    let waits = match status.code {
        400 => says(&NOT_STARTED),
        // A node says so of a container that is not running.
        500 => status.reason == PLAIN_TEXT || says(&NODE_AWAY),
        502..=504 => says(&NODE_AWAY),
        _ => false,
    };
    if waits { ClusterError::Busy(status.message.clone()) } else { of_status(status) }
}

#[cfg(test)]
mod tests {
    use domain::cluster::Obstacle;
    use serde_json::json;

    use super::*;

    fn meaning(code: u16, reason: &str, message: &str) -> ClusterError {
        let status: Status = serde_json::from_value(json!({ "code": code, "reason": reason, "message": message })).expect("a status");
        of_call(&kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn a_container_that_has_not_started_asks_to_wait_and_one_that_does_not_exist_does_not() {
        let waiting = meaning(400, "BadRequest", r#"container "lab" in pod "lab-7-0" is waiting to start: ContainerCreating"#);
        assert!(matches!(waiting, ClusterError::Busy(_)), "{waiting:?}");
        let unplaced = meaning(400, "BadRequest", "pod lab-7-0 does not have a host assigned");
        assert!(matches!(unplaced, ClusterError::Busy(_)), "{unplaced:?}");
        for message in ["container x is not valid for pod lab-7-0", r#"previous terminated container "lab" in pod "lab-7-0" not found"#] {
            let unknown = meaning(400, "BadRequest", message);
            assert!(matches!(&unknown, ClusterError::Refused { reason, .. } if reason == "BadRequest"), "{unknown:?}");
        }
    }

    #[test]
    fn a_node_that_is_away_or_refuses_says_nothing_about_the_cluster() {
        let dead = meaning(500, "InternalError", "error dialing backend: dial tcp 10.0.0.5:10250: connect: connection refused");
        assert!(matches!(dead, ClusterError::Busy(_)), "{dead:?}");
        let stopped = meaning(500, PLAIN_TEXT, r#"container not found ("lab")"#);
        assert!(matches!(stopped, ClusterError::Busy(_)), "{stopped:?}");
        let broken = meaning(500, "InternalError", "etcdserver: request timed out");
        assert!(matches!(broken, ClusterError::Away(_)), "{broken:?}");
        let between = meaning(502, PLAIN_TEXT, "<html>Bad Gateway</html>");
        assert!(matches!(between, ClusterError::Away(_)), "{between:?}");
    }

    #[test]
    fn a_missing_right_is_named_with_its_subresource() {
        let message = r#"pods "lab-7-0" is forbidden: User "u" cannot create resource "pods/exec" in API group "" in the namespace "lectern-x""#;
        let error = meaning(403, "Forbidden", message);
        let expected = Obstacle::MissingRight { verb: "create".into(), resource: "pods/exec".into() };
        assert!(matches!(&error, ClusterError::Blocked(obstacle) if *obstacle == expected), "{error:?}");
    }
}
