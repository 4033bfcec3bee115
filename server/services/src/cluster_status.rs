//! What the portal last heard of its cluster; kept in the database so that every replica and every restart knows it.

use domain::{Result, cluster::ClusterStatus};

use crate::{Caller, Services};

/// Without a permission check: parts of it are on every page.
pub async fn current(_services: &Services) -> Result<ClusterStatus> {
    todo!()
}

/// With nodes, for operators.
pub async fn get(_services: &Services, _caller: &Caller) -> Result<ClusterStatus> {
    todo!()
}
