//! Reading the nodes.

use domain::nodes::NodesView;
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

#[server(ListNodes, endpoint = "nodes/list", input = GetUrl)]
pub async fn list_nodes() -> Result<NodesView, AppError> {
    use crate::caller::{caller, services};
    Ok(services::nodes::list(&services()?, &caller()?).await?)
}
