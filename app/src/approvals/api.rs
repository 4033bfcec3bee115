//! The inbox and the decision.

use domain::{
    catalogue::ParameterInput,
    orders::{ApprovalView, OrderState, OrderView},
    page::Page,
    time::Timestamp,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// What waits, and what time it is, so that both sides of the wire count the same waiting time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbox {
    pub page: Page<OrderView>,
    pub now: Timestamp,
    /// For whom the reader stands in, by name, and until when.
    pub stands_in: Vec<(String, Timestamp)>,
}

#[server(ReadInbox, endpoint = "approvals/inbox", input = GetUrl)]
pub async fn read_inbox(#[server(default)] after: String) -> Result<Inbox, AppError> {
    use crate::caller::{caller, services};
    let services = services()?;
    let wanted = domain::page::PageRequest { after: (!after.is_empty()).then_some(after), ..domain::page::PageRequest::default() };
    let caller = caller()?;
    let page = services::orders::waiting(&services, &caller, &wanted).await?;
    let stands_in = services::delegations::stands_in(&services, &caller).await?;
    Ok(Inbox { page, now: services.clock.now(), stands_in })
}

#[server(ReadApproval, endpoint = "approvals/read", input = GetUrl)]
pub async fn read_approval(id: String) -> Result<ApprovalView, AppError> {
    use crate::caller::{caller, id_of, services};
    Ok(services::orders::approval(&services()?, &caller()?, id_of(&id)?).await?)
}

/// What became of the order: enough to say so in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    pub number: i64,
    pub state: OrderState,
}

impl Decided {
    /// The inbox, which says what was done.
    pub fn then(&self) -> String {
        crate::routes::with_query(crate::routes::APPROVALS, &[(self.state.as_str(), &self.number.to_string())])
    }
}

/// By which the page finds what the last try left behind.
pub const FORM: &str = "decision";

/// `seen_version`: what the decider looked at.
#[server(Approve, endpoint = "approvals/approve")]
pub async fn approve(id: String, #[server(default)] seen_version: String) -> Result<Decided, AppError> {
    use crate::{caller, routes};
    let result = async {
        let view = services::orders::approve(&caller::services()?, &caller::caller()?, caller::id_of(&id)?, seen_version.parse().ok()).await?;
        Ok(Decided { number: view.order.number, state: view.order.state })
    }
    .await;
    caller::answer(FORM, &routes::approval(&id), caller::typed([]), result, Decided::then).await
}

/// Approves as changed; `parameters` and `duration_minutes` are empty where nothing changes.
#[server(ApproveWith, endpoint = "approvals/approve-with")]
pub async fn approve_with(
    id: String,
    #[server(default)] parameters: ParameterInput,
    #[server(default)] duration_minutes: String,
    #[server(default)] text: String,
    #[server(default)] seen_version: String,
) -> Result<Decided, AppError> {
    use crate::{caller, routes};
    let mut typed = caller::typed([("change", "1"), ("duration_minutes", &duration_minutes), ("text", &text)]);
    typed.extend(parameters.iter().map(|(key, value)| (format!("parameters.{key}"), value.clone())));
    let form = domain::decisions::ChangeForm { parameters, duration_minutes };
    let result = async {
        let (services, person, id) = (caller::services()?, caller::caller()?, caller::id_of(&id)?);
        let view = services::orders::approve_with(&services, &person, id, &form, &text, seen_version.parse().ok()).await?;
        Ok(Decided { number: view.order.number, state: view.order.state })
    }
    .await;
    caller::answer(FORM, &routes::approval(&id), typed, result, Decided::then).await
}

/// The order stays in the inbox; the page comes back with the question on it.
#[server(Ask, endpoint = "approvals/ask")]
pub async fn ask(id: String, #[server(default)] question: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let typed = caller::typed([("question", &question)]);
    let result = async {
        services::orders::ask(&caller::services()?, &caller::caller()?, caller::id_of(&id)?, &question).await?;
        Ok(())
    }
    .await;
    caller::answer(FORM, &routes::approval(&id), typed, result, |()| routes::approval(&id)).await
}

#[server(Reject, endpoint = "approvals/reject")]
pub async fn reject(id: String, #[server(default)] reason: String, #[server(default)] seen_version: String) -> Result<Decided, AppError> {
    use crate::{caller, routes};
    let typed = caller::typed([("reason", &reason)]);
    let result = async {
        let (services, person, id) = (caller::services()?, caller::caller()?, caller::id_of(&id)?);
        let view = services::orders::reject(&services, &person, id, &reason, seen_version.parse().ok()).await?;
        Ok(Decided { number: view.order.number, state: view.order.state })
    }
    .await;
    caller::answer(FORM, &routes::approval(&id), typed, result, Decided::then).await
}

/// Takes back changes that the requester has not answered.
#[server(Withdraw, endpoint = "approvals/withdraw")]
pub async fn withdraw(id: String, #[server(default)] why: String, #[server(default)] seen_version: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let typed = caller::typed([("why", &why)]);
    let result = async {
        let (services, person, id) = (caller::services()?, caller::caller()?, caller::id_of(&id)?);
        let done = services::orders::withdraw(&services, &person, id, &why, seen_version.parse().ok()).await;
        // The page has another text on it.
        done.map_err(|error| error.at("text", "why"))?;
        Ok(())
    }
    .await;
    caller::answer(FORM, &routes::approval(&id), typed, result, |()| routes::approval(&id)).await
}
