//! A cluster in memory behind the [`Cluster`] port, for tests of use cases only: no API server, no scheduler.
//! Pods of a started lab are ready at once unless [`FakeCluster::hold_pods`] said otherwise. A test answers connections to their ports by
//! [`FakeCluster::listen`].

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{
    cluster::{Hold, Load, Node, Obstacle},
    courses::Course,
    gpu::Card,
    ids::LabId,
    labs::{LabPod, ObjectRef, Observation, ObservedPhase, Volume},
    quotas::Amounts,
    time::Timestamp,
};
use futures::{FutureExt, StreamExt, stream::BoxStream};
use tokio::{
    io::DuplexStream,
    sync::{broadcast, mpsc, oneshot},
};
use tokio_stream::wrappers::BroadcastStream;

use crate::ports::{
    Change, ClusterError, ClusterInfo, Connection, Exec, ExecRequest, Fleet, Growth, LabOrder, PodLoad, PodTarget, TerminalSize, Workloads,
};

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
    /// Who takes the programs that are started in each lab's pods.
    hosts: BTreeMap<LabId, mpsc::Sender<FakeProgram>>,
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
            hosts: BTreeMap::new(),
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
    /// From now on the storage class forbids growing volumes; a start leaves them as they are.
    pub fn fix_volumes(&self) {
        self.state().fixed_volumes = true;
    }
    /// From now on the storage class allows growing volumes again.
    pub fn free_volumes(&self) {
        self.state().fixed_volumes = false;
    }
    /// Sets the size of the lab's volume, as another client could.
    pub fn set_volume(&self, lab: LabId, capacity_gib: u32, requested_gib: u32) {
        let mut state = self.state();
        let volume = state.volumes.get_mut(&lab).expect("the lab has a volume");
        (volume.capacity_gib, volume.requested_gib) = (Some(capacity_gib), requested_gib);
        drop(state);
        self.tell(Change::Lab(lab));
    }
    /// Another client changes an object of the lab: `NetworkPolicy/lab-7`.
    pub fn drift(&self, lab: LabId, object: &str) {
        self.state().drift.entry(lab).or_default().push(object.into());
        self.tell(Change::Lab(lab));
    }
    /// Another client deletes the lab's workload and leaves its pods.
    pub fn orphan_pods(&self, lab: LabId) {
        self.change(lab, |observation| observation.objects.retain(|object| !matches!(object.kind.as_str(), "StatefulSet" | "Deployment" | "Job")));
    }
    /// Another client deletes the lab's objects, but not its volume.
    pub fn delete_objects(&self, lab: LabId) {
        self.state().labs.remove(&lab);
        self.tell(Change::Lab(lab));
    }
    /// Another client deletes the course's namespace with everything in it.
    pub fn delete_namespace(&self) {
        let mut state = self.state();
        state.labs.clear();
        state.volumes.clear();
        drop(state);
        self.tell(Change::All);
    }
    /// From now on every change is blocked, until `None` is set.
    pub fn block(&self, obstacle: Option<Obstacle>) {
        self.state().blocked = obstacle;
    }
    /// From now on the watch sees this.
    pub fn see(&self, obstacles: &[Obstacle]) {
        self.state().seen = obstacles.to_vec();
    }
    /// From now on every stop is refused, until `None` is set.
    pub fn refuse_stops(&self, refusal: Option<(&str, &str)>) {
        self.state().refuse_stops = refusal.map(|(reason, message)| (reason.into(), message.into()));
    }
    /// From now on nothing is answered.
    pub fn go_away(&self) {
        self.state().away = true;
        self.tell(Change::Away("no route to host".into()));
    }
    pub fn come_back(&self) {
        self.state().away = false;
        self.tell(Change::All);
    }
    /// The next `start` is refused with Kubernetes' reason and message.
    pub fn refuse_next_start(&self, reason: &str, message: &str) {
        self.state().refuse = Some((reason.into(), message.into()));
    }
    /// Pods of labs started from now on stay unready until [`Self::make_ready`].
    pub fn hold_pods(&self) {
        self.state().hold_pods = true;
    }
    pub fn make_ready(&self, lab: LabId) {
        self.change(lab, |observation| {
            observation.ready = observation.pods;
            observation.phase = ObservedPhase::Ready;
            observation.failure = None;
            observation.members.iter_mut().for_each(|pod| pod.ready = true);
        });
    }
    /// A pod that was ready is not any more.
    pub fn lose_pod(&self, lab: LabId) {
        self.change(lab, |observation| {
            observation.ready = observation.ready.saturating_sub(1);
            observation.phase = ObservedPhase::Progressing;
            if let Some(pod) = observation.members.iter_mut().rev().find(|pod| pod.ready) {
                pod.ready = false;
            }
        });
    }
    /// Other pods of the same names take the place of the lab's, and are ready.
    pub fn replace_pods(&self, lab: LabId) {
        let mut state = self.state();
        let State { labs, pods_made, .. } = &mut *state;
        for pod in &mut labs.get_mut(&lab).expect("the cluster has the lab").members {
            *pods_made += 1;
            pod.uid = uid(*pods_made);
        }
        drop(state);
        self.tell(Change::Lab(lab));
    }
    /// Connections to this port of the lab's pods, whichever they are, arrive here from now on: what is written into one is what the
    /// caller of `connect` reads. Until then, and when the receiver is dropped, nothing listens.
    ///
    /// ```ignore
    /// let mut connections = world.cluster.listen(lab, 8_888);
    /// tokio::spawn(async move {
    ///     while let Some(connection) = connections.recv().await {
    ///         let (mut from, mut to) = tokio::io::split(connection);
    ///         tokio::spawn(async move { tokio::io::copy(&mut from, &mut to).await });
    ///     }
    /// });
    /// ```
    pub fn listen(&self, lab: LabId, port: u16) -> mpsc::Receiver<DuplexStream> {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        self.state().listeners.insert((lab, port), sender);
        receiver
    }
    /// Programs in the lab's pods arrive here from now on. Until then, and when the receiver is dropped, none can be started.
    pub fn host(&self, lab: LabId) -> mpsc::Receiver<FakeProgram> {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        self.state().hosts.insert(lab, sender);
        receiver
    }
    /// The cluster measures the lab's pods from now on: each uses so many thousandths of a core.
    pub fn measure(&self, lab: LabId, cpu_millicores: u64) {
        self.state().cpu_millicores.insert(lab, cpu_millicores);
    }
    pub fn fail(&self, lab: LabId, reason: &str, message: &str) {
        self.change(lab, |observation| {
            observation.ready = 0;
            observation.members.iter_mut().for_each(|pod| pod.ready = false);
            observation.phase = ObservedPhase::Failed;
            observation.failure = Some((reason.into(), message.into()));
        });
    }
    /// Makes the pods ready, since an instant by the cluster's clock.
    pub fn make_ready_since(&self, lab: LabId, since: Timestamp) {
        self.make_ready(lab);
        self.change(lab, |observation| observation.ready_since = Some(since));
    }
    /// Sets the time that the cluster reports for the end of the lab's pods.
    pub fn ended_at(&self, lab: LabId, at: Timestamp) {
        self.change(lab, |observation| observation.ended_at = Some(at));
    }
    /// When the cluster will end the lab's pods.
    pub fn end_of(&self, lab: LabId) -> Option<Timestamp> {
        self.state().ends.get(&lab).copied()
    }
    /// Advances the cluster's clock to `now`: it ends pods whose time is over, even if the portal is down.
    pub fn pass_to(&self, now: Timestamp) {
        let over: Vec<_> = self.state().ends.iter().filter(|(_, end)| **end <= now).map(|(lab, _)| *lab).collect();
        for lab in over {
            self.state().ends.remove(&lab);
            self.change(lab, |observation| *observation = without_pods(observation));
        }
    }
    /// Every rank of a job ended well.
    pub fn finish(&self, lab: LabId) {
        self.change(lab, |observation| {
            observation.ready = 0;
            observation.members.iter_mut().for_each(|pod| pod.ready = false);
            observation.phase = ObservedPhase::Finished;
        });
    }
    /// Deletions leave this many objects behind until it is 0 again.
    pub fn set_stuck_objects(&self, count: u32) {
        self.state().stuck = count;
    }
    /// Replaces all nodes by ready ones of (name, card, count).
    pub fn set_nodes(&self, nodes: &[(&str, &str, u32)]) {
        self.state().nodes = nodes.iter().map(|(name, card, count)| node(name, card, *count)).collect();
        self.tell(Change::Nodes);
    }
    /// A pod on this node holds cards from now on.
    pub fn hold(&self, node: &str, hold: Hold) {
        self.state().nodes.iter_mut().find(|known| known.name == node).expect("the node").holds.push(hold);
        self.tell(Change::Nodes);
    }
    /// The node takes so many pods from now on.
    pub fn set_pod_slots(&self, node: &str, slots: u32) {
        self.state().nodes.iter_mut().find(|known| known.name == node).expect("the node").pods = Some(slots);
        self.tell(Change::Nodes);
    }
    /// Pods other than labs request this much on the node.
    pub fn load_others(&self, node: &str, cpu_millis: u64, memory_mib: u64) {
        let mut state = self.state();
        let node = state.nodes.iter_mut().find(|known| known.name == node).expect("the node");
        node.loads = vec![Load { lab: None, cpu_millis, memory_mib, pods: 1 }];
        drop(state);
        self.tell(Change::Nodes);
    }
    /// Adds a taint to the node that labs do not tolerate.
    pub fn taint(&self, node: &str, taint: &str) {
        self.state().nodes.iter_mut().find(|known| known.name == node).expect("the node").taints.push(taint.into());
        self.tell(Change::Nodes);
    }
    /// Something on the node reports its temperature.
    pub fn report_temperature(&self, node: &str, celsius: i32) {
        self.state().nodes.iter_mut().find(|known| known.name == node).expect("the node").temperature = Some(celsius);
    }
    /// Whether any object of the lab is there.
    pub fn holds(&self, lab: LabId) -> bool {
        self.state().labs.contains_key(&lab)
    }
    /// The quota that a namespace was given last.
    pub fn quota_of(&self, namespace: &str) -> Option<Amounts> {
        self.state().quotas.get(namespace).copied()
    }
    /// Every call so far: `start lab-2047`.
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

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
                LabPod { name, uid: uid(self.pods_made), ready, containers: vec!["lab".into()], init_containers: init_containers.clone() }
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

