//! Jobs: pods until enough of them have succeeded, by index where the Job says so.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::{
    Context, Work,
    events::{self, Said},
    pod_template::{condition, controlled, is_ready, pod_of, set_condition},
};
use crate::{
    ops::{
        Writer, create,
        delete::{self, Options},
        update::{self, Part},
    },
    registry::Resource,
    stamp,
    store::{Change, Key, Object, Txn},
    value,
};

const COMPONENT: &str = "job-controller";
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

pub fn observe(context: &mut Context, change: &Change) {
    match change.key.resource {
        Resource::Jobs if change.new.is_some() => context.queue.push(Work::Job(change.key.clone())),
        Resource::Pods => {
            let pod = change.new.as_ref().or(change.old.as_ref());
            if let Some(owner) = pod.and_then(|pod| value::controller_of(pod)).filter(|owner| owner["kind"] == "Job") {
                context.queue.push(Work::Job(Key::new(Resource::Jobs, &*change.key.namespace, value::text(owner, "/name"))));
            }
        }
        _ => {}
    }
}

/// How a Job's pods stand.
struct Standing {
    active: Vec<Object>,
    ready: i64,
    terminating: i64,
    succeeded: i64,
    failed: i64,
    /// Indexes that have succeeded.
    done: BTreeSet<i64>,
}

fn index(pod: &Value) -> Option<i64> {
    value::annotation(pod, INDEX)?.parse().ok()
}

impl Standing {
    fn of(job: &Value, pods: &[Object]) -> Self {
        let phase = |pod: &Object| value::text(pod, "/status/phase").to_owned();
        let is_active = |pod: &&Object| !["Succeeded", "Failed"].contains(&phase(pod).as_str()) && !value::is_terminating(pod);
        let active: Vec<Object> = pods.iter().filter(is_active).cloned().collect();
        let count = |wanted: &str| i64::try_from(pods.iter().filter(|pod| phase(pod) == wanted).count()).unwrap_or(i64::MAX);
        let mut done = parse_indexes(value::text(job, "/status/completedIndexes"));
        done.extend(pods.iter().filter(|pod| phase(pod) == "Succeeded").filter_map(|pod| index(pod)));
        let is_indexed = value::text(job, "/spec/completionMode") == "Indexed";
        let by_index = i64::try_from(done.len()).unwrap_or(i64::MAX);
        // Pods may be cleared away after they ended; what was counted once stays counted.
        let succeeded = if is_indexed { by_index } else { count("Succeeded").max(value::int(job, "/status/succeeded").unwrap_or(0)) };
        Self {
            ready: i64::try_from(active.iter().filter(|pod| is_ready(pod)).count()).unwrap_or(i64::MAX),
            terminating: i64::try_from(
                pods.iter().filter(|pod| value::is_terminating(pod) && !["Succeeded", "Failed"].contains(&phase(pod).as_str())).count(),
            )
            .unwrap_or(i64::MAX),
            failed: count("Failed").max(value::int(job, "/status/failed").unwrap_or(0)),
            active,
            succeeded,
            done,
        }
    }
}

pub fn reconcile(context: &mut Context, key: &Key) {
    let store = Arc::clone(&context.store);
    let mut txn = store.write();
    let Some(job) = txn.get(key) else { return };
    if value::is_terminating(&job) {
        return;
    }
    let pods = controlled(&txn, Resource::Pods, &job);
    let standing = Standing::of(&job, &pods);
    let has_condition = |kind: &str| condition(&job, kind).is_some_and(|one| one["status"] == "True");
    if has_condition("Complete") || has_condition("Failed") {
        drop(txn);
        clear_later(context, key, &job);
        return;
    }
    let writer = Writer::controller("kube-controller-manager");
    let verdict = verdict(&job, &standing);
    let mut retry = false;
    match &verdict {
        Some(_) => remove(&mut txn, &job, &standing.active, &writer),
        None if value::flag(&job, "/spec/suspend") => remove(&mut txn, &job, &standing.active, &writer),
        None => retry = !fill(&mut txn, &job, &standing, &pods, &writer, context),
    }
    if let Some(limit) = value::int(&job, "/spec/activeDeadlineSeconds")
        && verdict.is_none()
        && let Some(started) = stamp::parse(value::text(&job, "/status/startTime"))
    {
        let at = stamp::plus(started, limit + 1);
        let rest = stamp::parse(&at).map_or(0, |at| (at - time::OffsetDateTime::now_utc()).whole_milliseconds().max(50));
        context.queue.push_later(Work::Job(key.clone()), std::time::Duration::from_millis(u64::try_from(rest).unwrap_or(1000)));
    }
    let job = txn.get(key).unwrap_or(job);
    let standing = Standing::of(&job, &controlled(&txn, Resource::Pods, &job));
    write_status(&mut txn, key, &job, &standing, verdict.as_ref(), &writer);
    drop(txn);
    if retry {
        context.queue.push_later(Work::Job(key.clone()), context.pace.retry);
    }
}

