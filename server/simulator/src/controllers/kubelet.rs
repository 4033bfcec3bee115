//! The simulated kubelets: a bound pod pulls, starts, runs, perhaps ends, and stops when it is deleted. Annotations steer it:
//! `fake-kubelet/` `start-after`, `succeed-after`, `fail-after`, `stop-after` (seconds), `exit-code`, `reason`, `ready`, `waiting`,
//! `restarts`; `cpu` is read by `rest/metrics.rs`. Where labs are processes of this machine, pods without such annotations are left to
//! `local`.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    Context, Work,
    events::{self, Said},
    pod_template::set_condition,
};
use crate::{
    admission::usage::has_ended,
    local::Local,
    ops::{
        Writer,
        delete::{self, Options},
        update::{self, Part},
    },
    registry::Resource,
    stamp,
    store::{Change, Key, Object, Txn},
    value,
};

const COMPONENT: &str = "kubelet";

pub fn observe(context: &mut Context, change: &Change) {
    if change.key.resource == Resource::PersistentVolumeClaims
        && change.new.is_none()
        && let Some(local) = &context.local
    {
        local.remove_volume(&change.key.name);
    }
    if change.key.resource != Resource::Pods {
        return;
    }
    match &change.new {
        Some(pod) if !value::text(pod, "/spec/nodeName").is_empty() => context.queue.push(Work::Pod(change.key.clone())),
        Some(_) => {}
        None => {
            if let Some(old) = &change.old {
                context.queue.forget(value::uid(old));
                if let Some(local) = &context.local {
                    local.forget(value::uid(old));
                }
            }
        }
    }
}

fn steer<'a>(pod: &'a Value, name: &str) -> Option<&'a str> {
    value::annotation(pod, &format!("fake-kubelet/{name}"))
}

fn seconds(pod: &Value, name: &str) -> Option<Duration> {
    steer(pod, name).and_then(|text| text.parse::<f64>().ok()).and_then(|number| Duration::try_from_secs_f64(number).ok())
}

pub fn reconcile(context: &mut Context, key: &Key) {
    let store = Arc::clone(&context.store);
    let mut txn = store.write();
    let Some(pod) = txn.get(key) else { return };
    let (uid, work) = (value::uid(&pod), Work::Pod(key.clone()));
    let node = value::text(&pod, "/spec/nodeName");
    if node.is_empty() || context.faults.has_lost(node) {
        return;
    }
    if let Some(local) = context.local.as_ref().filter(|_| Local::takes(&pod)) {
        drop(txn);
        local.see(key, &pod);
        return;
    }
    if value::is_terminating(&pod) {
        if context.queue.has_passed(uid, "stop", seconds(&pod, "stop-after").unwrap_or(context.pace.stop), &work) {
            stop(&mut txn, key, &pod);
        } else if !has_ended(&pod) && context.queue.is_first(uid, "killing") {
            say_killing(&mut txn, &pod);
        }
        return;
    }
    match value::text(&pod, "/status/phase") {
        "Pending" if is_hanging(&pod) => {}
        "Pending" => {
            let delay = seconds(&pod, "start-after").unwrap_or(context.pace.start);
            if context.queue.has_passed(uid, "start", delay, &work) {
                // On a busy machine both are due at once.
                if context.queue.is_first(uid, "pulling") {
                    pull(&mut txn, key, &pod);
                }
                start(context, &mut txn, key, &pod);
            } else if context.queue.has_passed(uid, "pull", delay / 4, &work) && context.queue.is_first(uid, "pulling") {
                pull(&mut txn, key, &pod);
            }
        }
        "Running" => end_later(context, &mut txn, key, &pod, Duration::MAX),
        _ => {}
    }
}

/// Whether the pod already hangs in the way that it is steered to.
fn is_hanging(pod: &Value) -> bool {
    let shown = value::items(pod, "/status/containerStatuses").first().map(|status| value::text(status, "/state/waiting/reason"));
    steer(pod, "waiting").is_some_and(|reason| shown == Some(reason))
}

fn containers(pod: &Value) -> &[Value] {
    value::items(pod, "/spec/containers")
}

pub fn say(txn: &mut Txn<'_>, pod: &Value, reason: &str, message: String) {
    let host = value::text(pod, "/spec/nodeName").to_owned();
    let said =
        if matches!(reason, "Failed" | "BackOff") { Said::warning(COMPONENT, reason, message) } else { Said::normal(COMPONENT, reason, message) };
    events::record(txn, pod, &said.on(&host));
}