fn objects(order: &LabOrder) -> Vec<ObjectRef> {
    let object = |api_version: &str, kind: &str| ObjectRef {
        api_version: api_version.into(),
        kind: kind.into(),
        namespace: order.lab.namespace.clone(),
        name: order.lab.name.clone(),
    };
    let workload = match order.lab.spec.workload {
        workload if workload.ends() => object("batch/v1", "Job"),
        workload if workload.is_deployment() => object("apps/v1", "Deployment"),
        _ => object("apps/v1", "StatefulSet"),
    };
    let mut objects = vec![workload, object("v1", "Service")];
    if order.lab.spec.storage_gib > 0 {
        objects.push(object("v1", "PersistentVolumeClaim"));
    }
    objects
}

#[async_trait]
impl Workloads for FakeCluster {
    async fn start(&self, order: &LabOrder) -> Result<(), ClusterError> {
        let id = order.lab.id;
        {
            let mut state = self.changed(format!("start {}", order.lab.name))?;
            if let Some((reason, message)) = state.refuse.take() {
                return Err(ClusterError::Refused { reason, message });
            }
            state.provide_volume(order);
            if let Some(observation) = state.labs.get_mut(&id).filter(|observation| observation.pods > 0) {
                observation.objects = objects(order);
                return Ok(());
            }
            let pods = order.lab.spec.nodes;
            let (ready, phase) = if state.hold_pods { (0, ObservedPhase::Progressing) } else { (pods, ObservedPhase::Ready) };
            let nodes = state.nodes.first().map(|node| node.name.clone()).into_iter().cycle().take(pods as usize).collect();
            let members = state.make_pods(order, ready == pods);
            state.generations.insert(id, order.lab.lifecycle.generation);
            state.ends.extend(order.lab.stops_at().map(|end| (id, end)));
            state.labs.insert(id, Observation { pods, ready, phase, nodes, objects: objects(order), members, ..Observation::default() });
        }
        self.tell(Change::Lab(id));
        Ok(())
    }

