//! What a failed call means to a reconcile loop: wait for the cluster, try again soon, or give up.

use std::{error::Error, time::Duration};

use kube::core::Status;
use services::ports::ClusterError;

/// How long one call may take, the client's own retries of 429, 503 and 504 included.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// Runs one call with a deadline.
pub async fn within<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, ClusterError> {
    match tokio::time::timeout(DEADLINE, call).await {
        Ok(answer) => answer.map_err(|error| of_kube(&error)),
        Err(_) => Err(ClusterError::Away(format!("no answer within {} s", DEADLINE.as_secs()))),
    }
}

pub fn of_kube(error: &kube::Error) -> ClusterError {
    match error {
        kube::Error::Api(status) => of_status(status),
        kube::Error::BuildRequest(source) => ClusterError::Refused { reason: "BadRequest".into(), message: source.to_string() },
        _ => ClusterError::Away(chain(error)),
    }
}

fn of_status(status: &Status) -> ClusterError {
    let message = || if status.message.is_empty() { status.reason.clone() } else { status.message.clone() };
    match status.code {
        // A token that is refused is the operator's to renew; no lab is at fault, so its work waits.
        401 => ClusterError::Away(format!("the cluster does not accept Lectern's credentials: {}", message())),
        403 if is_ending(status) => ClusterError::Busy(message()),
        // What was to be changed went away meanwhile, or is another's change ahead of ours.
        404 | 409 | 410 => ClusterError::Busy(message()),
        408 | 425 | 429 => ClusterError::Away(message()),
        400..500 => ClusterError::Refused { reason: status.reason.clone(), message: message() },
        _ => ClusterError::Away(message()),
    }
}

/// Whether a namespace that is being deleted is why nothing can be made in it.
fn is_ending(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating") || status.message.contains("because it is being terminated")
}

/// The error with its causes, which is where "connection refused" is said.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn meaning(body: serde_json::Value) -> ClusterError {
        of_status(&serde_json::from_value(body).expect("a status"))
    }

    #[test]
    fn a_refusal_keeps_the_reason_of_kubernetes() {
        let error = meaning(json!({"code": 422, "reason": "Invalid", "message": "spec: Invalid value"}));
        assert!(matches!(error, ClusterError::Refused { reason, .. } if reason == "Invalid"));
        let error = meaning(json!({"code": 403, "reason": "Forbidden", "message": "exceeded quota: lectern"}));
        assert!(matches!(error, ClusterError::Refused { reason, .. } if reason == "Forbidden"));
    }

    #[test]
    fn a_namespace_that_is_ending_asks_to_wait() {
        let error = meaning(
            json!({"code": 403, "reason": "Forbidden", "message": "unable to create", "details": {"causes": [{"reason": "NamespaceTerminating", "message": "x", "field": "y"}]}}),
        );
        assert!(matches!(error, ClusterError::Busy(_)), "{error:?}");
        assert!(matches!(meaning(json!({"code": 409, "reason": "Conflict", "message": "changed"})), ClusterError::Busy(_)));
    }

    #[test]
    fn an_overloaded_or_broken_server_is_away() {
        for code in [401, 429, 500, 502, 503, 504] {
            assert!(matches!(meaning(json!({"code": code, "reason": "x", "message": "y"})), ClusterError::Away(_)), "{code}");
        }
    }
}
