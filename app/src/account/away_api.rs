//! Naming a stand-in, and ending it.

use domain::{delegations::Delegation, time::Timestamp};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// By which the page finds what the last try left behind.
pub const FORM: &str = "delegation";

/// One's delegations on either side, latest first, and what time it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegations {
    pub items: Vec<Delegation>,
    pub now: Timestamp,
}

#[server(ListDelegations, endpoint = "account/delegations", input = GetUrl)]
pub async fn delegations() -> Result<Delegations, AppError> {
    use crate::caller::{caller, services};
    let services = services()?;
    let page = services::delegations::list(&services, &caller()?, &domain::page::PageRequest::default()).await?;
    Ok(Delegations { items: page.items, now: services.clock.now() })
}

#[server(CreateDelegation, endpoint = "account/create-delegation")]
pub async fn create_delegation(
    #[server(default)] stand_in: String,
    #[server(default)] from: String,
    #[server(default)] until: String,
    #[server(default)] note: String,
) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let typed = typed([("stand_in", &stand_in), ("from", &from), ("until", &until), ("note", &note)]);
    let form = domain::delegations::DelegationForm { stand_in, from, until, note };
    let result = async {
        services::delegations::create(&services()?, &caller()?, &form).await?;
        Ok(())
    }
    .await;
    answer(FORM, routes::ACCOUNT, typed, result, |()| format!("{}#away", routes::ACCOUNT)).await
}

#[server(EndDelegation, endpoint = "account/end-delegation")]
pub async fn end_delegation(id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async { Ok(services::delegations::end(&services()?, &caller()?, id_of(&id)?).await?) }.await;
    answer(FORM, routes::ACCOUNT, typed([]), result, |()| format!("{}#away", routes::ACCOUNT)).await
}
