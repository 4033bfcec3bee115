//! The `Cluster` port over Kubernetes; each method is a file of its own.

use async_trait::async_trait;
use domain::{
    courses::Course,
    labs::{Observation, Volume},
    quotas::Amounts,
};
use futures::stream::BoxStream;
use services::ports::{
    Change, ClusterError, ClusterInfo, Connection, Exec, ExecRequest, Fleet, Growth, LabOrder, LogRequest, LogStream, PodLoad, PodTarget, Workloads,
};

use crate::{capabilities::Capabilities, client::Kubernetes, manifests, watch};

#[async_trait]
impl Workloads for Kubernetes {
    async fn start(&self, order: &LabOrder) -> Result<(), ClusterError> {
        self.start_lab(order).await
    }

    async fn remake(&self, order: &LabOrder) -> Result<(), ClusterError> {
        self.remake_lab(order).await
    }

    async fn keep_end(&self, order: &LabOrder) -> Result<(), ClusterError> {
        self.keep_lab_end(order).await
    }

    async fn keep_secret(&self, order: &LabOrder) -> Result<(), ClusterError> {
        self.keep_own_secret(order).await
    }

    async fn stop(&self, order: &LabOrder) -> Result<(), ClusterError> {
        self.stop_lab(order).await
    }

    async fn destroy(&self, order: &LabOrder, last_of_course: bool) -> Result<u32, ClusterError> {
        self.destroy_lab(order, last_of_course).await
    }

    async fn observe(&self, order: &LabOrder) -> Result<Observation, ClusterError> {
        self.observe_lab(order).await
    }

    async fn volume(&self, order: &LabOrder) -> Result<Option<Volume>, ClusterError> {
        self.volume_of_lab(order).await
    }

    async fn check_growth(&self, order: &LabOrder, gib: u32) -> Result<Growth, ClusterError> {
        self.check_volume_growth(order, gib).await
    }

    async fn repair(&self, order: &LabOrder) -> Result<u32, ClusterError> {
        self.repair_lab(order).await
    }

    async fn grow_volume(&self, order: &LabOrder) -> Result<bool, ClusterError> {
        self.grow_claim(order).await
    }

    fn manifests(&self, order: &LabOrder) -> String {
        manifests::yaml(order, self.known_capabilities().unwrap_or(Capabilities::CURRENT))
    }

    async fn connect(&self, pod: &PodTarget, port: u16) -> Result<Connection, ClusterError> {
        self.connect_to_pod(pod, port).await
    }

    async fn exec(&self, pod: &PodTarget, request: &ExecRequest) -> Result<Exec, ClusterError> {
        self.exec_in_pod(pod, request).await
    }

    async fn logs(&self, pod: &PodTarget, request: &LogRequest) -> Result<LogStream, ClusterError> {
        self.logs_of_pod(pod, request).await
    }

    async fn load(&self, pod: &PodTarget) -> Result<Option<PodLoad>, ClusterError> {
        self.load_of_pod(pod).await
    }
}

#[async_trait]
impl Fleet for Kubernetes {
    async fn info(&self) -> Result<ClusterInfo, ClusterError> {
        self.cluster_info().await
    }

    async fn set_quota(&self, course: &Course, limits: &Amounts) -> Result<(), ClusterError> {
        self.apply_quota(course, limits).await
    }

    fn watch(&self) -> BoxStream<'static, Change> {
        watch::changes(self.clone())
    }
}
