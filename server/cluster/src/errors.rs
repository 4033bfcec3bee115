//! The meaning of a failed call to a reconcile loop: wait for the cluster, try again soon, or give up.

use std::{error::Error, time::Duration};

use domain::cluster::Obstacle;
use kube::core::Status;
use services::ports::ClusterError;
use tokio::time::Instant;

use crate::client::Kubernetes;

/// Deadline of a call that reads, including the client's own retries of 429, 503 and 504.
pub const DEADLINE: Duration = Duration::from_secs(5);
/// Deadline of a call that changes something: the API server waits up to 30 s for an admission webhook.
const CHANGE_DEADLINE: Duration = Duration::from_secs(35);
/// Most characters of a webhook's failure that operators are shown.
const LONGEST_FAILURE: usize = 500;

impl Kubernetes {
    /// Runs a call that changes something. A webhook may delay it, so the server's version is read before the call is given up.
    pub(crate) async fn change<T>(&self, call: impl Future<Output = kube::Result<T>>) -> Result<T, ClusterError> {
        tokio::pin!(call);
        let end = Instant::now() + CHANGE_DEADLINE;
        loop {
            match tokio::time::timeout(DEADLINE, &mut call).await {
                Ok(answer) => return answer.map_err(|error| of_kube(&error)),
                Err(_) if Instant::now() >= end => {
                    return Err(ClusterError::Busy(format!("the change was not answered within {} s", CHANGE_DEADLINE.as_secs())));
                }
                // If the version cannot be read either, the server is the problem, and its error is returned.
                Err(_) => drop(self.version().await?),
            }
        }
    }
}

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

pub fn of_status(status: &Status) -> ClusterError {
    let message = || if status.message.is_empty() { status.reason.clone() } else { status.message.clone() };
    match status.code {
        // A token that is refused is the operator's to renew; no lab is at fault, so its work waits.
        401 => ClusterError::Blocked(Obstacle::Credentials),
        403 if is_ending(status) => ClusterError::Busy(message()),
        403 if let Some(obstacle) = missing_right(&status.message) => ClusterError::Blocked(obstacle),
        403 if status.message.contains("exceeded quota") => ClusterError::Refused { reason: "QuotaExceeded".into(), message: message() },
        // What was to be changed went away meanwhile, or is another's change ahead of ours.
        404 | 409 | 410 => ClusterError::Busy(message()),
        408 | 425 | 429 => ClusterError::Away(message()),
        400..500 => ClusterError::Refused { reason: status.reason.clone(), message: message() },
        // These errors concern one object: the server itself works.
        500 if let Some(obstacle) = failed_webhook(&status.message) => ClusterError::Blocked(obstacle),
        500 if status.message.starts_with("failed to create typed patch object") => {
            ClusterError::Refused { reason: "Invalid".into(), message: message() }
        }
        _ => ClusterError::Away(message()),
    }
}

/// Whether a namespace that is being deleted is why nothing can be made in it.
fn is_ending(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating") || status.message.contains("because it is being terminated")
}

/// The verb and the resource that the portal's role lacks, parsed from the authoriser's message: `... is forbidden: User "u" cannot list
/// resource "replicasets" in API group "apps" in the namespace "n"`.
fn missing_right(message: &str) -> Option<Obstacle> {
    let (_, rest) = message.split_once("User \"")?;
    let (_, rest) = rest.split_once("\" cannot ")?;
    let (verb, rest) = rest.split_once(' ')?;
    let quoted = |text: &str| text.split_once('"').map(|(inside, _)| inside.to_owned());
    let resource = if let Some(path) = rest.strip_prefix("path \"") {
        quoted(path)?
    } else {
        let rest = rest.strip_prefix("resource \"")?;
        let resource = quoted(rest)?;
        match rest.split_once("API group \"").and_then(|(_, group)| quoted(group)).filter(|group| !group.is_empty()) {
            Some(group) => format!("{resource}.{group}"),
            None => resource,
        }
    };
    Some(Obstacle::MissingRight { verb: verb.to_owned(), resource })
}

/// The webhook that failed: `Internal error occurred: failed calling webhook "name": failed to call webhook: Post ...: connection refused`,
/// `conversion webhook for group/v1, Kind=K failed: ...`.
fn failed_webhook(message: &str) -> Option<Obstacle> {
    let name = if let Some((_, rest)) = message.split_once("failed calling webhook \"") {
        rest.split_once('"')?.0.to_owned()
    } else {
        message.split_once("conversion webhook for ")?.1.split_once(" failed")?.0.to_owned()
    };
    Some(Obstacle::Webhook { name, message: message.chars().take(LONGEST_FAILURE).collect() })
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
        assert!(matches!(error, ClusterError::Refused { reason, .. } if reason == "QuotaExceeded"));
        let error = meaning(json!({"code": 403, "reason": "Forbidden", "message": "violates PodSecurity"}));
        assert!(matches!(error, ClusterError::Refused { reason, .. } if reason == "Forbidden"));
    }

    #[test]
    fn a_verb_that_the_role_lacks_is_named_and_waits() {
        let message = r#"replicasets.apps is forbidden: User "system:serviceaccount:lectern:lectern" cannot list resource "replicasets" in API group "apps" in the namespace "lectern-ai-cv""#;
        let ClusterError::Blocked(obstacle) = meaning(json!({"code": 403, "reason": "Forbidden", "message": message})) else { panic!("it waits") };
        assert_eq!(obstacle, Obstacle::MissingRight { verb: "list".into(), resource: "replicasets.apps".into() });
        let core = r#"pods is forbidden: User "u" cannot list resource "pods" in API group "" at the cluster scope"#;
        let right = |verb: &str, resource: &str| Some(Obstacle::MissingRight { verb: verb.into(), resource: resource.into() });
        assert_eq!(missing_right(core), right("list", "pods"));
        assert_eq!(missing_right(r#"forbidden: User "u" cannot get path "/version""#), right("get", "/version"));
        assert_eq!(missing_right("pods \"x\" is forbidden: exceeded quota: q"), None);
    }

    #[test]
    fn credentials_that_are_refused_wait() {
        let error = meaning(json!({"code": 401, "reason": "Unauthorized", "message": "Unauthorized"}));
        assert!(matches!(error, ClusterError::Blocked(Obstacle::Credentials)), "{error:?}");
    }

    #[test]
    fn a_webhook_that_fails_says_nothing_about_the_cluster() {
        let message = r#"Internal error occurred: failed calling webhook "pods.example.com": failed to call webhook: Post "https://hook.ns.svc:443/?timeout=10s": dial tcp 10.96.0.9:443: connect: connection refused"#;
        let ClusterError::Blocked(Obstacle::Webhook { name, message: told }) =
            meaning(json!({"code": 500, "reason": "InternalError", "message": message}))
        else {
            panic!("it waits")
        };
        assert_eq!((name.as_str(), told.as_str()), ("pods.example.com", message));
        let conversion = failed_webhook("conversion webhook for example.com/v1, Kind=Widget failed: no endpoints");
        assert!(matches!(conversion, Some(Obstacle::Webhook { name, .. }) if name == "example.com/v1, Kind=Widget"));
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
        for code in [429, 500, 502, 503, 504] {
            assert!(matches!(meaning(json!({"code": code, "reason": "x", "message": "y"})), ClusterError::Away(_)), "{code}");
        }
    }
}
