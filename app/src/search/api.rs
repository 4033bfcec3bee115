//! Searching over everything that the reader may see.

use domain::search::Hit;
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// Everything, the audit record included where the reader may read it.
#[server(Search, endpoint = "search/all", input = GetUrl)]
pub async fn search(#[server(default)] q: String) -> Result<Vec<Hit>, AppError> {
    use crate::caller::{caller, services};
    Ok(services::search::search(&services()?, &caller()?, &q, services::search::Depth::Everything).await?)
}

/// While somebody types: without the audit record.
#[server(SearchTyping, endpoint = "search/typing", input = GetUrl)]
pub async fn typing(#[server(default)] q: String) -> Result<Vec<Hit>, AppError> {
    use crate::caller::{caller, services};
    Ok(services::search::search(&services()?, &caller()?, &q, services::search::Depth::Typing).await?)
}
