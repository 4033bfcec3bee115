//! The tries of a job, those whose pods are there and those of which only the logs are kept.

use std::collections::BTreeSet;

use domain::{
    Error, Result,
    catalogue::Workload,
    labs::{KeptLog, LabPod, LabState},
};

use super::logs::{LogAsk, Place, no_log, not_one_of};

/// A pod of a try. At least one of the two is there.
#[derive(Debug, Clone)]
struct Pod<'l> {
    name: &'l str,
    there: Option<&'l LabPod>,
    kept: Vec<&'l KeptLog>,
}

/// All tries of a job in the order in which they were made. The ranks of a distributed job are one try.
#[derive(Debug)]
pub(super) struct Tries<'l> {
    state: LabState,
    tries: Vec<Vec<Pod<'l>>>,
}

impl<'l> Tries<'l> {
    pub fn of(state: LabState, workload: Workload, members: &'l [LabPod], kept: &'l [KeptLog]) -> Self {
        let there: BTreeSet<&str> = members.iter().map(|pod| pod.uid.as_str()).collect();
        let mut tries: Vec<((u32, u32), Vec<Pod<'l>>)> = Vec::new();
        for log in kept.iter().filter(|log| !there.contains(log.pod_uid.as_str())) {
            let key = (log.generation, log.attempt);
            match tries.last_mut().filter(|(last, _)| *last == key) {
                Some((_, pods)) => match pods.iter_mut().find(|pod| pod.kept[0].pod_uid == log.pod_uid) {
                    Some(pod) => pod.kept.push(log),
                    None => pods.push(Pod { name: &log.pod, there: None, kept: vec![log] }),
                },
                None => tries.push((key, vec![Pod { name: &log.pod, there: None, kept: vec![log] }])),
            }
        }
        let mut tries: Vec<_> = tries.into_iter().map(|(_, pods)| pods).collect();
        let of_pod = |pod: &'l LabPod| Pod { name: &pod.name, there: Some(pod), kept: kept.iter().filter(|log| log.pod_uid == pod.uid).collect() };
        if workload.spreads() {
            if !members.is_empty() {
                tries.push(members.iter().map(of_pod).collect());
            }
        } else {
            let mut pods: Vec<_> = members.iter().collect();
            pods.sort_by_key(|pod| (pod.generation, pod.made_at));
            tries.extend(pods.into_iter().map(|pod| vec![of_pod(pod)]));
        }
        Self { state, tries }
    }

    /// The log that is asked for. Errors: `InvalidTransition` where no try has begun; `NotFound` where there was none before; `Invalid` for a
    /// pod or container that the job did not have.
    pub fn find(&self, ask: &LogAsk) -> Result<Place<'l>> {
        let newest = self.tries.len().checked_sub(1).ok_or_else(|| no_log(self.state))?;
        let (mut number, at) = match &ask.member {
            None => (newest, 0),
            Some(name) => self.named(name).ok_or_else(|| self.no_member())?,
        };
        if ask.previous {
            number = number.checked_sub(1).ok_or(Error::NotFound)?;
        }
        let pods = &self.tries[number];
        let pod = pods.get(at).or_else(|| pods.first()).ok_or_else(|| no_log(self.state))?;
        self.container(pod, ask)
    }

    /// The number of the newest try with this pod, and the pod's place in it.
    fn named(&self, name: &str) -> Option<(usize, usize)> {
        self.tries.iter().enumerate().rev().find_map(|(number, pods)| Some((number, pods.iter().position(|pod| pod.name == name)?)))
    }

    fn no_member(&self) -> Error {
        not_one_of("member", self.tries.iter().flatten().map(|pod| pod.name.to_owned()).collect())
    }