/// While the image comes: the containers wait in `ContainerCreating`.
fn pull(txn: &mut Txn<'_>, key: &Key, pod: &Object) {
    let statuses = statuses(pod, "containers", &|_| json!({"waiting": {"reason": "ContainerCreating"}}), false, false);
    let changed = write(txn, key, |pod| {
        let host = host_ip(pod);
        value::set_default(pod, &["status", "startTime"], stamp::now());
        value::set(pod, &["status", "hostIP"], host.as_str());
        value::set(pod, &["status", "hostIPs"], json!([{"ip": host}]));
        set_condition(pod, "PodReadyToStartContainers", "False", "", "");
        set_condition(pod, "Initialized", "True", "", "");
        let unready = unready(pod);
        set_condition(pod, "Ready", "False", "ContainersNotReady", &unready);
        set_condition(pod, "ContainersReady", "False", "ContainersNotReady", &unready);
        value::set(pod, &["status", "containerStatuses"], statuses);
    });
    if changed.is_some() {
        for container in containers(pod) {
            say(txn, pod, "Pulling", format!("Pulling image {:?}", value::text(container, "/image")));
        }
    }
}

pub fn unready(pod: &Value) -> String {
    let names: Vec<_> = containers(pod).iter().map(|container| value::text(container, "/name")).collect();
    format!("containers with unready status: [{}]", names.join(" "))
}

fn start(context: &mut Context, txn: &mut Txn<'_>, key: &Key, pod: &Object) {
    if let Some(reason) = steer(pod, "waiting") {
        wait(txn, key, pod, reason);
        return;
    }
    let now = stamp::now();
    let is_ready = steer(pod, "ready") != Some("false");
    let running = statuses(pod, "containers", &|_| json!({"running": {"startedAt": now}}), is_ready, true);
    let initial = statuses(
        pod,
        "initContainers",
        &|container| {
            if container["restartPolicy"] == "Always" {
                json!({"running": {"startedAt": now}})
            } else {
                json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}})
            }
        },
        true,
        false,
    );
    let address = free_address(txn);
    write(txn, key, |pod| {
        let host = host_ip(pod);
        value::set(pod, &["status", "phase"], "Running");
        value::set_default(pod, &["status", "startTime"], now.as_str());
        value::set(pod, &["status", "hostIP"], host.as_str());
        value::set(pod, &["status", "hostIPs"], json!([{"ip": host}]));
        value::set(pod, &["status", "podIP"], address.as_str());
        value::set(pod, &["status", "podIPs"], json!([{"ip": address}]));
        set_condition(pod, "PodReadyToStartContainers", "True", "", "");
        set_condition(pod, "Initialized", "True", "", "");
        let unready = unready(pod);
        for kind in ["Ready", "ContainersReady"] {
            if is_ready {
                set_condition(pod, kind, "True", "", "");
            } else {
                set_condition(pod, kind, "False", "ContainersNotReady", &unready);
            }
        }
        value::set(pod, &["status", "containerStatuses"], running);
        if !initial.is_empty() {
            value::set(pod, &["status", "initContainerStatuses"], initial);
        }
    });
    for container in containers(pod) {
        let (name, image) = (value::text(container, "/name"), value::text(container, "/image"));
        say(txn, pod, "Pulled", format!("Container image {image:?} already present on machine"));
        say(txn, pod, "Created", format!("Created container: {name}"));
        say(txn, pod, "Started", format!("Started container {name}"));
    }
    if let Some(pod) = txn.get(key) {
        end_later(context, txn, key, &pod, Duration::ZERO);
    }
}

/// A kubelet that is back finds the pod running, and says so.
pub fn resume(txn: &mut Txn<'_>, key: &Key, pod: &Object) {
    let is_ready = value::items(pod, "/status/containerStatuses").iter().all(|status| value::flag(status, "/ready"));
    if value::text(pod, "/status/phase") == "Running" && is_ready {
        write(txn, key, |pod| set_condition(pod, "Ready", "True", "", ""));
    }
}

/// A pod that is steered to hang.
fn wait(txn: &mut Txn<'_>, key: &Key, pod: &Object, reason: &str) {
    let statuses = statuses(pod, "containers", &|_| json!({"waiting": {"reason": reason, "message": format!("simulated: {reason}")}}), false, false);
    write(txn, key, |pod| {
        value::set_default(pod, &["status", "startTime"], stamp::now());
        set_condition(pod, "Initialized", "True", "", "");
        let unready = unready(pod);
        set_condition(pod, "Ready", "False", "ContainersNotReady", &unready);
        set_condition(pod, "ContainersReady", "False", "ContainersNotReady", &unready);
        value::set(pod, &["status", "containerStatuses"], statuses);
    });
    for container in containers(pod) {
        let (name, image) = (value::text(container, "/name"), value::text(container, "/image"));
        match reason {
            "ImagePullBackOff" | "ErrImagePull" => {
                say(txn, pod, "Failed", format!("Failed to pull image {image:?}: not found"));
                say(txn, pod, "BackOff", format!("Back-off pulling image {image:?}"));
            }
            "CrashLoopBackOff" => say(txn, pod, "BackOff", format!("Back-off restarting failed container {name} in pod {}", value::name(pod))),
            _ => say(txn, pod, "Failed", format!("Error: {reason}")),
        }
    }
}

