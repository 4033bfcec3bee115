use std::time::Duration;

use domain::{
    labs::{ConditionStatus, ObservedPhase},
    time::Timestamp,
};
use serde_json::{Value, json};

use super::{
    conclude, order_of_pods,
    seen::{Seen, Workload},
};
use crate::{kinds::Kind, labels::GENERATION};

const START: &str = "2026-11-21T10:00:00Z";

fn read<K: serde::de::DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).expect("an object")
}

fn metadata(name: &str) -> Value {
    json!({ "name": name, "namespace": "lectern-x", "uid": format!("uid-{name}"), "creationTimestamp": START })
}

/// A notebook that wants one pod and has these.
fn notebook(pods: Vec<Value>) -> Seen {
    let mut metadata = metadata("lab-7");
    metadata["managedFields"] = json!([{ "manager": "lectern", "operation": "Apply", "time": "2026-11-21T11:00:00Z" }]);
    let set = read(json!({ "metadata": metadata, "spec": { "replicas": 1, "serviceName": "lab-7", "selector": {}, "template": {} } }));
    seen(Workload::StatefulSet(Box::new(set)), pods)
}

fn training(nodes: u32, conditions: &Value, pods: Vec<Value>) -> Seen {
    let job = json!({ "metadata": metadata("lab-7"), "spec": { "completions": nodes, "template": {} }, "status": { "conditions": conditions } });
    seen(Workload::Job(Box::new(read(job))), pods)
}

fn seen(workload: Workload, pods: Vec<Value>) -> Seen {
    let pods = pods.into_iter().map(read).collect();
    let others = vec![(Kind::Service, "lab-7".to_owned())];
    Seen { namespace: "lectern-x".into(), workload: Some(workload), pods, others, ..Seen::default() }
}

fn pod(name: &str, phase: &str, ready: &str) -> Value {
    let conditions = json!([{ "type": "PodScheduled", "status": "True" }, { "type": "Ready", "status": ready, "reason": "ContainersNotReady" }]);
    json!({ "metadata": metadata(name), "spec": { "nodeName": "n1", "containers": [] }, "status": { "phase": phase, "conditions": conditions } })
}

fn waiting(field: &str, reason: &str) -> Value {
    let mut pod = pod("lab-7-0", "Pending", "False");
    let state = json!({ "waiting": { "reason": reason, "message": "Back-off pulling image" } });
    pod["status"][field] = json!([{ "name": "x", "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": state }]);
    pod
}

fn refusal(object: (&str, &str), first: &str, last: &str, message: &str) -> Value {
    json!({
        "metadata": { "name": format!("e-{last}"), "namespace": "lectern-x" },
        "involvedObject": { "kind": object.0, "namespace": "lectern-x", "name": "lab-7", "uid": object.1 },
        "type": "Warning",
        "reason": "FailedCreate",
        "message": message,
        "firstTimestamp": first,
        "lastTimestamp": last,
        "count": 4,
    })
}

const OVER: &str = "create Pod lab-7-0 failed: forbidden: exceeded quota: lectern-course, requested: requests.nvidia.com/gpu=2";

#[test]
fn nothing_there_is_absent_and_objects_without_pods_are_idle() {
    assert_eq!(conclude(&Seen::default()).phase, ObservedPhase::Absent);
    assert_eq!(conclude(&notebook(vec![])).phase, ObservedPhase::Idle);
}

#[test]
fn a_lab_is_ready_when_all_its_pods_are() {
    assert_eq!(conclude(&notebook(vec![pod("lab-7-0", "Running", "True")])).phase, ObservedPhase::Ready);
    assert_eq!(conclude(&notebook(vec![pod("lab-7-0", "Running", "False")])).phase, ObservedPhase::Progressing);
    let mut ending = pod("lab-7-0", "Running", "True");
    ending["metadata"]["deletionTimestamp"] = json!(START);
    let seen = conclude(&notebook(vec![ending]));
    assert_eq!((seen.phase, seen.pods, seen.ready), (ObservedPhase::Progressing, 1, 0));
}