    fn container(&self, pod: &Pod<'l>, ask: &LogAsk) -> Result<Place<'l>> {
        let names: Vec<&'l str> = match pod.there {
            Some(there) => there.containers.iter().chain(&there.init_containers).map(String::as_str).collect(),
            None => pod.kept.iter().map(|log| log.container.as_str()).collect(),
        };
        let container = match &ask.container {
            None => names.first().copied().ok_or_else(|| no_log(self.state))?,
            Some(wanted) => names
                .iter()
                .copied()
                .find(|name| name == wanted)
                .ok_or_else(|| not_one_of("container", names.iter().map(|name| (*name).to_owned()).collect()))?,
        };
        let kept = pod.kept.iter().copied().find(|log| log.container == container);
        match (pod.there, kept) {
            (Some(pod), kept) => Ok(Place::Pod { pod, container, previous: false, kept }),
            (None, Some(log)) => Ok(Place::Kept(log)),
            (None, None) => Err(no_log(self.state)),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::time::Timestamp;

    use super::*;

    fn pod(name: &str, made: i64) -> LabPod {
        LabPod {
            name: name.into(),
            uid: format!("uid-{name}"),
            generation: 2,
            ready: true,
            containers: vec!["lab".into()],
            init_containers: vec!["clone".into()],
            made_at: Some(Timestamp::from_seconds(made)),
            end: None,
        }
    }

    fn kept(name: &str, attempt: u32, container: &str) -> KeptLog {
        KeptLog {
            pod: name.into(),
            pod_uid: format!("uid-{name}"),
            container: container.into(),
            place: 0,
            generation: 1,
            attempt,
            exit_code: None,
            ended_at: None,
            kept_at: Timestamp::from_seconds(9),
            bytes: 1,
            cut: false,
            problem: None,
        }
    }

    fn ask(member: &str, container: &str, previous: bool) -> LogAsk {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        LogAsk { member: given(member), container: given(container), previous, ..LogAsk::default() }
    }

    /// `kept a/lab`, `pod c/lab`
    fn told(place: Result<Place<'_>>) -> Result<String> {
        Ok(match place? {
            Place::Pod { pod, container, .. } => format!("pod {}/{container}", pod.name),
            Place::Kept(log) => format!("kept {}/{}", log.pod, log.container),
        })
    }

    #[test]
    fn the_newest_try_is_read_and_earlier_ones_are_behind_it() {
        let logs = [kept("z", 1, "lab"), kept("a", 2, "lab"), kept("a", 2, "clone")];
        // Their names say nothing of their order.
        let pods = [pod("c", 20), pod("d", 10)];
        let tries = Tries::of(LabState::Running, Workload::BatchJob, &pods, &logs);
        let find = |member, container, previous| told(tries.find(&ask(member, container, previous)));
        assert_eq!(find("", "", false).as_deref(), Ok("pod c/lab"));
        assert_eq!(find("", "", true).as_deref(), Ok("pod d/lab"));
        assert_eq!(find("d", "lab", true).as_deref(), Ok("kept a/lab"));
        assert_eq!(find("a", "clone", false).as_deref(), Ok("kept a/clone"));
        assert_eq!(find("a", "lab", true).as_deref(), Ok("kept z/lab"));
        assert_eq!(find("z", "", true), Err(Error::NotFound));
        assert!(matches!(find("other", "", false), Err(Error::Invalid(_))));
        assert!(matches!(find("z", "clone", false), Err(Error::Invalid(_))));
        let none = Tries::of(LabState::Running, Workload::BatchJob, &[], &[]);
        assert_eq!(told(none.find(&ask("", "", false))), Err(no_log(LabState::Running)));
    }

    #[test]
    fn the_ranks_of_a_distributed_job_are_one_try() {
        let logs = [kept("r0", 1, "lab"), kept("r1", 1, "lab")];
        let pods = [pod("s0", 2), pod("s1", 1)];
        let tries = Tries::of(LabState::Running, Workload::DistributedJob, &pods, &logs);
        let find = |member, previous| told(tries.find(&ask(member, "", previous)));
        assert_eq!(find("", false).as_deref(), Ok("pod s0/lab"));
        assert_eq!(find("s1", true).as_deref(), Ok("kept r1/lab"));
        assert_eq!(find("r1", true), Err(Error::NotFound));
    }
}
