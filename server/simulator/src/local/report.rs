//! What the pod's status says of its containers: each change of one writes the whole.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::Local;
use crate::{
    controllers::{kubelet, pod_template::set_condition},
    ops::{
        Writer,
        update::{self, Part},
    },
    stamp,
    store::Key,
    value,
};

/// Which list of the pod a container is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    Initial,
    Main,
}

#[derive(Debug, Clone)]
pub enum State {
    Waiting { reason: &'static str, message: String },
    Running { started: String, is_ready: bool },
    Ended { started: String, finished: String, code: i32 },
}

#[derive(Debug)]
struct Entry {
    list: List,
    name: String,
    image: String,
    state: State,
    restarts: i64,
    last: Value,
}

#[derive(Debug)]
pub struct Report {
    local: Arc<Local>,
    key: Key,
    uid: String,
    entries: Mutex<Vec<Entry>>,
}

impl Report {
    /// All containers wait. What an earlier worker said to run was ended with the server.
    pub fn new(local: &Arc<Local>, key: &Key, pod: &Value) -> Self {
        let of = |list: List, containers: &str, statuses: &str| {
            let known = value::items(pod, statuses).to_vec();
            let entry = move |container: &Value| {
                let before = known.iter().find(|status| status["name"] == container["name"]);
                let (mut restarts, mut last) = before.map_or((0, json!({})), |status| {
                    (value::int(status, "/restartCount").unwrap_or_default(), status.get("lastState").cloned().unwrap_or_else(|| json!({})))
                });
                let ran = before.and_then(|status| status.pointer("/state/running").or_else(|| status.pointer("/state/terminated")));
                if let Some(ran) = ran.filter(|_| list == List::Main) {
                    restarts += 1;
                    let (started, now) = (value::text(ran, "/startedAt"), stamp::now());
                    last = json!({"terminated": {"exitCode": 255, "reason": "Unknown", "startedAt": started, "finishedAt": now}});
                }
                let (name, image) = (value::text(container, "/name").to_owned(), value::text(container, "/image").to_owned());
                let state = State::Waiting { reason: "ContainerCreating", message: String::new() };
                Entry { list, name, image, state, restarts, last }
            };
            value::items(pod, containers).iter().map(entry).collect::<Vec<_>>()
        };
        let mut entries = of(List::Initial, "/spec/initContainers", "/status/initContainerStatuses");
        entries.extend(of(List::Main, "/spec/containers", "/status/containerStatuses"));
        Self { local: Arc::clone(local), key: key.clone(), uid: value::uid(pod).to_owned(), entries: Mutex::new(entries) }
    }

    /// The number of the container's run, from 0.
    pub fn run(&self, name: &str) -> i64 {
        self.with(|entries| entries.iter().find(|entry| entry.name == name).map_or(0, |entry| entry.restarts))
    }

    pub fn waits(&self, name: &str, reason: &'static str, message: &str) {
        self.set(name, |entry| entry.state = State::Waiting { reason, message: message.to_owned() });
    }

    pub fn runs(&self, name: &str, is_ready: bool) {
        self.set(name, |entry| entry.state = State::Running { started: stamp::now(), is_ready });
    }

    pub fn ready(&self, name: &str) {
        self.set(name, |entry| {
            if let State::Running { is_ready, .. } = &mut entry.state {
                *is_ready = true;
            }
        });
    }

    pub fn ended(&self, name: &str, code: i32) {
        self.set(name, |entry| {
            let started = match &entry.state {
                State::Running { started, .. } => started.clone(),
                _ => stamp::now(),
            };
            entry.state = State::Ended { started, finished: stamp::now(), code };
        });
    }

    /// The container waits for its next run.
    pub fn again(&self, name: &str, reason: &'static str, message: &str) {
        self.set(name, |entry| {
            entry.last = entry.state.shown();
            entry.restarts += 1;
            entry.state = State::Waiting { reason, message: message.to_owned() };
        });
    }

    /// Says the state as it is, at the beginning.
    pub fn write(&self) {
        self.with(|entries| self.publish(entries, None));
    }

    /// The pod has ended as a whole.
    pub fn over(&self, phase: &'static str) {
        self.with(|entries| self.publish(entries, Some(phase)));
    }

