//! Logs of jobs, which outlive their pods: before the pods of a job are deleted, the end of each container's log is read and kept with the
//! lab. Kept are the last five tries, for ninety days or until the lab is destroyed. What cannot be read in time is noted and left out, so that
//! no job's end waits for its log for longer than [`PATIENCE`]; its cards are charged no more by then.

mod text;

use std::time::Duration;

use domain::{
    Error, Result,
    catalogue::Workload,
    labs::{KeptLog, Lab, LabPod, LogProblem},
};
use futures::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};

use self::text::{Tail, last_lines, pack, unpack};
use crate::{
    Services,
    error::OrDomain,
    hub::News,
    jobs::lease,
    ports::{ClusterError, LabOrder, LogRequest, PodTarget},
    reach,
};

/// Most bytes of one log.
const MOST: usize = 1_024 * 1_024;
/// Most bytes of all logs that are read at one end of a lab.
const MOST_OF_END: usize = 8 * MOST;
/// Most lines of one log.
const LINES: u32 = 20_000;
/// Tries of a lab that are kept.
const TRIES: u32 = 5;
/// Ranks of a distributed job that are kept.
const RANKS: usize = 32;
/// Longest time for all logs of a lab.
const PATIENCE: Duration = Duration::from_secs(15);
const AT_ONCE: usize = 4;
const KEPT_DAYS: i64 = 90;
/// Most stored bytes of all labs together.
const MOST_OF_ALL: i64 = 2 * 1_024 * 1_024 * 1_024;

/// Keeps the logs of a job's pods that are not kept yet. Call it before the pods are deleted; a repetition adds only what is missing.
///
/// Errors: `Unavailable` if the database does not answer. Nothing else keeps the pods.
pub(crate) async fn keep(services: &Services, order: &LabOrder) -> Result<()> {
    if !order.lab.spec.workload.ends() {
        return Ok(());
    }
    match Box::pin(keep_all(services, order)).await {
        Err(error @ (Error::Unavailable { .. } | Error::Stale)) => Err(error),
        Err(error) => {
            tracing::error!(lab.name = %order.lab.name, %error, "the logs of a job are not kept");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

async fn keep_all(services: &Services, order: &LabOrder) -> Result<()> {
    let lab = &order.lab;
    let (kept, before) = {
        let mut read = services.db.read().await.or_domain()?;
        let kept = storage::lab_logs::of_lab(&mut read, lab.id).await.or_domain()?;
        let before = storage::observations::get(&mut read, lab.id).await.or_domain()?;
        (kept, before.map(|(seen, _)| seen.members).unwrap_or_default())
    };
    // A cluster that does not answer will not delete the pods either.
    let Ok(seen) = services.cluster.observe(order).await else { return Ok(()) };
    let wanted = wanted(lab.spec.workload, &seen.members, &before, &kept);
    if wanted.is_empty() {
        return Ok(());
    }
    let room = MOST.min(MOST_OF_END / wanted.len());
    let until = Instant::now() + PATIENCE;
    let readings = stream::iter(wanted).map(|wanted| async move {
        let reading = timeout_at(until, read(services, lab, &wanted, room)).await;
        let reading = reading.unwrap_or(Reading::Problem(LogProblem::Late));
        to_keep(services, &wanted, reading)
    });
    let logs: Vec<_> = readings.buffered(AT_ONCE).filter_map(|log| async { log }).collect().await;
    if logs.is_empty() {
        return Ok(());
    }
    let mut write = lease::begin_write(services).await?;
    for (log, body) in &logs {
        storage::lab_logs::put(&mut write, lab.id, log, body.as_deref()).await.or_domain()?;
    }
    storage::lab_logs::keep_newest(&mut write, lab.id, TRIES).await.or_domain()?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(lab));
    Ok(())
}

/// A log that is to be kept.
struct Wanted {
    pod: LabPod,
    container: String,
    place: u32,
    attempt: u32,
    /// Whether the cluster still has the pod.
    is_there: bool,
}

/// The logs of the newest tries that are not kept yet. `now`: the pods that are there; `before`: those that were reported last.
fn wanted(workload: Workload, now: &[LabPod], before: &[LabPod], kept: &[KeptLog]) -> Vec<Wanted> {
    let is_there = |pod: &LabPod| now.iter().any(|other| other.uid == pod.uid);
    let mut pods: Vec<&LabPod> = now.iter().chain(before.iter().filter(|pod| !is_there(pod))).collect();
    let is_spread = workload.spreads();
    if is_spread {
        pods.truncate(RANKS);
    } else {
        pods.sort_by_key(|pod| (pod.generation, pod.made_at));
    }
    let attempt = |at: usize| {
        let earlier = pods[..at].iter().filter(|pod| !is_spread && pod.generation == pods[at].generation).count();
        u32::try_from(earlier).unwrap_or(u32::MAX).saturating_add(1)
    };
    let oldest = if is_spread { 0 } else { pods.len().saturating_sub(TRIES as usize) };
    let mut wanted = Vec::new();
    for (at, pod) in pods.iter().enumerate().skip(oldest) {
        let is_there = is_there(pod);
        for (place, container) in (0..).zip(pod.containers.iter().chain(&pod.init_containers)) {
            let known = kept.iter().find(|log| log.pod_uid == pod.uid && log.container == *container);
            // A log that could not be read is tried again while its pod is there.
            if known.is_none_or(|log| log.problem.is_some() && is_there) {
                wanted.push(Wanted { pod: (*pod).clone(), container: container.clone(), place, attempt: attempt(at), is_there });
            }
        }
    }
    wanted
}

enum Reading {
    Text(Tail),
    Problem(LogProblem),
    /// There is no log: the container did not start.
    Nothing,
}

async fn read(services: &Services, lab: &Lab, wanted: &Wanted, room: usize) -> Reading {
    let target = PodTarget { namespace: lab.namespace.clone(), name: wanted.pod.name.clone(), uid: wanted.pod.uid.clone() };
    let request = LogRequest { container: wanted.container.clone(), tail: Some(LINES), ..LogRequest::default() };
    let mut pieces = match reach::logs(services, &target, &request).await {
        Ok(pieces) => pieces,
        Err(error) => return refusal(&error, wanted.is_there),
    };
    let mut tail = Tail::of(room);
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => tail.push(&piece),
            Err(error) => return refusal(&error, false),
        }
    }
    Reading::Text(tail)
}

