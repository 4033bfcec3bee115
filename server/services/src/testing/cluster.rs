//! A cluster in memory behind the [`Cluster`] port, for tests of use cases only: no API server, no scheduler.
//! Pods of a started lab are ready at once unless [`FakeCluster::hold_pods`] said otherwise. A test answers connections to their ports by
//! [`FakeCluster::listen`]. Tests steer it by the methods in `steer`; `port` answers the use cases.

mod port;
mod steer;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{
    cluster::{Node, Obstacle},
    gpu::Card,
    ids::LabId,
    labs::{LabPod, Observation, ObservedPhase, Volume},
    quotas::Amounts,
    secret::Secret,
    time::Timestamp,
};
use tokio::{
    io::DuplexStream,
    sync::{broadcast, mpsc, oneshot},
};

use crate::ports::{Change, ClusterError, ExecRequest, LabOrder, PodTarget, TerminalSize};

/// Bytes that wait in a connection until the other side reads them.
const CONNECTION_BUFFER: usize = 64 * 1_024;
/// Connections that wait until a listener takes them.
const BACKLOG: usize = 1_024;

#[derive(Debug)]
pub struct FakeCluster {
    state: Mutex<State>,
    changes: broadcast::Sender<Change>,
}

#[derive(Debug)]
struct State {
    away: bool,
    refuse: Option<(String, String)>,
    hold_pods: bool,
    /// Objects that a deletion leaves behind, as finalizers do.
    stuck: u32,
    nodes: Vec<Node>,
    labs: BTreeMap<LabId, Observation>,
    /// Generation of each lab's pods.
    generations: BTreeMap<LabId, u32>,
    /// The own secret that each lab was started with.
    own_secrets: BTreeMap<LabId, Secret>,
    /// When the cluster will end each lab's pods.
    ends: BTreeMap<LabId, Timestamp>,
    quotas: BTreeMap<String, Amounts>,
    /// Objects of each lab that another client changed.
    drift: BTreeMap<LabId, Vec<String>>,
    /// Volumes, which outlive their labs' pods.
    volumes: BTreeMap<LabId, Volume>,
    /// Whether the storage class forbids growing volumes.
    fixed_volumes: bool,
    blocked: Option<Obstacle>,
    /// Findings that the watch has for operators.
    seen: Vec<Obstacle>,
    refuse_stops: Option<(String, String)>,
    calls: Vec<String>,
    /// Pods made so far; each has another uid.
    pods_made: u32,
    listeners: BTreeMap<(LabId, u16), mpsc::Sender<DuplexStream>>,
    /// Thousandths of a core that each of the lab's pods uses, where that is measured.
    cpu_millicores: BTreeMap<LabId, u64>,
    /// What each lab's containers wrote; where nothing is set there are no logs.
    logs: BTreeMap<LabId, Result<String, ClusterError>>,
    /// Who takes the programs that are started in each lab's pods.
    hosts: BTreeMap<LabId, mpsc::Sender<FakeProgram>>,
    /// How programs end in labs without a host; `None` if none can be started there.
    answer: Option<i32>,
}

/// The inside of a program that was started in a pod. Dropping `exit` unsent is a connection that broke.
#[derive(Debug)]
pub struct FakeProgram {
    pub request: ExecRequest,
    pub stdin: DuplexStream,
    pub stdout: DuplexStream,
    pub sizes: mpsc::Receiver<TerminalSize>,
    pub exit: oneshot::Sender<i32>,
}

impl Default for FakeCluster {
    fn default() -> Self {
        let whole = |name: &str| node(name, "a100-80g", 8);
        let state = State {
            away: false,
            refuse: None,
            hold_pods: false,
            stuck: 0,
            nodes: vec![whole("gpu-1"), whole("gpu-2"), node("gpu-3", "a100-80g-1g.10gb", 14)],
            labs: BTreeMap::new(),
            generations: BTreeMap::new(),
            own_secrets: BTreeMap::new(),
            ends: BTreeMap::new(),
            quotas: BTreeMap::new(),
            drift: BTreeMap::new(),
            volumes: BTreeMap::new(),
            fixed_volumes: false,
            blocked: None,
            seen: Vec::new(),
            refuse_stops: None,
            calls: Vec::new(),
            pods_made: 0,
            listeners: BTreeMap::new(),
            logs: BTreeMap::new(),
            hosts: BTreeMap::new(),
            answer: None,
            cpu_millicores: BTreeMap::new(),
        };
        Self { state: Mutex::new(state), changes: broadcast::channel(256).0 }
    }
}