#[test]
fn ranks_that_are_done_do_not_make_a_job_unready() {
    let pods = vec![pod("lab-7-0", "Running", "True"), pod("lab-7-1", "Succeeded", "False")];
    let seen = conclude(&training(2, &json!([]), pods));
    assert_eq!((seen.phase, seen.ready), (ObservedPhase::Ready, 1));
}

#[test]
fn a_job_that_completed_is_finished_until_it_is_deleted() {
    let complete = json!([{ "type": "Complete", "status": "True" }]);
    assert_eq!(conclude(&training(1, &complete, vec![pod("lab-7-0", "Succeeded", "False")])).phase, ObservedPhase::Finished);
    let mut ending = training(1, &complete, vec![]);
    if let Some(Workload::Job(job)) = &mut ending.workload {
        job.metadata.deletion_timestamp = Some(read(json!(START)));
    }
    assert_eq!(conclude(&ending).phase, ObservedPhase::Idle);
}

#[test]
fn a_failed_job_tells_how_its_pod_ended() {
    let failed =
        json!([{ "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit" }]);
    let mut dead = pod("lab-7-3", "Failed", "False");
    let state = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
    dead["status"]["containerStatuses"] = json!([{ "name": "lab", "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": state }]);
    let seen = conclude(&training(8, &failed, vec![dead]));
    assert_eq!(seen.phase, ObservedPhase::Failed);
    let (reason, message) = seen.failure.expect("a failure");
    assert_eq!(
        (reason.as_str(), message.as_str()),
        ("BackoffLimitExceeded", "Job has reached the specified backoff limit; lab-7-3: exit code 137 (OOMKilled)")
    );
}

#[test]
fn a_stuck_container_is_a_failure_only_when_it_stays_so() {
    let after = |field: &str, reason: &str, seconds: u64| {
        let mut seen = notebook(vec![waiting(field, reason)]);
        seen.stuck.insert("uid-lab-7-0".into(), Duration::from_secs(seconds));
        conclude(&seen)
    };
    for reason in ["ContainerCreating", "PodInitializing"] {
        assert_eq!(after("containerStatuses", reason, 600).phase, ObservedPhase::Progressing, "{reason}");
    }
    for (field, reason) in [("containerStatuses", "ImagePullBackOff"), ("initContainerStatuses", "CrashLoopBackOff")] {
        assert_eq!(after(field, reason, 29).phase, ObservedPhase::Progressing);
        let seen = after(field, reason, 30);
        assert_eq!(seen.phase, ObservedPhase::Failed);
        assert_eq!(seen.failure, Some((reason.to_owned(), "lab-7-0: Back-off pulling image".to_owned())));
    }
    assert_eq!(after("containerStatuses", "InvalidImageName", 0).phase, ObservedPhase::Failed);
}

#[test]
fn an_image_that_the_registry_does_not_have_fails_at_once() {
    let mut seen = notebook(vec![waiting("containerStatuses", "ErrImagePull")]);
    let of = |message: &str| {
        let object = json!({ "kind": "Pod", "name": "lab-7-0" });
        let metadata = json!({ "name": "e", "namespace": "lectern-x" });
        read(json!({ "metadata": metadata, "involvedObject": object, "reason": "Failed", "message": message, "lastTimestamp": START }))
    };
    seen.events = vec![of("Failed to pull image: dial tcp: i/o timeout")];
    assert_eq!(conclude(&seen).failure, None, "the registry may come back");
    seen.events = vec![of("Failed to pull image: manifest unknown")];
    assert_eq!(conclude(&seen).failure, Some(("ErrImagePull".into(), "lab-7-0: Failed to pull image: manifest unknown".into())));
}

#[test]
fn a_program_that_crashed_three_times_fails_at_once() {
    let with = |restarts: u32| {
        let mut pod = waiting("containerStatuses", "CrashLoopBackOff");
        pod["status"]["containerStatuses"][0]["restartCount"] = json!(restarts);
        conclude(&notebook(vec![pod])).phase
    };
    assert_eq!((with(2), with(3)), (ObservedPhase::Progressing, ObservedPhase::Failed));
}

#[test]
fn a_pod_that_is_on_its_way_out_fails_nothing() {
    let mut stuck = waiting("containerStatuses", "InvalidImageName");
    stuck["metadata"]["deletionTimestamp"] = json!(START);
    assert_eq!(conclude(&notebook(vec![stuck])).failure, None);
}