    /// Records an Event about the pod.
    pub fn say(&self, reason: &str, message: String) {
        let mut txn = self.local.store.write();
        if let Some(pod) = txn.get(&self.key).filter(|pod| value::uid(pod) == self.uid) {
            kubelet::say(&mut txn, &pod, reason, message);
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<Entry>) -> T) -> T {
        work(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, name: &str, change: impl FnOnce(&mut Entry)) {
        self.with(|entries| {
            if let Some(entry) = entries.iter_mut().find(|entry| entry.name == name) {
                change(entry);
                self.publish(entries, None);
            }
        });
    }

    fn publish(&self, entries: &[Entry], over: Option<&'static str>) {
        let mut txn = self.local.store.write();
        if txn.get(&self.key).is_none_or(|pod| value::uid(&pod) != self.uid) {
            return;
        }
        let of = |list: List| entries.iter().filter(move |entry| entry.list == list);
        let is_initialised = of(List::Initial).all(|entry| matches!(entry.state, State::Ended { code: 0, .. }));
        let has_begun = of(List::Main).any(|entry| entry.restarts > 0 || !matches!(entry.state, State::Waiting { .. }));
        let is_ready = over.is_none() && of(List::Main).all(|entry| matches!(entry.state, State::Running { is_ready: true, .. }));
        let phase = over.unwrap_or(if has_begun { "Running" } else { "Pending" });
        let initial: Vec<_> = of(List::Initial).map(|entry| entry.status(&self.uid)).collect();
        let main: Vec<_> = of(List::Main).map(|entry| entry.status(&self.uid)).collect();
        let address = kubelet::free_address(&txn);
        update::modify(&mut txn, &self.key, Part::Status, &Writer::controller("kubelet"), |pod| {
            let host = kubelet::host_ip(pod);
            value::set_default(pod, &["status", "startTime"], stamp::now());
            value::set(pod, &["status", "phase"], phase);
            value::set(pod, &["status", "hostIP"], host.as_str());
            value::set(pod, &["status", "hostIPs"], json!([{"ip": host}]));
            if has_begun && value::text(pod, "/status/podIP").is_empty() {
                value::set(pod, &["status", "podIP"], address.as_str());
                value::set(pod, &["status", "podIPs"], json!([{"ip": address}]));
            }
            set_condition(pod, "PodReadyToStartContainers", if has_begun { "True" } else { "False" }, "", "");
            if is_initialised {
                set_condition(pod, "Initialized", "True", "", "");
            } else {
                set_condition(pod, "Initialized", "False", "ContainersNotInitialized", "");
            }
            let (reason, message) = match over {
                Some("Succeeded") => ("PodCompleted", String::new()),
                Some(_) => ("PodFailed", String::new()),
                None => ("ContainersNotReady", kubelet::unready(pod)),
            };
            for kind in ["Ready", "ContainersReady"] {
                if is_ready {
                    set_condition(pod, kind, "True", "", "");
                } else {
                    set_condition(pod, kind, "False", reason, &message);
                }
            }
            value::set(pod, &["status", "containerStatuses"], main);
            if !initial.is_empty() {
                value::set(pod, &["status", "initContainerStatuses"], initial);
            }
        });
    }
}

impl Entry {
    fn status(&self, uid: &str) -> Value {
        let Self { list, name, image, state, restarts, last } = self;
        let (is_ready, has_started) = match state {
            State::Waiting { .. } => (false, false),
            State::Running { is_ready, .. } => (*is_ready, true),
            State::Ended { code, .. } => (*list == List::Initial && *code == 0, false),
        };
        let has_run = has_started || matches!(state, State::Ended { .. });
        json!({
            "name": name, "image": image, "imageID": if has_run { format!("process://{image}") } else { String::new() }, "ready": is_ready,
            "restartCount": restarts, "started": has_started, "lastState": last, "state": state.shown(),
            "containerID": if has_run { format!("process://{uid}/{name}/{restarts}") } else { String::new() },
        })
    }
}

impl State {
    fn shown(&self) -> Value {
        match self {
            Self::Waiting { reason, message } if message.is_empty() => json!({"waiting": {"reason": reason}}),
            Self::Waiting { reason, message } => json!({"waiting": {"reason": reason, "message": message}}),
            Self::Running { started, .. } => json!({"running": {"startedAt": started}}),
            Self::Ended { started, finished, code } => {
                let reason = if *code == 0 { "Completed" } else { "Error" };
                json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": finished}})
            }
        }
    }
}