    async fn keep_end(&self, order: &LabOrder) -> Result<(), ClusterError> {
        let mut state = self.called(format!("keep_end {}", order.lab.name))?;
        if let Some(end) = order.lab.stops_at() {
            state.ends.insert(order.lab.id, end);
        }
        Ok(())
    }

    async fn stop(&self, order: &LabOrder) -> Result<(), ClusterError> {
        let id = order.lab.id;
        let mut state = self.changed(format!("stop {}", order.lab.name))?;
        if let Some((reason, message)) = state.refuse_stops.clone() {
            return Err(ClusterError::Refused { reason, message });
        }
        if let Some(observation) = state.labs.get_mut(&id) {
            *observation = without_pods(observation);
        }
        drop(state);
        self.tell(Change::Lab(id));
        Ok(())
    }

    async fn destroy(&self, order: &LabOrder, last_of_course: bool) -> Result<u32, ClusterError> {
        let id = order.lab.id;
        let left = {
            let mut state = self.changed(format!("destroy {}", order.lab.name))?;
            if state.stuck == 0 {
                state.labs.remove(&id);
                state.ends.remove(&id);
                state.volumes.remove(&id);
                if last_of_course {
                    state.quotas.remove(&order.lab.namespace);
                }
            }
            state.stuck
        };
        self.tell(Change::Lab(id));
        Ok(left)
    }

    async fn observe(&self, order: &LabOrder) -> Result<Observation, ClusterError> {
        let state = self.called(format!("observe {}", order.lab.name))?;
        let mut seen = state.labs.get(&order.lab.id).cloned().unwrap_or_default();
        if state.generations.get(&order.lab.id).is_some_and(|made| *made < order.lab.lifecycle.generation) {
            seen.outdated = seen.pods;
        }
        seen.drift = state.drift.get(&order.lab.id).cloned().unwrap_or_default();
        seen.volume = state.volumes.get(&order.lab.id).cloned();
        Ok(seen)
    }