#[test]
fn pods_refused_for_a_while_are_a_failure_and_for_a_moment_are_not() {
    let with = |first: &str, last: &str| {
        let mut seen = notebook(vec![]);
        seen.events = vec![read(refusal(("StatefulSet", "uid-lab-7"), first, last, OVER))];
        conclude(&seen)
    };
    let seen = with("2026-11-21T11:00:00Z", "2026-11-21T11:00:20Z");
    assert_eq!(seen.phase, ObservedPhase::Failed);
    assert_eq!(seen.failure.expect("a failure").0, "QuotaExceeded");
    let seen = with("2026-11-21T11:00:00Z", "2026-11-21T11:00:10Z");
    assert_eq!((seen.phase, seen.failure), (ObservedPhase::Idle, None));
    let created = seen.conditions.iter().find(|condition| condition.kind == "PodsCreated").expect("a condition");
    assert_eq!((created.status, created.reason.as_str()), (ConditionStatus::False, "QuotaExceeded"));
    let seen = with("2026-11-21T10:00:00Z", "2026-11-21T10:30:00Z");
    assert_eq!(seen.failure, None, "that was before the last start");
    let seen = with("2026-11-21T10:00:00Z", "2026-11-21T11:00:01Z");
    assert_eq!(seen.failure, None, "what came before the last start does not count");
}

#[test]
fn refusals_of_another_object_of_the_same_name_do_not_count() {
    let mut seen = notebook(vec![]);
    let (first, last) = ("2026-11-21T11:00:00Z", "2026-11-21T11:10:00Z");
    seen.events = vec![read(refusal(("StatefulSet", "uid-of-the-one-before"), first, last, OVER))];
    assert_eq!(conclude(&seen).failure, None);
    seen.events = vec![read(refusal(("StatefulSet", "uid-lab-7"), first, last, "create Pod lab-7-0 failed: is invalid"))];
    assert_eq!(conclude(&seen).failure.expect("a failure").0, "FailedCreate");
}

#[test]
fn a_pod_that_waits_for_a_card_is_told_as_a_condition() {
    let mut pending = pod("lab-7-0", "Pending", "False");
    let message = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.";
    pending["status"]["conditions"] = json!([{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message }]);
    let seen = conclude(&notebook(vec![pending]));
    assert_eq!((seen.phase, seen.failure), (ObservedPhase::Progressing, None));
    let scheduled = &seen.conditions[0];
    assert_eq!((scheduled.kind.as_str(), scheduled.reason.as_str()), ("Scheduled", "Unschedulable"));
    assert_eq!(scheduled.message, format!("lab-7-0: {message}"));
}

#[test]
fn a_claim_that_waits_says_why_and_a_lost_one_fails_the_lab() {
    let mut seen = notebook(vec![]);
    seen.volume = Some(read(json!({ "metadata": metadata("lab-7"), "status": { "phase": "Pending" } })));
    seen.events = vec![read(json!({
        "metadata": { "name": "e", "namespace": "lectern-x" },
        "involvedObject": { "kind": "PersistentVolumeClaim", "name": "lab-7" },
        "reason": "ProvisioningFailed",
        "message": "storageclass not found",
        "lastTimestamp": START,
    }))];
    let bound = conclude(&seen).conditions.remove(0);
    assert_eq!((bound.kind.as_str(), bound.reason.as_str(), bound.message.as_str()), ("VolumeBound", "ProvisioningFailed", "storageclass not found"));
    let mut ending = metadata("lab-7");
    ending["deletionTimestamp"] = json!(START);
    seen.volume = Some(read(json!({ "metadata": ending, "status": { "phase": "Bound" } })));
    let bound = conclude(&seen).conditions.remove(0);
    assert_eq!((bound.status, bound.reason.as_str()), (ConditionStatus::False, "Terminating"), "whatever its phase");
    seen.volume = Some(read(json!({ "metadata": metadata("lab-7"), "status": { "phase": "Lost" } })));
    assert_eq!(conclude(&seen).failure.expect("a failure").0, "VolumeLost");
}

