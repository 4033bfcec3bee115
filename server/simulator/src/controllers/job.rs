//! Jobs: pods until enough of them have succeeded, by index where the Job says so.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::{
    Context, Work,
    events::{self, Said},
    job_status::{self, Standing, Verdict, index},
    pod_template::{condition, controlled, pod_of},
};
use crate::{
    ops::{
        Writer, create,
        delete::{self, Options},
    },
    registry::Resource,
    stamp,
    store::{Change, Key, Object, Txn},
    value,
};

pub const COMPONENT: &str = "job-controller";
/// The annotation and the label of a pod's index.
pub const INDEX: &str = "batch.kubernetes.io/job-completion-index";

pub fn observe(context: &mut Context, change: &Change) {
    match change.key.resource {
        Resource::Jobs if change.new.is_some() => context.queue.push(Work::Job(change.key.clone())),
        Resource::Jobs => {
            if let Some(job) = &change.old {
                context.deleted_pods.remove(value::uid(job));
            }
        }
        Resource::Pods => {
            let pod = change.new.as_ref().or(change.old.as_ref());
            if let Some(owner) = pod.and_then(|pod| value::controller_of(pod)).filter(|owner| owner["kind"] == "Job") {
                if let (Some(pod), None) = (&change.old, &change.new) {
                    keep_failure(context, value::text(owner, "/uid"), pod);
                }
                context.queue.push(Work::Job(Key::new(Resource::Jobs, &*change.key.namespace, value::text(owner, "/name"))));
            }
        }
        _ => {}
    }
}

/// The stage of a pod that its Job deletes, which is no failure.
const SURPLUS: &str = "surplus";

/// Remembers a pod that somebody deleted, if that made it fail.
fn keep_failure(context: &mut Context, job: &str, pod: &Object) {
    let by_job = !context.queue.is_first(value::uid(pod), SURPLUS);
    if !by_job && value::text(pod, "/status/phase") == "Failed" && context.store.write().by_uid(job).is_some() {
        context.deleted_pods.entry(job.to_owned()).or_default().push(Arc::clone(pod));
    }
}

/// The Job's pods, with those that failed as they were deleted.
fn pods_of(txn: &Txn<'_>, context: &Context, job: &Value) -> Vec<Object> {
    let mut pods = controlled(txn, Resource::Pods, job);
    pods.extend(context.deleted_pods.get(value::uid(job)).into_iter().flatten().cloned());
    pods
}

pub fn reconcile(context: &mut Context, key: &Key) {
    let store = Arc::clone(&context.store);
    let mut txn = store.write();
    let Some(job) = txn.get(key) else { return };
    if value::is_terminating(&job) {
        return;
    }
    let standing = Standing::of(&job, &pods_of(&txn, context, &job));
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
        Some(_) => remove(&mut txn, &job, &standing.active, &writer, context),
        None if value::flag(&job, "/spec/suspend") => remove(&mut txn, &job, &standing.active, &writer, context),
        None => retry = !fill(&mut txn, &job, &standing, &writer, context),
    }
    if let Some(limit) = value::int(&job, "/spec/activeDeadlineSeconds")
        && verdict.is_none()
        && let Some(started) = stamp::parse(value::text(&job, "/status/startTime"))
    {
        let at = stamp::plus(started, limit.saturating_add(1));
        let rest = stamp::parse(&at).map_or(0, |at| (at - time::OffsetDateTime::now_utc()).whole_milliseconds().max(50));
        context.queue.push_later(Work::Job(key.clone()), std::time::Duration::from_millis(u64::try_from(rest).unwrap_or(1000)));
    }
    let job = txn.get(key).unwrap_or(job);
    let standing = Standing::of(&job, &pods_of(&txn, context, &job));
    job_status::write(&mut txn, key, &job, &standing, verdict.as_ref(), &writer);
    drop(txn);
    if retry {
        context.queue.push_later(Work::Job(key.clone()), context.pace.retry);
    }
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
fn fill(txn: &mut Txn<'_>, job: &Object, standing: &Standing, writer: &Writer, context: &mut Context) -> bool {
    let parallelism = value::int(job, "/spec/parallelism").unwrap_or(1);
    let completions = value::int(job, "/spec/completions");
    let active = i64::try_from(standing.active.len()).unwrap_or(i64::MAX);
    let wanted = match completions {
        Some(completions) => parallelism.min(completions.saturating_sub(standing.succeeded)),
        None if standing.succeeded > 0 => active,
        None => parallelism,
    };
    if active > wanted {
        let surplus = usize::try_from(active - wanted.max(0)).unwrap_or_default();
        let gone: Vec<Object> = standing.active.iter().rev().take(surplus).cloned().collect();
        remove(txn, job, &gone, writer, context);
        return true;
    }
    if active == wanted {
        return true;
    }
    // After a failure the next pod waits.
    let last_failure = usize::try_from(standing.failed).unwrap_or_default();
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

fn remove(txn: &mut Txn<'_>, job: &Object, pods: &[Object], writer: &Writer, context: &mut Context) {
    for pod in pods {
        context.queue.is_first(value::uid(pod), SURPLUS);
        let _ = delete::delete(txn, Resource::Pods.kind(), &Key::of(Resource::Pods, pod), &Options::background(), writer);
        events::record(txn, job, &Said::normal(COMPONENT, "SuccessfulDelete", format!("Deleted pod: {}", value::name(pod))));
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
