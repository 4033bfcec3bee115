//! Labs in a cluster: their objects, their volumes, and what goes in and out of their pods.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use domain::labs::{Observation, Volume};
use futures::stream::BoxStream;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{ClusterError, Growth, LabOrder};

/// A pod of a lab. Its name is used again by the pod after it, so calls are for the pod with this `uid` only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PodTarget {
    pub namespace: String,
    pub name: String,
    pub uid: String,
}

/// What a pod uses of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodLoad {
    /// Thousandths of a core, over the last half minute or so.
    pub cpu_millicores: u64,
}

/// A byte stream both ways.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection to a port of a pod. Dropping it closes it.
pub type Connection = Box<dyn Duplex>;

/// A program to run in a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecRequest {
    pub container: Option<String>,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// With a terminal, `stderr` comes with `stdout`.
    pub terminal: bool,
}

/// Columns and rows of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    pub columns: u16,
    pub rows: u16,
}

/// A program that runs in a pod. Dropping it closes its streams; the program itself may go on.
pub struct Exec {
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// `None` with a terminal.
    pub stderr: Option<Box<dyn AsyncRead + Send + Unpin>>,
    /// `None` without a terminal.
    pub resize: Option<tokio::sync::mpsc::Sender<TerminalSize>>,
    /// Gives the exit code, once; errors say why there is none.
    pub exit: futures::future::BoxFuture<'static, Result<i32, ClusterError>>,
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exec").field("terminal", &self.resize.is_some()).finish_non_exhaustive()
    }
}

/// Which part of a container's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogRequest {
    /// May be an init container.
    pub container: String,
    /// Stays open and gives new lines as they are written.
    pub follow: bool,
    /// The log of the container's run before this one.
    pub previous: bool,
    /// Only so many of the last lines.
    pub tail: Option<u32>,
    /// Only lines of this time until now.
    pub since: Option<Duration>,
    /// Each line begins with its time, RFC 3339.
    pub timestamps: bool,
}

/// Pieces of a log as they come; a line may be cut between two.
pub type LogStream = BoxStream<'static, Result<Bytes, ClusterError>>;

fn unsupported<T>(call: &str) -> Result<T, ClusterError> {
    Err(ClusterError::Refused { reason: "NotSupported".into(), message: format!("this cluster has no {call}") })
}

/// A cluster as far as a lab needs it. Every call may be repeated and may be cut off anywhere.
#[async_trait]
pub trait Workloads: Send + Sync + 'static {
    /// Makes the cluster hold what a started lab needs: namespace, quota, limits, network policy, service account, volume,
    /// service, workload. Server-side apply; unchanged objects stay as they are.
    async fn start(&self, order: &LabOrder) -> Result<(), ClusterError>;

    /// [`Self::start`] for a running lab whose workload another client deleted. Errors: `Busy` if that happens again and again.
    async fn remake(&self, order: &LabOrder) -> Result<(), ClusterError> {
        self.start(order).await
    }

    /// Makes the cluster end the lab's pods when its time is over, even if the portal is down then. Called after the lab's end was moved;
    /// [`Self::start`] does it too. Repeating it for the same end costs nothing.
    async fn keep_end(&self, order: &LabOrder) -> Result<(), ClusterError>;

    /// Writes the Secret with the lab's own secret again if that was not done for a while: it is never read, so a change of another client is
    /// not seen. Costs nothing in between.
    async fn keep_secret(&self, _order: &LabOrder) -> Result<(), ClusterError> {
        Ok(())
    }

    /// Takes the pods away and keeps the volume.
    async fn stop(&self, order: &LabOrder) -> Result<(), ClusterError>;

    /// Deletes every object of the lab, and the course's namespace when `last_of_course`. Returns how many objects are still there:
    /// 0 means that nothing is left.
    async fn destroy(&self, order: &LabOrder, last_of_course: bool) -> Result<u32, ClusterError>;

    /// The lab's volume, read from the server even while a watch runs; `None` if there is none.
    async fn volume(&self, order: &LabOrder) -> Result<Option<Volume>, ClusterError>;

    /// Whether the lab's volume can grow to `gib`: checks its storage class, and has the server validate the change by a dry run. Errors:
    /// `Refused` if the server would refuse it for another reason than the class.
    async fn check_growth(&self, order: &LabOrder, gib: u32) -> Result<Growth, ClusterError>;

    /// Restores objects of the lab that another client changed or deleted (isolation, address, pod template, number of pods), as far as a
    /// running watch has seen it. Only a restored template replaces the pods. Returns how many objects were restored.
    async fn repair(&self, order: &LabOrder) -> Result<u32, ClusterError>;

    /// Grows the lab's volume to the lab's size. `false` if there is none, or if it cannot grow and stays as it is.
    async fn grow_volume(&self, order: &LabOrder) -> Result<bool, ClusterError>;

    /// What the cluster has of a lab now.
    async fn observe(&self, order: &LabOrder) -> Result<Observation, ClusterError>;

    /// Manifests that `start` would apply, as YAML documents, for people to read.
    fn manifests(&self, order: &LabOrder) -> String;

    /// Connects to a port of the pod. Errors: `Busy` if the pod is gone, is another one by now, or nothing listens on the port.
    async fn connect(&self, _pod: &PodTarget, _port: u16) -> Result<Connection, ClusterError> {
        unsupported("connections to pods")
    }

    /// Runs a program in the pod. Errors: as of [`Self::connect`]; `Blocked` if the portal's role lacks the right.
    async fn exec(&self, _pod: &PodTarget, _request: &ExecRequest) -> Result<Exec, ClusterError> {
        unsupported("exec")
    }

    /// The log of a container of the pod. Errors: `Busy` if the container has not started yet, the pod is gone or is another one by now;
    /// `Refused` with reason `BadRequest` if there is no such container or no earlier run of it.
    async fn logs(&self, _pod: &PodTarget, _request: &LogRequest) -> Result<LogStream, ClusterError> {
        unsupported("logs")
    }

    /// What the pod uses; `None` where the cluster does not measure it, may not be asked, or has not measured this pod yet.
    async fn load(&self, _pod: &PodTarget) -> Result<Option<PodLoad>, ClusterError> {
        Ok(None)
    }
}