enum Verdict {
    Complete,
    Failed { reason: &'static str, message: String },
}

fn verdict(job: &Value, standing: &Standing) -> Option<Verdict> {
    let completions = value::int(job, "/spec/completions");
    let is_complete = match completions {
        Some(wanted) => standing.succeeded >= wanted,
        // A work queue is done when one pod has succeeded and none runs.
        None => standing.succeeded > 0 && standing.active.is_empty(),
    };
    if is_complete {
        return Some(Verdict::Complete);
    }
    if standing.failed > value::int(job, "/spec/backoffLimit").unwrap_or(6) {
        return Some(Verdict::Failed { reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit".to_owned() });
    }
    let limit = value::int(job, "/spec/activeDeadlineSeconds")?;
    let ran = stamp::since(value::text(job, "/status/startTime")).as_secs();
    let is_late = !value::text(job, "/status/startTime").is_empty() && i64::try_from(ran).unwrap_or(i64::MAX) >= limit;
    is_late.then(|| Verdict::Failed { reason: "DeadlineExceeded", message: "Job was active longer than specified deadline".to_owned() })
}

/// Makes the pods that are missing. False when some must be tried again later.
fn fill(txn: &mut Txn<'_>, job: &Object, standing: &Standing, pods: &[Object], writer: &Writer, context: &mut Context) -> bool {
    let parallelism = value::int(job, "/spec/parallelism").unwrap_or(1);
    let completions = value::int(job, "/spec/completions");
    let active = i64::try_from(standing.active.len()).unwrap_or(i64::MAX);
    let wanted = match completions {
        Some(completions) => parallelism.min(completions - standing.succeeded),
        None if standing.succeeded > 0 => active,
        None => parallelism,
    };
    if active > wanted {
        let surplus = usize::try_from(active - wanted.max(0)).unwrap_or_default();
        let gone: Vec<Object> = standing.active.iter().rev().take(surplus).cloned().collect();
        remove(txn, job, &gone, writer);
        return true;
    }
    if active == wanted {
        return true;
    }
    // After a failure the next pod waits.
    let last_failure = pods.iter().filter(|pod| value::text(pod, "/status/phase") == "Failed").count();
    if last_failure > 0
        && !context.queue.has_passed(
            value::uid(job),
            RETRY_STAGES[last_failure.min(RETRY_STAGES.len() - 1)],
            context.pace.retry,
            &Work::Job(Key::of(Resource::Jobs, job)),
        )
    {
        return true;
    }
    let is_indexed = value::text(job, "/spec/completionMode") == "Indexed";
    let taken: BTreeSet<i64> = standing.active.iter().filter_map(|pod| index(pod)).collect();
    let mut free = (0..completions.unwrap_or(0)).filter(|at| !taken.contains(at) && !standing.done.contains(at));
    for _ in active..wanted {
        let at = if is_indexed { free.next() } else { None };
        if is_indexed && at.is_none() {
            break;
        }
        if let Err(error) = make(txn, job, at, writer) {
            events::record(txn, job, &Said::warning(COMPONENT, "FailedCreate", format!("Error creating: {error}")));
            return false;
        }
    }
    true
}

/// Names of the waits after the first, second, ... failure.
const RETRY_STAGES: [&str; 12] =
    ["retry", "retry-1", "retry-2", "retry-3", "retry-4", "retry-5", "retry-6", "retry-7", "retry-8", "retry-9", "retry-10", "retry-11"];

fn make(txn: &mut Txn<'_>, job: &Object, index: Option<i64>, writer: &Writer) -> crate::error::Result<()> {
    let name = value::name(job);
    let mut pod = pod_of(job);
    match index {
        None => value::set(&mut pod, &["metadata", "generateName"], format!("{name}-")),
        Some(index) => {
            value::set(&mut pod, &["metadata", "generateName"], format!("{name}-{index}-"));
            value::set(&mut pod, &["metadata", "annotations", INDEX], index.to_string());
            value::set(&mut pod, &["metadata", "labels", INDEX], index.to_string());
            value::set(&mut pod, &["spec", "hostname"], format!("{name}-{index}"));
            for list in ["initContainers", "containers"] {
                for container in pod.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut).into_iter().flatten() {
                    add_index_variable(container);
                }
            }
        }
    }
    let made = create::create(txn, Resource::Pods.kind(), value::namespace(job), pod, writer)?;
    events::record(txn, job, &Said::normal(COMPONENT, "SuccessfulCreate", format!("Created pod: {}", value::name(&made))));
    Ok(())
}

fn add_index_variable(container: &mut Value) {
    let mut all = value::items(container, "/env").to_vec();
    if !all.iter().any(|one| one["name"] == "JOB_COMPLETION_INDEX") {
        all.push(json!({"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": format!("metadata.labels['{INDEX}']")}}}));
        value::set(container, &["env"], all);
    }
}

