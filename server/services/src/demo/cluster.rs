//! The cluster of the demonstration term: it does what it is told at once, and the clock moves on by as long as a real one would take.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{
    cluster::Node,
    courses::Course,
    ids::LabId,
    labs::{ClusterEvent, Condition, ConditionStatus, LabPod, ObjectRef, Observation, ObservedPhase, Volume},
    quotas::Amounts,
};
use futures::{StreamExt as _, stream::BoxStream};

use super::{chance::Chance, clock::TermClock};
use crate::ports::{Change, Clock as _, ClusterError, ClusterInfo, Fleet, Growth, LabOrder, Workloads};

pub(super) struct TermCluster {
    clock: Arc<TermClock>,
    version: String,
    nodes: Vec<Node>,
    state: Mutex<State>,
}

struct State {
    chance: Chance,
    labs: BTreeMap<LabId, Observation>,
    /// Reason and message with which the next start fails.
    fault: Option<(String, String)>,
    /// Started and not looked at yet.
    fresh: Vec<LabId>,
}

impl TermCluster {
    pub(super) fn new(clock: Arc<TermClock>, ClusterInfo { version, nodes, .. }: ClusterInfo) -> Self {
        let state = State { chance: Chance::new(7), labs: BTreeMap::new(), fault: None, fresh: Vec::new() };
        Self { clock, version, nodes, state: Mutex::new(state) }
    }

    /// The next lab that is started does not come up.
    pub(super) fn fail_next(&self, reason: &str, message: &str) {
        self.state().fault = Some((reason.into(), message.into()));
    }