#[test]
fn events_come_newest_first_whatever_field_carries_their_time() {
    let event = |name: &str, times: Value| {
        let mut event =
            json!({ "metadata": { "name": name, "namespace": "lectern-x" }, "involvedObject": { "kind": "Pod", "name": "lab-7-0" }, "reason": name });
        event.as_object_mut().expect("an object").extend(times.as_object().expect("an object").clone());
        read(event)
    };
    let mut seen = notebook(vec![]);
    seen.events = vec![
        event("older", json!({ "lastTimestamp": "2026-11-21T10:00:00Z" })),
        event(
            "newest",
            json!({ "eventTime": "2026-11-21T10:00:01.000000Z", "series": { "count": 7, "lastObservedTime": "2026-11-21T10:05:00.000000Z" } }),
        ),
        event("newer", json!({ "eventTime": "2026-11-21T10:00:02.500000Z" })),
    ];
    let events = conclude(&seen).events;
    assert_eq!(events.iter().map(|event| (event.reason.as_str(), event.count)).collect::<Vec<_>>(), [("newest", 7), ("newer", 1), ("older", 1)]);
    assert_eq!(events[0].object, "Pod/lab-7-0");
}

#[test]
fn a_pod_on_a_lost_node_is_not_ready_because_of_the_node() {
    let mut lost = pod("lab-7-0", "Running", "False");
    lost["status"]["conditions"][1]["reason"] = Value::Null;
    let why = |seen: &Seen| {
        let conditions = conclude(seen).conditions;
        conditions.into_iter().find(|condition| condition.kind == "Ready").expect("a condition").reason
    };
    let mut seen = notebook(vec![lost]);
    assert_eq!(why(&seen), "ContainersNotReady", "never that it runs");
    seen.lost_nodes.insert("n1".into());
    assert_eq!(why(&seen), "NodeNotReady");
    seen.lost_nodes.clear();
    seen.events = vec![read(json!({
        "metadata": { "name": "e", "namespace": "lectern-x" },
        "involvedObject": { "kind": "Pod", "namespace": "lectern-x", "name": "lab-7-0" },
        "reason": "NodeNotReady",
        "lastTimestamp": START,
    }))];
    assert_eq!(why(&seen), "NodeNotReady", "as the event says, where nodes are not watched");
}

#[test]
fn an_event_that_stands_for_several_says_what_they_say() {
    let mut seen = notebook(vec![]);
    let message = "(combined from similar events): create Pod lab-7-0 failed: exceeded quota: lectern-course";
    seen.events = vec![read(refusal(("StatefulSet", "uid-lab-7"), "2026-11-21T11:00:01Z", "2026-11-21T11:01:00Z", message))];
    let observation = conclude(&seen);
    assert_eq!(observation.events[0].message, message.strip_prefix("(combined from similar events): ").expect("the mark"));
    let (reason, told) = observation.failure.expect("a failure");
    assert_eq!((reason.as_str(), told.as_str()), ("QuotaExceeded", observation.events[0].message.as_str()));
}

#[test]
fn more_pods_than_were_ordered_are_not_waited_for_and_fewer_are_not_enough() {
    let mut more = notebook(vec![pod("lab-7-0", "Running", "True"), pod("lab-7-1", "Pending", "False")]);
    let Some(Workload::StatefulSet(set)) = &mut more.workload else { panic!("a set") };
    set.spec.as_mut().expect("a specification").replicas = Some(3);
    more.ordered = Some(1);
    assert_eq!(conclude(&more).phase, ObservedPhase::Ready);
    let mut fewer = notebook(vec![pod("lab-7-0", "Running", "True")]);
    fewer.ordered = Some(2);
    assert_eq!(conclude(&fewer).phase, ObservedPhase::Progressing);
}

/// A pod that was made, and then was not ready any more.
fn gone(name: &str, phase: &str, made: &str, lost: &str) -> Value {
    let mut gone = pod(name, phase, "False");
    gone["metadata"]["creationTimestamp"] = json!(made);
    gone["status"]["conditions"][1]["lastTransitionTime"] = json!(lost);
    gone
}

