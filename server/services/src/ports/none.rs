//! The cluster of programs that drive none.

use async_trait::async_trait;
use domain::{
    courses::Course,
    labs::{Observation, Volume},
    quotas::Amounts,
};
use futures::{StreamExt as _, stream::BoxStream};

use super::{Change, ClusterError, ClusterInfo, Fleet, Growth, LabOrder, Workloads};

/// Nothing in it can be asked or changed, and nothing happens.
#[derive(Debug)]
pub struct NoCluster;

fn none<T>() -> Result<T, ClusterError> {
    Err(ClusterError::Away("there is no cluster".to_owned()))
}

#[async_trait]
impl Workloads for NoCluster {
    async fn start(&self, _: &LabOrder) -> Result<(), ClusterError> {
        none()
    }
    async fn keep_end(&self, _: &LabOrder) -> Result<(), ClusterError> {
        none()
    }
    async fn stop(&self, _: &LabOrder) -> Result<(), ClusterError> {
        none()
    }
    async fn destroy(&self, _: &LabOrder, _: bool) -> Result<u32, ClusterError> {
        none()
    }
    async fn observe(&self, _: &LabOrder) -> Result<Observation, ClusterError> {
        none()
    }
    async fn volume(&self, _: &LabOrder) -> Result<Option<Volume>, ClusterError> {
        none()
    }
    async fn check_growth(&self, _: &LabOrder, _: u32) -> Result<Growth, ClusterError> {
        none()
    }
    async fn repair(&self, _: &LabOrder) -> Result<u32, ClusterError> {
        none()
    }
    async fn grow_volume(&self, _: &LabOrder) -> Result<bool, ClusterError> {
        none()
    }
    fn manifests(&self, _: &LabOrder) -> String {
        String::new()
    }
}

#[async_trait]
impl Fleet for NoCluster {
    async fn info(&self) -> Result<ClusterInfo, ClusterError> {
        none()
    }
    async fn set_quota(&self, _: &Course, _: &Amounts) -> Result<(), ClusterError> {
        none()
    }
    fn watch(&self) -> BoxStream<'static, Change> {
        futures::stream::pending().boxed()
    }
}