    async fn volume(&self, order: &LabOrder) -> Result<Option<Volume>, ClusterError> {
        Ok(self.called(format!("volume {}", order.lab.name))?.volumes.get(&order.lab.id).cloned())
    }

    async fn check_growth(&self, order: &LabOrder, _: u32) -> Result<Growth, ClusterError> {
        let state = self.changed(format!("check_growth {}", order.lab.name))?;
        Ok(if state.fixed_volumes { Growth::NotSupported } else { Growth::Allowed })
    }

    async fn repair(&self, order: &LabOrder) -> Result<u32, ClusterError> {
        let mut state = self.changed(format!("repair {}", order.lab.name))?;
        let repaired = state.drift.remove(&order.lab.id).unwrap_or_default();
        Ok(u32::try_from(repaired.len()).unwrap_or(u32::MAX))
    }

    async fn grow_volume(&self, order: &LabOrder) -> Result<bool, ClusterError> {
        let mut state = self.changed(format!("grow_volume {}", order.lab.name))?;
        Ok(state.volumes.contains_key(&order.lab.id) && state.provide_volume(order))
    }

    fn manifests(&self, order: &LabOrder) -> String {
        objects(order)
            .iter()
            .map(|object| {
                format!(
                    "apiVersion: {}\nkind: {}\nmetadata:\n  name: {}\n  namespace: {}\n",
                    object.api_version, object.kind, object.name, object.namespace
                )
            })
            .collect::<Vec<_>>()
            .join("---\n")
    }

    async fn connect(&self, pod: &PodTarget, port: u16) -> Result<Connection, ClusterError> {
        let state = self.called(format!("connect {} {port}", pod.name))?;
        let lab = state.lab_of(pod)?;
        let refused = || ClusterError::Busy(format!("nothing listens on port {port} of {}", pod.name));
        let listener = state.listeners.get(&(lab, port)).ok_or_else(refused)?;
        let (near, far) = tokio::io::duplex(CONNECTION_BUFFER);
        listener.try_send(far).map_err(|_| refused())?;
        Ok(Box::new(near))
    }

    async fn exec(&self, pod: &PodTarget, request: &ExecRequest) -> Result<Exec, ClusterError> {
        let state = self.called(format!("exec {}", pod.name))?;
        let lab = state.labs.iter().find(|(_, seen)| seen.members.iter().any(|member| member.uid == pod.uid)).map(|(lab, _)| *lab);
        let lab = lab.ok_or_else(|| ClusterError::Busy(format!("the pod {} is gone", pod.name)))?;
        let refused = || ClusterError::Refused { reason: "InternalError".into(), message: "exec: \"/bin/sh\": not found".into() };
        let host = state.hosts.get(&lab).ok_or_else(refused)?;
        let (stdin, far_stdin) = tokio::io::duplex(CONNECTION_BUFFER);
        let (stdout, far_stdout) = tokio::io::duplex(CONNECTION_BUFFER);
        let (resize, sizes) = mpsc::channel(8);
        let (exit, ended) = oneshot::channel();
        let program = FakeProgram { request: request.clone(), stdin: far_stdin, stdout: far_stdout, sizes, exit };
        host.try_send(program).map_err(|_| refused())?;
        let broken = || ClusterError::Away("the connection ended before the program".into());
        Ok(Exec {
            stdin: Box::new(stdin),
            stdout: Box::new(stdout),
            stderr: None,
            resize: request.terminal.then_some(resize),
            exit: ended.map(move |code| code.map_err(|_| broken())).boxed(),
        })
    }

    async fn load(&self, pod: &PodTarget) -> Result<Option<PodLoad>, ClusterError> {
        let state = self.called(format!("load {}", pod.name))?;
        let lab = state.lab_of(pod)?;
        Ok(state.cpu_millicores.get(&lab).map(|cpu_millicores| PodLoad { cpu_millicores: *cpu_millicores }))
    }
}

#[async_trait]
impl Fleet for FakeCluster {
    async fn info(&self) -> Result<ClusterInfo, ClusterError> {
        let state = self.called("info".into())?;
        Ok(ClusterInfo { version: "v1.33.0".into(), nodes: state.nodes.clone(), obstacles: state.seen.clone() })
    }

    async fn set_quota(&self, course: &Course, limits: &Amounts) -> Result<(), ClusterError> {
        self.changed(format!("set_quota {}", course.namespace))?.quotas.insert(course.namespace.clone(), *limits);
        Ok(())
    }

    fn watch(&self) -> BoxStream<'static, Change> {
        let changes = BroadcastStream::new(self.changes.subscribe()).map(|change| change.unwrap_or(Change::All));
        futures::stream::once(async { Change::All }).chain(changes).boxed()
    }
}