#[test]
fn a_lab_ends_with_its_last_try_and_not_with_a_rank_that_is_done() {
    let (early, late) = ("2026-11-21T10:30:00Z", "2026-11-21T12:00:00Z");
    let failed = json!([{ "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "lastTransitionTime": "2026-11-21T12:00:01Z" }]);
    let tries = vec![gone("lab-7-a", "Failed", START, early), gone("lab-7-b", "Failed", "2026-11-21T10:31:00Z", late)];
    let observation = conclude(&training(1, &failed, tries));
    assert_eq!((observation.phase, observation.ended_at), (ObservedPhase::Failed, Timestamp::parse_rfc3339(late)));

    let ranks = vec![gone("lab-7-0", "Succeeded", START, early), gone("lab-7-1", "Running", START, late)];
    let observation = conclude(&training(2, &json!([]), ranks));
    assert_eq!((observation.phase, observation.ended_at), (ObservedPhase::Progressing, Timestamp::parse_rfc3339(late)));

    let evicted = vec![gone("lab-7-a", "Failed", START, early), gone("lab-7-b", "Running", "2026-11-21T10:31:00Z", late)];
    assert_eq!(conclude(&notebook(evicted)).ended_at, Timestamp::parse_rfc3339(late), "the one that took its place was lost later");
    let first = vec![gone("lab-7-a", "Failed", START, early), pod("lab-7-b", "Running", "True")];
    let mut seen = notebook(first);
    seen.ordered = Some(2);
    assert_eq!(conclude(&seen).ended_at, Timestamp::parse_rfc3339(early), "one of two, and nothing in its place yet");
}

#[test]
fn members_are_the_pods_of_this_generation_that_are_not_ending_in_order_of_rank() {
    let rank = |rank: &str, generation: &str| {
        let mut pod = pod(&format!("lab-7-{rank}-abcde"), "Running", "True");
        pod["metadata"]["annotations"] = json!({ (GENERATION): generation, "batch.kubernetes.io/job-completion-index": rank });
        pod["spec"]["containers"] = json!([{ "name": "lab" }, { "name": "logs" }]);
        pod["spec"]["initContainers"] = json!([{ "name": "code" }]);
        pod
    };
    let mut ending = rank("1", "2");
    ending["metadata"]["deletionTimestamp"] = json!(START);
    let mut starting = rank("10", "2");
    starting["status"]["conditions"][1]["status"] = json!("False");
    let mut seen = training(11, &json!([]), vec![starting, rank("9", "2"), ending, rank("0", "1")]);
    seen.pods.sort_by_key(order_of_pods);
    let members = seen.members(2);
    let told: Vec<_> = members.iter().map(|pod| (pod.name.as_str(), pod.uid.as_str(), pod.ready)).collect();
    assert_eq!(told, [("lab-7-9-abcde", "uid-lab-7-9-abcde", true), ("lab-7-10-abcde", "uid-lab-7-10-abcde", false)]);
    assert_eq!(members[0].containers, ["lab", "logs"]);
    assert_eq!(members[0].init_containers, ["code"]);
    assert_eq!(seen.members(1).len(), 3, "without the one that is ending");
}

#[test]
fn a_member_tells_when_it_was_made_and_how_it_ended() {
    let mut failed = gone("lab-7-a", "Failed", START, "2026-11-21T10:30:00Z");
    failed["status"]["containerStatuses"] = json!([{
        "name": "lab", "image": "x", "imageID": "", "ready": false, "restartCount": 0,
        "state": { "terminated": { "exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-21T10:30:00Z" } },
    }]);
    let mut running = pod("lab-7-b", "Running", "True");
    running["metadata"]["creationTimestamp"] = json!("2026-11-21T10:31:00Z");
    let members = training(1, &json!([]), vec![failed, running]).members(0);
    let told: Vec<_> = members.iter().map(|pod| (pod.made_at, pod.end.as_ref().map(|end| (end.exit_code, end.reason.as_str())))).collect();
    assert_eq!(told, [(Timestamp::parse_rfc3339(START), Some((137, "OOMKilled"))), (Timestamp::parse_rfc3339("2026-11-21T10:31:00Z"), None)]);
}