fn refusal(error: &ClusterError, is_there: bool) -> Reading {
    match error {
        ClusterError::Busy(_) if is_there => Reading::Nothing,
        ClusterError::Busy(_) => Reading::Problem(LogProblem::Gone),
        ClusterError::Refused { reason, .. } if matches!(reason.as_str(), "BadRequest" | "NotSupported") => Reading::Nothing,
        ClusterError::Refused { reason, .. } if reason == "NotFound" => Reading::Problem(LogProblem::Gone),
        ClusterError::Away(_) | ClusterError::Blocked(_) | ClusterError::Refused { .. } => {
            tracing::warn!(%error, "a job's log cannot be kept");
            Reading::Problem(LogProblem::Unreachable)
        }
    }
}

/// The stored row of a log, and its body.
fn to_keep(services: &Services, wanted: &Wanted, reading: Reading) -> Option<(KeptLog, Option<String>)> {
    let Wanted { pod, container, place, attempt, is_there: _ } = wanted;
    let (text, cut, problem) = match reading {
        Reading::Text(tail) => {
            let (text, cut) = tail.end(LINES);
            (Some(text), cut, None)
        }
        Reading::Problem(problem) => (None, false, Some(problem)),
        Reading::Nothing => return None,
    };
    let log = KeptLog {
        pod: pod.name.clone(),
        pod_uid: pod.uid.clone(),
        container: container.clone(),
        place: *place,
        generation: pod.generation,
        attempt: *attempt,
        exit_code: pod.end.as_ref().map(|end| end.exit_code),
        ended_at: pod.end.as_ref().and_then(|end| end.at),
        kept_at: services.clock.now(),
        bytes: text.as_ref().map_or(0, |text| text.len() as u64),
        cut,
        problem,
    };
    Some((log, text.map(|text| pack(&text))))
}

