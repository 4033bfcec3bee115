//! What a lab's containers wrote, read from the cluster as it is asked for. Of a job whose pods are gone, the kept logs are read
//! ([`super::kept_logs`]). Who may read the lab may read its log, operators without a reason too: a log says why a lab does not start. For
//! people who may enter the lab that is two statements and no record. A reading by anybody else, operators and auditors, is a record
//! `lab.logs`, once in ten minutes for each container.

use bytes::Bytes;
use domain::{
    Error, Problem, Result,
    access::{Action, Actor, Resource},
    ids::LabId,
    labs::{KeptLog, Lab, LabPod, LabState},
    time::Timestamp,
};
use futures::{StreamExt as _, stream};
use serde_json::json;

use super::{kept_logs, load, transition, tries::Tries};
use crate::{
    Caller, Services, audit,
    error::OrDomain,
    ports::{ClusterError, LogRequest, LogStream, PodTarget},
    reach,
};

/// Seconds after which a cluster that does not answer is asked again.
const AGAIN_SECONDS: u32 = 5;

/// Which log is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogAsk {
    /// A pod of the lab by its name; the first one if not given, of a job the newest one.
    pub member: Option<String>,
    /// A container of the pod, which may be an init container; the first one that is none if not given.
    pub container: Option<String>,
    /// The run of the container before this one; of a job, the try before.
    pub previous: bool,
    /// Only so many of the last lines.
    pub tail: Option<u32>,
    /// Goes on with what is written from now on.
    pub follow: bool,
}

/// A log that is being read.
pub struct Log {
    pub lab_name: String,
    pub member: String,
    pub container: String,
    /// When it was kept, if its pod is gone.
    pub kept_at: Option<Timestamp>,
    pub pieces: LogStream,
}

/// The log of a container of the lab. It is recorded before anything is read.
///
/// Errors: `InvalidTransition` with the lab's state where the container has not started yet, or its pod is gone with its log; `NotFound` where
/// there was no earlier run; `Invalid` for a pod or container that the lab does not have; `Unavailable` while the cluster does not answer.
pub async fn logs(services: &Services, caller: &Caller, id: LabId, ask: &LogAsk) -> Result<Log> {
    let seen = load::seen(services, id).await?;
    let allowed = seen.as_ref().ok_or(Error::NotFound).and_then(|lab| load::authorise(caller, Action::LabRead, lab));
    if let Err(error) = allowed {
        let entry = transition::attempt(caller, Action::LabRead, id, seen.as_ref());
        return Err(audit::refused(services, caller, entry, error).await);
    }
    let lab = seen.ok_or(Error::NotFound)?;
    let (observed, kept) = {
        let mut read = services.db.read().await.or_domain()?;
        let observed = storage::observations::get(&mut read, id).await.or_domain()?;
        let kept = if lab.spec.workload.ends() { storage::lab_logs::of_lab(&mut read, id).await.or_domain()? } else { Vec::new() };
        (observed, kept)
    };
    let members = observed.map(|(observation, _)| observation.members).unwrap_or_default();
    let found = if lab.spec.workload.ends() {
        Tries::of(lab.state, lab.spec.workload, &members, &kept).find(ask)?
    } else {
        Place::of(chosen(lab.state, &members, ask)?, ask)
    };
    let (member, container) = found.names();
    if is_outsider(&caller.actor, &lab) {
        let what = json!({"pod": member, "container": container});
        let reading = audit::Entry::new("lab.logs", "lab", lab.id, lab.name.clone()).course(lab.course).after(what);
        audit::record_reading(services, caller, reading).await?;
    }
    let (pieces, kept_at) = match &found {
        Place::Pod { pod, container, previous, kept } => match (from_pod(services, &lab, pod, container, *previous, ask).await, kept) {
            (Ok(pieces), _) => (pieces, None),
            // The pod was deleted in this moment.
            (Err(ClusterError::Busy(_)), Some(log)) => from_kept(services, &lab, log, ask).await?,
            (Err(error), _) => return Err(refusal(&error, lab.state)),
        },
        Place::Kept(log) => from_kept(services, &lab, log, ask).await?,
    };
    Ok(Log { member: member.to_owned(), container: container.to_owned(), lab_name: lab.name.clone(), kept_at, pieces })
}

/// Where a log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'l> {
    /// In the cluster. `kept`: where it is once its pod is gone.
    Pod {
        pod: &'l LabPod,
        container: &'l str,
        previous: bool,
        kept: Option<&'l KeptLog>,
    },
    Kept(&'l KeptLog),
}

impl<'l> Place<'l> {
    fn of((pod, container): (&'l LabPod, &'l str), ask: &LogAsk) -> Self {
        Self::Pod { pod, container, previous: ask.previous, kept: None }
    }

    /// Of the pod and of the container.
    fn names(&self) -> (&'l str, &'l str) {
        match self {
            Self::Pod { pod, container, .. } => (pod.name.as_str(), container),
            Self::Kept(log) => (log.pod.as_str(), log.container.as_str()),
        }
    }
}

