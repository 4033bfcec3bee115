//! The cluster in memory as the use cases see it.

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    courses::Course,
    labs::{ObjectRef, Observation, ObservedPhase, Volume},
    quotas::Amounts,
};
use futures::{FutureExt, StreamExt, stream::BoxStream};
use tokio::{
    io::AsyncReadExt as _,
    sync::{mpsc, oneshot},
};
use tokio_stream::wrappers::BroadcastStream;

use super::{CONNECTION_BUFFER, FakeCluster, FakeProgram, without_pods};
use crate::ports::{
    Change, ClusterError, ClusterInfo, Connection, Exec, ExecRequest, Fleet, Growth, LabOrder, LogRequest, LogStream, PodLoad, PodTarget, Workloads,
};

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
            state.own_secrets.extend(order.own_secret.clone().map(|secret| (id, secret)));
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
        let state = self.changed(format!("connect {} {port}", pod.name))?;
        let lab = state.lab_of(pod)?;
        let refused = || ClusterError::Busy(format!("nothing listens on port {port} of {}", pod.name));
        let listener = state.listeners.get(&(lab, port)).ok_or_else(refused)?;
        let (near, far) = tokio::io::duplex(CONNECTION_BUFFER);
        listener.try_send(far).map_err(|_| refused())?;
        Ok(Box::new(near))
    }

    async fn exec(&self, pod: &PodTarget, request: &ExecRequest) -> Result<Exec, ClusterError> {
        let state = self.changed(format!("exec {}", pod.name))?;
        let lab = state.labs.iter().find(|(_, seen)| seen.members.iter().any(|member| member.uid == pod.uid)).map(|(lab, _)| *lab);
        let lab = lab.ok_or_else(|| ClusterError::Busy(format!("the pod {} is gone", pod.name)))?;
        let refused = || ClusterError::Refused { reason: "InternalError".into(), message: "exec: \"/bin/sh\": not found".into() };
        let (stdin, far_stdin) = tokio::io::duplex(CONNECTION_BUFFER);
        let (stdout, far_stdout) = tokio::io::duplex(CONNECTION_BUFFER);
        let (resize, sizes) = mpsc::channel(8);
        let (exit, ended) = oneshot::channel();
        let program = FakeProgram { request: request.clone(), stdin: far_stdin, stdout: far_stdout, sizes, exit };
        match (state.hosts.get(&lab), state.answer) {
            (Some(host), _) => host.try_send(program).map_err(|_| refused())?,
            (None, Some(code)) => drop(tokio::spawn(answer(program, code))),
            (None, None) => return Err(refused()),
        }
        let broken = || ClusterError::Away("the connection ended before the program".into());
        Ok(Exec {
            stdin: Box::new(stdin),
            stdout: Box::new(stdout),
            stderr: None,
            resize: request.terminal.then_some(resize),
            exit: ended.map(move |code| code.map_err(|_| broken())).boxed(),
        })
    }

    async fn logs(&self, pod: &PodTarget, request: &LogRequest) -> Result<LogStream, ClusterError> {
        let state = self.called(format!("logs {} {}", pod.name, request.container))?;
        let lab = state.lab_of(pod)?;
        let unsupported = || ClusterError::Refused { reason: "NotSupported".into(), message: "no logs are set".into() };
        let text = state.logs.get(&lab).cloned().ok_or_else(unsupported)??;
        Ok(futures::stream::iter([Ok(Bytes::from(text))]).boxed())
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

async fn answer(mut program: FakeProgram, code: i32) {
    let mut read = Vec::new();
    while read != b".\n" && !read.ends_with(b"\n.\n") && matches!(program.stdin.read_buf(&mut read).await, Ok(1..)) {}
    // The program that started it may be gone.
    let _ = program.exit.send(code);
}
