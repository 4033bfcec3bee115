//! The cluster.

use domain::cluster::ClusterStatus;
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

#[server(GetCluster, endpoint = "cluster/get", input = GetUrl)]
pub async fn cluster() -> Result<ClusterStatus, AppError> {
    use crate::caller::{caller, services};
    Ok(services::cluster_status::get(&services()?, &caller()?).await?)
}
