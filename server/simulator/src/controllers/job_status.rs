//! How a Job stands, and its `status`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    events::{self, Said},
    job::{COMPONENT, INDEX},
    pod_template::{condition, is_ready, set_condition},
};
use crate::{
    ops::{
        Writer,
        update::{self, Part},
    },
    stamp,
    store::{Key, Object, Txn},
    value,
};

/// How a Job's pods stand.
pub struct Standing {
    pub active: Vec<Object>,
    pub ready: i64,
    pub terminating: i64,
    pub succeeded: i64,
    pub failed: i64,
    /// Indexes that have succeeded.
    pub done: BTreeSet<i64>,
}

pub fn index(pod: &Value) -> Option<i64> {
    value::annotation(pod, INDEX)?.parse().ok()
}

impl Standing {
    pub fn of(job: &Value, pods: &[Object]) -> Self {
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
        let failed = pods.iter().filter(|pod| phase(pod) == "Failed" && !is_ignored(job, pod)).count();
        let failed = i64::try_from(failed).unwrap_or(i64::MAX);
        Self {
            ready: i64::try_from(active.iter().filter(|pod| is_ready(pod)).count()).unwrap_or(i64::MAX),
            terminating: i64::try_from(
                pods.iter().filter(|pod| value::is_terminating(pod) && !["Succeeded", "Failed"].contains(&phase(pod).as_str())).count(),
            )
            .unwrap_or(i64::MAX),
            failed: failed.max(value::int(job, "/status/failed").unwrap_or(0)),
            active,
            succeeded,
            done,
        }
    }
}

/// Whether the Job's `podFailurePolicy` says that this pod's failure does not count.
fn is_ignored(job: &Value, pod: &Value) -> bool {
    let has = |wanted: &Value| {
        let status = wanted.get("status").and_then(Value::as_str).unwrap_or("True");
        value::items(pod, "/status/conditions").iter().any(|one| one["type"] == wanted["type"] && one["status"] == status)
    };
    let rules = value::items(job, "/spec/podFailurePolicy/rules").iter();
    // The first matching rule decides.
    rules.into_iter().find(|rule| value::items(rule, "/onPodConditions").iter().any(has)).is_some_and(|rule| rule["action"] == "Ignore")
}

/// How a Job ended.
pub enum Verdict {
    Complete,
    Failed { reason: &'static str, message: String },
}

/// Writes what a Job has come to, and tells of its turns.
pub fn write(txn: &mut Txn<'_>, key: &Key, job: &Object, standing: &Standing, verdict: Option<&Verdict>, writer: &Writer) {
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

/// Most completions of an indexed Job.
const MOST_INDEXES: usize = 100_000;

/// `0-2,5` as a set.
fn parse_indexes(text: &str) -> BTreeSet<i64> {
    let part = |part: &str| -> Option<std::ops::RangeInclusive<i64>> {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some(from.parse().ok()?..=to.parse().ok()?)
    };
    text.split(',').filter_map(part).flatten().take(MOST_INDEXES).collect()
}

fn show_indexes(indexes: &BTreeSet<i64>) -> String {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for index in indexes {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*index) => *last = *index,
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