    /// Every process of the job has ended well.
    pub(super) fn finish(&self, lab: LabId) {
        if let Some(seen) = self.state().labs.get_mut(&lab) {
            seen.phase = ObservedPhase::Finished;
            seen.ready = 0;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn up(&self, order: &LabOrder, fault: Option<(String, String)>) -> Observation {
        let lab = &order.lab;
        let now = self.clock.now();
        let pods = lab.spec.nodes;
        let node = order.preferred_nodes.first().or_else(|| self.nodes.first().map(|node| &node.name)).cloned().unwrap_or_default();
        let pod = format!("Pod/{}-0", lab.name);
        let event =
            |warning, reason: &str, message: String| ClusterEvent { at: now, warning, reason: reason.into(), message, object: pod.clone(), count: 1 };
        let mut events = vec![event(false, "Scheduled", format!("Successfully assigned {}/{}-0 to {node}", lab.namespace, lab.name))];
        let condition = |kind: &str, status, reason: &str, message: &str| Condition {
            kind: kind.into(),
            status,
            reason: reason.into(),
            message: message.into(),
            since: Some(now),
        };
        let mut conditions = vec![condition("Scheduled", ConditionStatus::True, "", "")];
        let (ready, phase) = match &fault {
            None => {
                events.push(event(false, "Started", "Started container lab".into()));
                conditions.push(condition("Ready", ConditionStatus::True, "", ""));
                (pods, ObservedPhase::Ready)
            }
            Some((reason, message)) => {
                events.push(event(true, "Failed", message.clone()));
                conditions.push(condition("Ready", ConditionStatus::False, reason, message));
                (0, ObservedPhase::Failed)
            }
        };
        let nodes = std::iter::repeat_n(node, pods as usize).collect();
        let member = |rank| LabPod {
            name: format!("{}-{rank}", lab.name),
            uid: format!("{}-{}-{rank}", lab.id, now.micros()),
            generation: lab.lifecycle.generation,
            ready: ready == pods,
            containers: vec!["lab".into()],
            init_containers: Vec::new(),
            made_at: Some(now),
            end: None,
        };
        let members = (0..pods).map(member).collect();
        Observation { pods, ready, phase, failure: fault, nodes, conditions, events, objects: objects(order), members, ..Observation::default() }
    }
}

fn objects(order: &LabOrder) -> Vec<ObjectRef> {
    let object = |api_version: &str, kind: &str| ObjectRef {
        api_version: api_version.into(),
        kind: kind.into(),
        namespace: order.lab.namespace.clone(),
        name: order.lab.name.clone(),
    };
    let mut all = vec![
        match order.lab.spec.workload {
            domain::catalogue::Workload::Notebook => object("apps/v1", "StatefulSet"),
            domain::catalogue::Workload::DistributedJob | domain::catalogue::Workload::BatchJob => object("batch/v1", "Job"),
            domain::catalogue::Workload::CodeEditor | domain::catalogue::Workload::Shell | domain::catalogue::Workload::Inference => {
                object("apps/v1", "Deployment")
            }
        },
        object("v1", "Service"),
    ];
    if order.lab.spec.storage_gib > 0 {
        all.push(object("v1", "PersistentVolumeClaim"));
    }
    all
}

#[async_trait]
impl Workloads for TermCluster {
    async fn start(&self, order: &LabOrder) -> Result<(), ClusterError> {
        let mut state = self.state();
        if state.labs.get(&order.lab.id).is_some_and(|seen| seen.pods > 0) {
            return Ok(());
        }
        let fault = state.fault.take();
        self.clock.pass(1);
        let seen = self.up(order, fault);
        state.labs.insert(order.lab.id, seen);
        state.fresh.push(order.lab.id);
        Ok(())
    }

    async fn keep_end(&self, _: &LabOrder) -> Result<(), ClusterError> {
        Ok(())
    }

    async fn stop(&self, order: &LabOrder) -> Result<(), ClusterError> {
        if let Some(seen) = self.state().labs.get_mut(&order.lab.id) {
            self.clock.pass(2);
            let objects = seen.objects.iter().filter(|object| object.kind == "PersistentVolumeClaim").cloned().collect();
            *seen = Observation { phase: ObservedPhase::Idle, objects, ..Observation::default() };
        }
        Ok(())
    }

    async fn destroy(&self, order: &LabOrder, _last_of_course: bool) -> Result<u32, ClusterError> {
        self.clock.pass(3);
        self.state().labs.remove(&order.lab.id);
        Ok(0)
    }

    async fn observe(&self, order: &LabOrder) -> Result<Observation, ClusterError> {
        let id = order.lab.id;
        let mut state = self.state();
        if let Some(at) = state.fresh.iter().position(|fresh| *fresh == id) {
            state.fresh.remove(at);
            // Placing, pulling what is not there yet, starting.
            let seconds = state.chance.between(9, 48);
            self.clock.pass(seconds);
        }
        Ok(state.labs.get(&id).cloned().unwrap_or_default())
    }

    async fn volume(&self, order: &LabOrder) -> Result<Option<Volume>, ClusterError> {
        let there = self.state().labs.contains_key(&order.lab.id) && order.lab.spec.storage_gib > 0;
        let gib = order.lab.spec.storage_gib;
        Ok(there.then(|| Volume { uid: order.lab.id.to_string(), capacity_gib: Some(gib), requested_gib: gib, lost: false }))
    }

    async fn check_growth(&self, _: &LabOrder, _: u32) -> Result<Growth, ClusterError> {
        Ok(Growth::Allowed)
    }

    async fn repair(&self, _: &LabOrder) -> Result<u32, ClusterError> {
        Ok(0)
    }

    async fn grow_volume(&self, _: &LabOrder) -> Result<bool, ClusterError> {
        Ok(true)
    }

    fn manifests(&self, _: &LabOrder) -> String {
        String::new()
    }
}

#[async_trait]
impl Fleet for TermCluster {
    async fn info(&self) -> Result<ClusterInfo, ClusterError> {
        Ok(ClusterInfo { version: self.version.clone(), nodes: self.nodes.clone(), obstacles: Vec::new() })
    }

    async fn set_quota(&self, _: &Course, _: &Amounts) -> Result<(), ClusterError> {
        Ok(())
    }

    fn watch(&self) -> BoxStream<'static, Change> {
        futures::stream::pending().boxed()
    }
}
