//! What the first page shows.

use domain::dashboard::Dashboard;
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

#[server(ReadDashboard, endpoint = "home/dashboard", input = GetUrl)]
pub async fn dashboard() -> Result<Dashboard, AppError> {
    use crate::caller::{caller, services};
    Ok(services::dashboard::get(&services()?, &caller()?).await?)
}
