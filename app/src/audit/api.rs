//! Searching the audit record.

use domain::{audit::Listed, page::Page};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// The search as it stands in the URL. Days are campus days, `2026-11-21`; `to` is included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    pub person: String,
    pub action: String,
    pub object: String,
    pub outcome: String,
    pub text: String,
    pub from: String,
    pub to: String,
    pub after: String,
}

impl Query {
    /// Whether anything narrows the list.
    pub fn is_narrow(&self) -> bool {
        [&self.person, &self.action, &self.object, &self.outcome, &self.text, &self.from, &self.to].into_iter().any(|text| !text.is_empty())
    }
}

#[server(SearchAudit, endpoint = "audit/search", input = GetUrl)]
pub async fn search(#[server(default)] query: Query) -> Result<Page<Listed>, AppError> {
    use crate::caller::{caller, services};
    let filter = super::filters::parse(&query)?;
    let page = domain::page::PageRequest { after: Some(query.after).filter(|after| !after.is_empty()), ..Default::default() };
    Ok(services::audit::search(&services()?, &caller()?, &filter, &page).await?)
}

#[server(GetAuditEvent, endpoint = "audit/get", input = GetUrl)]
pub async fn get(id: String) -> Result<Listed, AppError> {
    use crate::caller::{caller, id_of, services};
    Ok(services::audit::get(&services()?, &caller()?, id_of(&id)?).await?)
}