/// Ends a running pod that is steered to end, when it has run long enough. `ran` is how long at most, where that is known better than by its stamps.
fn end_later(context: &mut Context, txn: &mut Txn<'_>, key: &Key, pod: &Object, ran: Duration) {
    for (name, phase) in [("succeed-after", "Succeeded"), ("fail-after", "Failed")] {
        let Some(after) = steer(pod, name).map(|_| seconds(pod, name).unwrap_or(Duration::from_secs(2))) else { continue };
        let started = value::items(pod, "/status/containerStatuses").first().map_or("", |status| value::text(status, "/state/running/startedAt"));
        let rest = after.saturating_sub(ran.min(stamp::since(started)));
        if context.queue.has_passed(value::uid(pod), name, rest, &Work::Pod(key.clone())) {
            let code = if phase == "Succeeded" { 0 } else { steer(pod, "exit-code").and_then(|text| text.parse().ok()).unwrap_or(1) };
            end(txn, key, pod, phase, code);
            return;
        }
    }
}

fn end(txn: &mut Txn<'_>, key: &Key, pod: &Object, phase: &str, code: i64) {
    let now = stamp::now();
    let why = if code == 0 { "Completed" } else { steer(pod, "reason").unwrap_or("Error") };
    let condition_reason = if code == 0 { "PodCompleted" } else { "PodFailed" };
    let ended = statuses(
        pod,
        "containers",
        &|container| {
            let before = value::items(pod, "/status/containerStatuses").iter().find(|status| status["name"] == container["name"]);
            let started = before.map_or("", |status| value::text(status, "/state/running/startedAt"));
            let started = if started.is_empty() { now.as_str() } else { started };
            json!({"terminated": {"exitCode": code, "reason": why, "startedAt": started, "finishedAt": now}})
        },
        false,
        false,
    );
    write(txn, key, |pod| {
        value::set(pod, &["status", "phase"], phase);
        set_condition(pod, "Initialized", "True", if code == 0 { "PodCompleted" } else { "" }, "");
        set_condition(pod, "Ready", "False", condition_reason, "");
        set_condition(pod, "ContainersReady", "False", condition_reason, "");
        value::set(pod, &["status", "containerStatuses"], ended);
    });
}

fn say_killing(txn: &mut Txn<'_>, pod: &Object) {
    for container in containers(pod) {
        say(txn, pod, "Killing", format!("Stopping container {}", value::text(container, "/name")));
    }
}

/// A deleted pod's containers end, and the pod goes.
pub fn stop(txn: &mut Txn<'_>, key: &Key, pod: &Object) {
    if !has_ended(pod) {
        let is_job = value::items(pod, "/metadata/ownerReferences").iter().any(|owner| owner["kind"] == "Job");
        let (phase, code) = if is_job { ("Failed", 143) } else { ("Succeeded", 0) };
        end(txn, key, pod, phase, code);
    }
    let options = Options { grace_seconds: Some(0), uid: Some(value::uid(pod).to_owned()), ..Options::background() };
    let _ = delete::delete(txn, Resource::Pods.kind(), key, &options, &Writer::controller(COMPONENT));
}

fn write(txn: &mut Txn<'_>, key: &Key, change: impl FnOnce(&mut Value)) -> Option<Object> {
    update::modify(txn, key, Part::Status, &Writer::controller(COMPONENT), change)
}

fn statuses(pod: &Value, list: &str, state: &dyn Fn(&Value) -> Value, is_ready: bool, is_started: bool) -> Vec<Value> {
    let restarts = steer(pod, "restarts").and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
    let previous = if restarts > 0 { last_run(pod) } else { json!({}) };
    let one = |container: &Value| {
        let (name, image) = (value::text(container, "/name"), value::text(container, "/image"));
        let state = state(container);
        let has_run = state.get("waiting").is_none();
        json!({
            "name": name, "image": image, "imageID": if has_run { format!("simulated://{image}") } else { String::new() }, "ready": is_ready,
            "restartCount": restarts, "started": is_started, "lastState": previous, "state": state,
            "containerID": if has_run { format!("simulated://{}/{name}", value::uid(pod)) } else { String::new() },
        })
    };
    value::items(pod, &format!("/spec/{list}")).iter().map(one).collect()
}

/// How a container that is said to have been restarted ended before.
fn last_run(pod: &Value) -> Value {
    let at = value::text(pod, "/metadata/creationTimestamp");
    let id = format!("simulated://{}/previous", value::uid(pod));
    json!({"terminated": {"exitCode": 1, "reason": "Error", "startedAt": at, "finishedAt": at, "containerID": id}})
}

pub fn host_ip(pod: &Value) -> String {
    let node = value::text(pod, "/spec/nodeName");
    let number: u32 = node.rsplit('-').next().and_then(|text| text.parse().ok()).unwrap_or(200);
    format!("10.245.0.{}", number % 250)
}

/// An address that no other pod has.
pub fn free_address(txn: &Txn<'_>) -> String {
    let taken: std::collections::HashSet<&str> = txn.iter(Resource::Pods, "").map(|pod| value::text(pod, "/status/podIP")).collect();
    let mut all = (0_u32..60_000).map(|at| format!("10.244.{}.{}", at / 250, at % 250 + 2));
    all.find(|address| !taken.contains(address.as_str())).unwrap_or_default()
}
