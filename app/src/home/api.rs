//! The labs of the first page.

use domain::{labs::LabView, page::Page};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// Labs that are not destroyed, newest first; `None` for somebody to whom labs are nothing, which is no refusal.
#[server(HomeLabs, endpoint = "home/labs", input = GetUrl)]
pub async fn labs() -> Result<Option<Page<LabView>>, AppError> {
    use crate::caller::{caller, services};
    use domain::{
        access::{Action, Reach},
        labs::LabFilter,
        page::PageRequest,
    };
    let caller = caller()?;
    if caller.actor.reach(Action::LabRead) == Reach::Nothing {
        return Ok(None);
    }
    let filter = LabFilter { live: true, ..LabFilter::default() };
    Ok(Some(services::labs::list(&services()?, &caller, &filter, &PageRequest { limit: super::page::SHOWN + 1, after: None }).await?))
}
