//! Searching the audit record, what is kept of searches, and the state of the chains.

use domain::{
    audit::{
        Inspected, Listed, SavedSearch,
        run::{ChainCard, Run},
    },
    page::Window,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::{error::AppError, routes};

/// The search as it stands in the URL. Days are campus days, `2026-11-21`; `to` is included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    pub person: String,
    pub action: String,
    pub object: String,
    pub outcome: String,
    pub via: String,
    pub address: String,
    pub text: String,
    pub from: String,
    pub to: String,
    pub range: String,
    /// `true` finds the reader's own readings of the record as well.
    pub own_reads: String,
    /// `timeline`, or empty for the list. How it is shown, not what is searched.
    pub view: String,
    pub after: String,
    /// Where the page after this one begins, on the way back.
    pub before: String,
}

impl Query {
    /// Takes each parameter by its name.
    pub fn read(mut get: impl FnMut(&str) -> String) -> Self {
        Self {
            person: get("person"),
            action: get("action"),
            object: get("object"),
            outcome: get("outcome"),
            via: get("via"),
            address: get("address"),
            text: get("text"),
            from: get("from"),
            to: get("to"),
            range: get("range"),
            own_reads: get("own_reads"),
            view: get("view"),
            after: get("after"),
            before: get("before"),
        }
    }

    /// The conditions by name; empty ones included.
    pub fn conditions(&self) -> [(&'static str, &str); 11] {
        // Without `..`: a new condition must find its way into links and exports.
        let Self { person, action, object, outcome, via, address, text, from, to, range, own_reads, view: _, after: _, before: _ } = self;
        [
            ("text", text),
            ("person", person),
            ("action", action),
            ("object", object),
            ("outcome", outcome),
            ("via", via),
            ("address", address),
            ("from", from),
            ("to", to),
            ("range", range),
            ("own_reads", own_reads),
        ]
    }

    /// The page that shows it, from `after` on.
    pub fn link(&self, after: &str) -> String {
        let mut pairs = self.conditions().to_vec();
        pairs.extend([("view", self.view.as_str()), ("after", after)]);
        routes::with_query(routes::AUDIT, &pairs)
    }

    /// The page before the one that begins with `before`.
    pub fn newer_link(&self, before: &str) -> String {
        let mut pairs = self.conditions().to_vec();
        pairs.extend([("view", self.view.as_str()), ("before", before)]);
        routes::with_query(routes::AUDIT, &pairs)
    }

    /// Whether anything narrows the list.
    pub fn is_narrow(&self) -> bool {
        self.conditions().iter().any(|(_, value)| !value.is_empty())
    }
}

#[server(SearchAudit, endpoint = "audit/search", input = GetUrl)]
pub async fn search(#[server(default)] query: Query) -> Result<Window<Listed>, AppError> {
    use crate::caller::{caller, services};
    let filter = super::filters::parse(&query)?;
    let page = domain::page::PageRequest { after: Some(query.after).filter(|after| !after.is_empty()), ..Default::default() };
    let before = Some(query.before.as_str()).filter(|before| !before.is_empty());
    Ok(services::audit::browse(&services()?, &caller()?, &filter, &page, before).await?)
}

#[server(GetAuditEvent, endpoint = "audit/get", input = GetUrl)]
pub async fn get(id: String) -> Result<Inspected, AppError> {
    use crate::caller::{caller, id_of, services};
    Ok(services::audit::get(&services()?, &caller()?, id_of(&id)?).await?)
}

#[server(AuditChain, endpoint = "audit/chain", input = GetUrl)]
pub async fn chain() -> Result<ChainCard, AppError> {
    use crate::caller::{caller, services};
    Ok(services::audit::runs::chain_card(&services()?, &caller()?).await?)
}

/// By which the page finds what the last try left behind.
pub const FORM: &str = "audit";

#[server(VerifyAudit, endpoint = "audit/verify")]
pub async fn verify() -> Result<Run, AppError> {
    use crate::caller::*;
    let result = async { Ok(services::audit::runs::ask(&services()?, &caller()?).await?) }.await;
    answer(FORM, routes::AUDIT, typed([]), result, |_| routes::AUDIT.to_owned()).await
}

#[server(SavedSearches, endpoint = "audit/searches", input = GetUrl)]
pub async fn saved() -> Result<Vec<SavedSearch>, AppError> {
    use crate::caller::{caller, services};
    Ok(services::audit::searches::list(&services()?, &caller()?).await?)
}

/// `shared` is `on` when it is ticked.
#[server(SaveSearch, endpoint = "audit/save-search")]
pub async fn save_search(
    #[server(default)] name: String,
    #[server(default)] shared: Option<String>,
    #[server(default)] query: Query,
) -> Result<(), AppError> {
    use crate::caller::*;
    let result = async {
        let filter = super::filters::parse(&query)?;
        services::audit::searches::save(&services()?, &caller()?, &name, &filter, shared.is_some()).await?;
        Ok(())
    }
    .await;
    answer(FORM, routes::AUDIT, typed([("name", &name)]), result, |()| query.link("")).await
}

#[server(DeleteSearch, endpoint = "audit/delete-search")]
pub async fn delete_search(id: String) -> Result<(), AppError> {
    use crate::caller::*;
    let result = async { Ok(services::audit::searches::delete(&services()?, &caller()?, id_of(&id)?).await?) }.await;
    answer(FORM, routes::AUDIT, typed([]), result, |()| routes::AUDIT.to_owned()).await
}
