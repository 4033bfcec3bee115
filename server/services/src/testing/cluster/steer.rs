//! The test's hold on the cluster in memory: changes by other clients, failures, and questions about it.

use domain::{
    cluster::{Hold, Load, Obstacle},
    ids::LabId,
    labs::{LabPod, ObservedPhase, PodEnd},
    quotas::Amounts,
    secret::Secret,
    time::Timestamp,
};
use tokio::{io::DuplexStream, sync::mpsc};

use super::{BACKLOG, FakeCluster, FakeProgram, State, node, uid, without_pods};
use crate::ports::{Change, ClusterError};

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
    /// In labs without a host every program reads lines until one with a single dot from now on, and ends with this code.
    pub fn answer_programs(&self, code: i32) {
        self.state().answer = Some(code);
    }
    /// The cluster measures the lab's pods from now on: each uses so many thousandths of a core.
    pub fn measure(&self, lab: LabId, cpu_millicores: u64) {
        self.state().cpu_millicores.insert(lab, cpu_millicores);
    }
    /// From now on this is the log of every container of the lab.
    pub fn write_log(&self, lab: LabId, text: &str) {
        self.state().logs.insert(lab, Ok(text.into()));
    }
    /// From now on the log of every container of the lab is refused.
    pub fn refuse_logs(&self, lab: LabId, error: ClusterError) {
        self.state().logs.insert(lab, Err(error));
    }
    /// The try that runs fails, and the job makes another pod.
    pub fn fail_try(&self, lab: LabId, exit_code: i32) {
        let mut state = self.state();
        state.pods_made += 1;
        let made = state.pods_made;
        let seen = state.labs.get_mut(&lab).expect("the cluster has the lab");
        let last = seen.members.last_mut().expect("a pod");
        last.ready = false;
        last.end = Some(PodEnd { exit_code, reason: "Error".into(), at: None });
        let (made_at, name) = (last.made_at.map(|at| at.plus_seconds(1)), format!("{}-again", last.name));
        let next = LabPod { name, uid: uid(made), ready: true, made_at, end: None, ..last.clone() };
        seen.members.push(next);
        seen.pods += 1;
        drop(state);
        self.tell(Change::Lab(lab));
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
    /// The own secret that the lab was started with last.
    pub fn own_secret(&self, lab: LabId) -> Option<Secret> {
        self.state().own_secrets.get(&lab).cloned()
    }
    /// Every call so far: `start lab-2047`.
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }
}
