//! The cluster as a whole: nodes, quotas of courses, and the watch.

use async_trait::async_trait;
use domain::{courses::Course, quotas::Amounts};
use futures::stream::BoxStream;

use super::{Change, ClusterError, ClusterInfo};

/// A cluster as operators see it. Every call may be repeated and may be cut off anywhere.
#[async_trait]
pub trait Fleet: Send + Sync + 'static {
    /// Version and nodes, with what holds their cards; from what a running watch knows where there is one.
    async fn info(&self) -> Result<ClusterInfo, ClusterError>;

    /// Brings the course's ResourceQuota in line with the portal's; nothing happens when the namespace is not there.
    async fn set_quota(&self, course: &Course, limits: &Amounts) -> Result<(), ClusterError>;

    /// Changes as they happen, for ever; breaks are reported as `Away` and mended inside, followed by `All`.
    fn watch(&self) -> BoxStream<'static, Change>;
}