/// A ready node of 128 cores and 1 TiB with that many cards of one kind.
pub(super) fn node(name: &str, card: &str, count: u32) -> Node {
    let card: Card = card.parse().expect("a known card");
    Node {
        name: name.into(),
        ready: true,
        cordoned: false,
        product: card.kind().product.into(),
        cards: vec![(card, count)],
        cpu_cores: 128,
        memory_gib: 1_024,
        pods: Some(110),
        vendor: Some(card.kind().vendor),
        driver: Some("550.54.15".into()),
        mig_strategy: None,
        temperature: None,
        troubles: Vec::new(),
        capacity: vec![(card, count)],
        sharing: None,
        taints: Vec::new(),
        loads: Vec::new(),
        holds: Vec::new(),
        events: Vec::new(),
    }
}

impl FakeCluster {
    fn change(&self, lab: LabId, how: impl FnOnce(&mut Observation)) {
        how(self.state().labs.get_mut(&lab).expect("the cluster has the lab"));
        self.tell(Change::Lab(lab));
    }
    fn tell(&self, change: Change) {
        // Nobody may be watching.
        let _ = self.changes.send(change);
    }
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn called(&self, call: String) -> Result<MutexGuard<'_, State>, ClusterError> {
        let mut state = self.state();
        state.calls.push(call);
        if state.away { Err(ClusterError::Away("no route to host".into())) } else { Ok(state) }
    }
    fn changed(&self, call: String) -> Result<MutexGuard<'_, State>, ClusterError> {
        let state = self.called(call)?;
        match &state.blocked {
            Some(obstacle) => Err(ClusterError::Blocked(obstacle.clone())),
            None => Ok(state),
        }
    }
}

impl State {
    /// Makes the lab's volume, or grows it if that is allowed. Returns whether the volume has the lab's size.
    fn provide_volume(&mut self, order: &LabOrder) -> bool {
        let (id, wanted) = (order.lab.id, order.lab.spec.storage_gib);
        if wanted == 0 {
            return false;
        }
        let number = self.calls.len();
        let fixed = self.fixed_volumes;
        let volume = self.volumes.entry(id).or_insert_with(|| Volume {
            uid: format!("{id}-{number}"),
            capacity_gib: Some(wanted),
            requested_gib: wanted,
            lost: false,
        });
        if wanted > volume.requested_gib && !fixed {
            (volume.capacity_gib, volume.requested_gib) = (Some(wanted), wanted);
        }
        volume.requested_gib >= wanted
    }

    /// Errors: `Busy` if the pod is gone.
    fn lab_of(&self, pod: &PodTarget) -> Result<LabId, ClusterError> {
        let lab = self.labs.iter().find(|(_, seen)| seen.members.iter().any(|member| member.uid == pod.uid)).map(|(lab, _)| *lab);
        lab.ok_or_else(|| ClusterError::Busy(format!("the pod {} is gone", pod.name)))
    }

    /// The pods of a lab that is started.
    fn make_pods(&mut self, order: &LabOrder, ready: bool) -> Vec<LabPod> {
        let init_containers: Vec<String> = order.lab.spec.git_url.iter().map(|_| "clone".to_owned()).collect();
        (0..order.lab.spec.nodes)
            .map(|rank| {
                self.pods_made += 1;
                let name = format!("{}-{rank}", order.lab.name);
                LabPod {
                    name,
                    uid: uid(self.pods_made),
                    generation: order.lab.lifecycle.generation,
                    ready,
                    containers: vec!["lab".into()],
                    init_containers: init_containers.clone(),
                    made_at: Some(order.at),
                    end: None,
                }
            })
            .collect()
    }
}

fn uid(number: u32) -> String {
    format!("pod-{number}")
}

/// What the cluster reports about a lab whose pods were deleted.
fn without_pods(before: &Observation) -> Observation {
    let objects = before.objects.iter().filter(|object| object.kind == "PersistentVolumeClaim").cloned().collect();
    Observation { phase: ObservedPhase::Idle, objects, ..Observation::default() }
}