async fn from_pod(services: &Services, lab: &Lab, pod: &LabPod, container: &str, previous: bool, ask: &LogAsk) -> Result<LogStream, ClusterError> {
    let target = PodTarget { namespace: lab.namespace.clone(), name: pod.name.clone(), uid: pod.uid.clone() };
    let request = LogRequest { container: container.to_owned(), follow: ask.follow, previous, tail: ask.tail, since: None, timestamps: false };
    reach::logs(services, &target, &request).await
}

/// Errors: `NotFound` where the log could not be kept.
async fn from_kept(services: &Services, lab: &Lab, log: &KeptLog, ask: &LogAsk) -> Result<(LogStream, Option<Timestamp>)> {
    let text = kept_logs::text(services, lab, log, ask.tail).await?;
    Ok((stream::iter([Ok(Bytes::from(text))]).boxed(), Some(log.kept_at)))
}

/// Whether the person's roles do not let them enter the lab; scopes of a token do not count.
fn is_outsider(actor: &Actor, lab: &Lab) -> bool {
    let person = Actor { scopes: None, ..actor.clone() };
    actor.user != lab.owner && person.can(Action::LabEnter, &Resource::owned(lab.tenant, lab.course, lab.owner)).is_err()
}

/// There is no log in this state of the lab: nothing has started yet, or nothing is left.
pub(super) fn no_log(state: LabState) -> Error {
    Error::InvalidTransition { state: state.as_str().into(), event: "logs".into() }
}

/// The pod and its container that are asked for.
fn chosen<'m>(state: LabState, members: &'m [LabPod], ask: &LogAsk) -> Result<(&'m LabPod, &'m str)> {
    let first = members.first().ok_or_else(|| no_log(state))?;
    let member = match &ask.member {
        None => first,
        Some(name) => members
            .iter()
            .find(|member| member.name == *name)
            .ok_or_else(|| not_one_of("member", members.iter().map(|member| member.name.clone()).collect()))?,
    };
    let all = || member.containers.iter().chain(&member.init_containers);
    let container = match &ask.container {
        None => all().next().ok_or_else(|| no_log(state))?,
        Some(name) => all().find(|container| *container == name).ok_or_else(|| not_one_of("container", all().cloned().collect()))?,
    };
    Ok((member, container.as_str()))
}

pub(super) fn not_one_of(field: &str, choices: Vec<String>) -> Error {
    Error::field(field, Problem::NotOneOf { choices })
}

/// What the cluster's refusal means to the reader.
fn refusal(error: &ClusterError, state: LabState) -> Error {
    match error {
        ClusterError::Busy(_) => no_log(state),
        ClusterError::Refused { reason, .. } if matches!(reason.as_str(), "BadRequest" | "NotFound" | "NotSupported") => Error::NotFound,
        ClusterError::Away(_) | ClusterError::Blocked(_) | ClusterError::Refused { .. } => {
            tracing::warn!(%error, "a lab's log cannot be read");
            Error::Unavailable { retry_after_seconds: AGAIN_SECONDS }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str) -> LabPod {
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
        LabPod {
            name: name.into(),
            uid: format!("uid-{name}"),
            generation: 0,
            ready: true,
            containers: texts(&["main", "shell"]),
            init_containers: texts(&["clone"]),
            made_at: None,
            end: None,
        }
    }

    fn ask(member: &str, container: &str) -> LogAsk {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        LogAsk { member: given(member), container: given(container), ..LogAsk::default() }
    }

    #[test]
    fn the_first_container_that_is_no_init_container_is_read_unless_another_is_named() {
        let pods = [pod("lab-1-0"), pod("lab-1-1")];
        let found = |member, container| {
            let (member, container) = chosen(LabState::Running, &pods, &ask(member, container))?;
            Ok::<_, Error>((member.name.clone(), container.to_owned()))
        };
        let names = |member: &str, container: &str| Ok((member.to_owned(), container.to_owned()));
        assert_eq!(found("", ""), names("lab-1-0", "main"));
        assert_eq!(found("lab-1-1", "clone"), names("lab-1-1", "clone"));
        assert!(matches!(found("lab-2-0", ""), Err(Error::Invalid(_))), "a pod of another lab");
        assert!(matches!(found("", "proxy"), Err(Error::Invalid(_))));
        assert_eq!(chosen(LabState::Stopped, &[], &ask("", "")).unwrap_err(), no_log(LabState::Stopped));
    }

    #[test]
    fn refusals_of_the_cluster_say_what_to_do() {
        let refused = |reason: &str| ClusterError::Refused { reason: reason.into(), message: String::new() };
        let starting = LabState::Starting;
        assert_eq!(refusal(&ClusterError::Busy("waiting".into()), starting), no_log(starting));
        assert_eq!(refusal(&refused("BadRequest"), starting), Error::NotFound);
        for error in [ClusterError::Away("no route".into()), refused("Forbidden")] {
            assert!(matches!(refusal(&error, starting), Error::Unavailable { .. }), "{error}");
        }
    }
}