/// The text of a kept log, or the last of its lines. Errors: `NotFound` where there is none.
pub(super) async fn text(services: &Services, lab: &Lab, log: &KeptLog, lines: Option<u32>) -> Result<Vec<u8>> {
    let body = {
        let mut read = services.db.read().await.or_domain()?;
        storage::lab_logs::body(&mut read, lab.id, &log.pod_uid, &log.container).await.or_domain()?
    };
    let text = body.as_deref().and_then(|body| unpack(body, 2 * MOST)).ok_or(Error::NotFound)?;
    Ok(match lines {
        Some(lines) => last_lines(&text, lines as usize).to_vec(),
        None => text,
    })
}

/// Deletes logs that were kept long enough, and the oldest of those that take too much room. Returns how many.
pub async fn sweep_logs(services: &Services) -> Result<u64> {
    let before = services.clock.now().plus_seconds(-KEPT_DAYS * 86_400);
    let mut write = lease::begin_write(services).await?;
    let swept = storage::lab_logs::sweep(&mut write, before, MOST_OF_ALL).await.or_domain()?;
    write.commit().await.or_domain()?;
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use domain::time::Timestamp;

    use super::*;

    fn pod(uid: &str, generation: u32, made: i64) -> LabPod {
        LabPod {
            name: format!("lab-1-{uid}"),
            uid: uid.into(),
            generation,
            ready: false,
            containers: vec!["lab".into()],
            init_containers: Vec::new(),
            made_at: Some(Timestamp::from_seconds(made)),
            end: None,
        }
    }

    fn told(wanted: &[Wanted]) -> Vec<(&str, u32, bool)> {
        wanted.iter().map(|each| (each.pod.uid.as_str(), each.attempt, each.is_there)).collect()
    }

    fn kept(uid: &str, problem: Option<LogProblem>) -> KeptLog {
        KeptLog {
            pod: format!("lab-1-{uid}"),
            pod_uid: uid.into(),
            container: "lab".into(),
            place: 0,
            generation: 1,
            attempt: 1,
            exit_code: None,
            ended_at: None,
            kept_at: Timestamp::from_seconds(0),
            bytes: 0,
            cut: false,
            problem,
        }
    }

    #[test]
    fn the_newest_tries_are_kept_in_the_order_in_which_they_were_made() {
        let pods: Vec<_> = (1..=7).rev().map(|number| pod(&format!("p{number}"), 1, number)).collect();
        let all = wanted(Workload::BatchJob, &pods, &[], &[]);
        assert_eq!(told(&all), [("p3", 3, true), ("p4", 4, true), ("p5", 5, true), ("p6", 6, true), ("p7", 7, true)]);
        let ranks = [pod("r0", 1, 9), pod("r1", 1, 3)];
        assert_eq!(told(&wanted(Workload::DistributedJob, &ranks, &[], &[])), [("r0", 1, true), ("r1", 1, true)]);
    }

    #[test]
    fn a_kept_log_is_read_once_and_one_that_was_not_read_while_its_pod_is_there() {
        let (a, b) = (pod("a", 1, 1), pod("b", 1, 2));
        let now = [a.clone()];
        let before = [a, b];
        assert_eq!(told(&wanted(Workload::BatchJob, &now, &before, &[])), [("a", 1, true), ("b", 2, false)]);
        let problems = [kept("a", Some(LogProblem::Late)), kept("b", Some(LogProblem::Gone))];
        assert_eq!(told(&wanted(Workload::BatchJob, &now, &before, &problems)), [("a", 1, true)]);
        assert!(wanted(Workload::BatchJob, &now, &before, &[kept("a", None), kept("b", None)]).is_empty());
    }
}