fn remove(txn: &mut Txn<'_>, job: &Object, pods: &[Object], writer: &Writer) {
    for pod in pods {
        let _ = delete::delete(txn, Resource::Pods.kind(), &Key::of(Resource::Pods, pod), &Options::background(), writer);
        events::record(txn, job, &Said::normal(COMPONENT, "SuccessfulDelete", format!("Deleted pod: {}", value::name(pod))));
    }
}

fn write_status(txn: &mut Txn<'_>, key: &Key, job: &Object, standing: &Standing, verdict: Option<&Verdict>, writer: &Writer) {
    let is_suspended = value::flag(job, "/spec/suspend");
    let was_suspended = condition(job, "Suspended").is_some_and(|one| one["status"] == "True");
    let changed = update::modify(txn, key, Part::Status, writer, |job| {
        for (field, count) in
            [("active", i64::try_from(standing.active.len()).unwrap_or(i64::MAX)), ("succeeded", standing.succeeded), ("failed", standing.failed)]
        {
            if count == 0 {
                value::take(job, &["status", field]);
            } else {
                value::set(job, &["status", field], count);
            }
        }
        value::set(job, &["status", "ready"], standing.ready);
        value::set(job, &["status", "terminating"], standing.terminating);
        value::map_at(job, &["status", "uncountedTerminatedPods"]);
        if value::text(job, "/spec/completionMode") == "Indexed" && !standing.done.is_empty() {
            value::set(job, &["status", "completedIndexes"], show_indexes(&standing.done));
        }
        if is_suspended {
            value::take(job, &["status", "startTime"]);
            set_condition(job, "Suspended", "True", "JobSuspended", "Job suspended");
        } else {
            value::set_default(job, &["status", "startTime"], stamp::now());
            if was_suspended {
                set_condition(job, "Suspended", "False", "JobResumed", "Job resumed");
            }
        }
        match verdict {
            Some(Verdict::Complete) => {
                let message = "Reached expected number of succeeded pods";
                set_condition(job, "SuccessCriteriaMet", "True", "CompletionsReached", message);
                if standing.active.is_empty() && standing.terminating == 0 {
                    value::set(job, &["status", "completionTime"], stamp::now());
                    set_condition(job, "Complete", "True", "CompletionsReached", message);
                }
            }
            Some(Verdict::Failed { reason, message }) => {
                set_condition(job, "FailureTarget", "True", reason, message);
                if standing.active.is_empty() && standing.terminating == 0 {
                    set_condition(job, "Failed", "True", reason, message);
                }
            }
            None => {}
        }
    });
    let Some(changed) = changed else { return };
    let newly = |kind: &str| condition(&changed, kind).is_some() && condition(job, kind).is_none();
    if newly("Complete") {
        events::record(txn, &changed, &Said::normal(COMPONENT, "Completed", "Job completed"));
    }
    if newly("Failed")
        && let Some(Verdict::Failed { reason, message }) = verdict
    {
        events::record(txn, &changed, &Said::warning(COMPONENT, reason, message.as_str()));
    }
    if is_suspended && !was_suspended {
        events::record(txn, &changed, &Said::normal(COMPONENT, "Suspended", "Job suspended"));
    } else if !is_suspended && was_suspended {
        events::record(txn, &changed, &Said::normal(COMPONENT, "Resumed", "Job resumed"));
    }
}

/// Deletes a finished Job when its time to live has passed.
fn clear_later(context: &mut Context, key: &Key, job: &Value) {
    let Some(seconds) = value::int(job, "/spec/ttlSecondsAfterFinished") else { return };
    let delay = std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    if context.queue.has_passed(value::uid(job), "ttl", delay, &Work::Job(key.clone())) {
        let mut txn = context.store.write();
        let options = Options { propagation: Some(delete::Propagation::Foreground), uid: Some(value::uid(job).to_owned()), ..Options::default() };
        let _ = delete::delete(&mut txn, Resource::Jobs.kind(), key, &options, &Writer::controller("kube-controller-manager"));
    }
}

/// `0-2,5` as a set.
fn parse_indexes(text: &str) -> BTreeSet<i64> {
    let part = |part: &str| -> Option<std::ops::RangeInclusive<i64>> {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some(from.parse().ok()?..=to.parse().ok()?)
    };
    text.split(',').filter_map(part).flatten().collect()
}

fn show_indexes(indexes: &BTreeSet<i64>) -> String {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for index in indexes {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => runs.push((*index, *index)),
        }
    }
    let each = runs.iter().map(|(from, to)| match to - from {
        0 => from.to_string(),
        1 => format!("{from},{to}"),
        _ => format!("{from}-{to}"),
    });
    each.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completed_indexes_are_written_in_runs() {
        let set = BTreeSet::from([0, 1, 2, 5, 7, 8]);
        assert_eq!(show_indexes(&set), "0-2,5,7,8");
        assert_eq!(parse_indexes("0-2,5,7,8"), set);
        assert!(parse_indexes("").is_empty());
    }
}
