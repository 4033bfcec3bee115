//! Columns of workloads.

use serde_json::Value;

use super::{Column, age, joined};
use crate::{selector::LabelSelector, stamp, value};

fn count(object: &Value, pointer: &str) -> i64 {
    value::int(object, pointer).unwrap_or(0)
}

fn containers(object: &Value) -> Value {
    joined(value::items(object, "/spec/template/spec/containers").iter().map(|one| value::text(one, "/name"))).into()
}

fn images(object: &Value) -> Value {
    joined(value::items(object, "/spec/template/spec/containers").iter().map(|one| value::text(one, "/image"))).into()
}

fn selector(object: &Value) -> Value {
    object.pointer("/spec/selector").and_then(LabelSelector::of).map_or_else(|| "<none>".into(), |selector| selector.to_string().into())
}

pub fn stateful_sets() -> Vec<Column> {
    vec![
        Column::plain("Ready", |set| format!("{}/{}", count(set, "/status/readyReplicas"), count(set, "/spec/replicas")).into()),
        Column::plain("Age", age),
        Column::wide("Containers", containers),
        Column::wide("Images", images),
    ]
}

pub fn deployments() -> Vec<Column> {
    vec![
        Column::plain("Ready", |one| format!("{}/{}", count(one, "/status/readyReplicas"), count(one, "/spec/replicas")).into()),
        Column::plain("Up-to-date", |one| count(one, "/status/updatedReplicas").to_string().into()),
        Column::plain("Available", |one| count(one, "/status/availableReplicas").to_string().into()),
        Column::plain("Age", age),
        Column::wide("Containers", containers),
        Column::wide("Images", images),
        Column::wide("Selector", selector),
    ]
}

pub fn replica_sets() -> Vec<Column> {
    vec![
        Column::plain("Desired", |one| count(one, "/spec/replicas").to_string().into()),
        Column::plain("Current", |one| count(one, "/status/replicas").to_string().into()),
        Column::plain("Ready", |one| count(one, "/status/readyReplicas").to_string().into()),
        Column::plain("Age", age),
        Column::wide("Containers", containers),
        Column::wide("Images", images),
        Column::wide("Selector", selector),
    ]
}

pub fn jobs() -> Vec<Column> {
    vec![
        Column::plain("Status", |job| {
            let has = |kind: &str| value::items(job, "/status/conditions").iter().any(|one| one["type"] == kind && one["status"] == "True");
            let states = [
                ("Complete", "Complete"),
                ("Failed", "Failed"),
                ("Suspended", "Suspended"),
                ("FailureTarget", "FailureTarget"),
                ("SuccessCriteriaMet", "SuccessCriteriaMet"),
            ];
            let found = states.into_iter().find(|(kind, _)| has(kind)).map_or("Running", |(_, word)| word);
            if value::is_terminating(job) { "Terminating".into() } else { found.into() }
        }),
        Column::plain("Completions", |job| {
            let done = count(job, "/status/succeeded");
            match value::int(job, "/spec/completions") {
                Some(wanted) => format!("{done}/{wanted}").into(),
                None if count(job, "/spec/parallelism") > 1 => format!("{done}/1 of {}", count(job, "/spec/parallelism")).into(),
                None => format!("{done}/1").into(),
            }
        }),
        Column::plain("Duration", |job| {
            let started = value::text(job, "/status/startTime");
            match (stamp::parse(started), stamp::parse(value::text(job, "/status/completionTime"))) {
                (Some(started), Some(ended)) => stamp::human(u64::try_from((ended - started).whole_seconds()).unwrap_or_default()).into(),
                (Some(_), None) => stamp::age(started).into(),
                _ => "".into(),
            }
        }),
        Column::plain("Age", age),
        Column::wide("Containers", containers),
        Column::wide("Images", images),
        Column::wide("Selector", selector),
    ]
}

pub fn controller_revisions() -> Vec<Column> {
    vec![
        Column::plain("Controller", |revision| {
            let Some(owner) = value::controller_of(revision) else { return "<none>".into() };
            let (kind, group) = (value::text(owner, "/kind").to_lowercase(), value::text(owner, "/apiVersion").split('/').next().unwrap_or_default());
            format!("{kind}.{group}/{}", value::text(owner, "/name")).into()
        }),
        Column::plain("Revision", |revision| count(revision, "/revision").to_string().into()),
        Column::plain("Age", age),
    ]
}
