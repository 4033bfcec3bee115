//! A cluster whose calls ask the fuse of a test first: each that changes something may be cut off before it is done or after.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    courses::Course,
    labs::{Observation, Volume},
    quotas::Amounts,
};
use futures::stream::BoxStream;
use storage::testing::fuse::{Fuse, Step, Verdict};

use super::FakeCluster;
use crate::ports::{
    Change, ClusterError, ClusterInfo, Connection, Exec, ExecRequest, Fleet, Growth, LabOrder, LogRequest, LogStream, PodLoad, PodTarget, Workloads,
};

pub struct FragileCluster {
    inner: Arc<FakeCluster>,
    fuse: Fuse,
}

impl FragileCluster {
    pub const fn new(inner: Arc<FakeCluster>, fuse: Fuse) -> Self {
        Self { inner, fuse }
    }

    async fn call<T>(&self, name: &'static str, call: impl Future<Output = Result<T, ClusterError>> + Send) -> Result<T, ClusterError> {
        match self.fuse.step(Step::Call(name)) {
            Verdict::Go => call.await,
            Verdict::Refused => Err(cut_off()),
            Verdict::Unheard => {
                call.await?;
                Err(cut_off())
            }
        }
    }

    fn alive(&self) -> Result<&FakeCluster, ClusterError> {
        if self.fuse.dead() { Err(cut_off()) } else { Ok(&self.inner) }
    }
}

fn cut_off() -> ClusterError {
    ClusterError::Away("the connection was cut off".into())
}

#[async_trait]
impl Workloads for FragileCluster {
    async fn start(&self, order: &LabOrder) -> Result<(), ClusterError> {
        self.call("start", self.inner.start(order)).await
    }

    async fn remake(&self, order: &LabOrder) -> Result<(), ClusterError> {
        self.call("remake", self.inner.remake(order)).await
    }

    async fn keep_end(&self, order: &LabOrder) -> Result<(), ClusterError> {
        self.call("keep_end", self.inner.keep_end(order)).await
    }

    async fn stop(&self, order: &LabOrder) -> Result<(), ClusterError> {
        self.call("stop", self.inner.stop(order)).await
    }

    async fn destroy(&self, order: &LabOrder, last_of_course: bool) -> Result<u32, ClusterError> {
        self.call("destroy", self.inner.destroy(order, last_of_course)).await
    }

    async fn observe(&self, order: &LabOrder) -> Result<Observation, ClusterError> {
        self.alive()?.observe(order).await
    }

    async fn volume(&self, order: &LabOrder) -> Result<Option<Volume>, ClusterError> {
        self.alive()?.volume(order).await
    }

    async fn check_growth(&self, order: &LabOrder, gib: u32) -> Result<Growth, ClusterError> {
        self.alive()?.check_growth(order, gib).await
    }

    async fn repair(&self, order: &LabOrder) -> Result<u32, ClusterError> {
        self.call("repair", self.inner.repair(order)).await
    }

    async fn grow_volume(&self, order: &LabOrder) -> Result<bool, ClusterError> {
        self.call("grow_volume", self.inner.grow_volume(order)).await
    }

    fn manifests(&self, order: &LabOrder) -> String {
        self.inner.manifests(order)
    }

    async fn connect(&self, pod: &PodTarget, port: u16) -> Result<Connection, ClusterError> {
        self.alive()?.connect(pod, port).await
    }

    async fn exec(&self, pod: &PodTarget, request: &ExecRequest) -> Result<Exec, ClusterError> {
        self.call("exec", self.inner.exec(pod, request)).await
    }

    async fn logs(&self, pod: &PodTarget, request: &LogRequest) -> Result<LogStream, ClusterError> {
        self.alive()?.logs(pod, request).await
    }

    async fn load(&self, pod: &PodTarget) -> Result<Option<PodLoad>, ClusterError> {
        self.alive()?.load(pod).await
    }
}

#[async_trait]
impl Fleet for FragileCluster {
    async fn info(&self) -> Result<ClusterInfo, ClusterError> {
        self.alive()?.info().await
    }

    async fn set_quota(&self, course: &Course, limits: &Amounts) -> Result<(), ClusterError> {
        self.call("set_quota", self.inner.set_quota(course, limits)).await
    }

    fn watch(&self) -> BoxStream<'static, Change> {
        self.inner.watch()
    }
}
