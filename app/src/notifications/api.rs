//! One's own notifications.

use domain::{labs::LabView, notifications::Notification, page::Page};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// How many are unread, counted to 100.
#[server(UnreadNotifications, endpoint = "notifications/unread", input = GetUrl)]
pub async fn unread() -> Result<u32, AppError> {
    use crate::caller::{caller, services};
    Ok(services::notifications::unread(&services()?, &caller()?).await?)
}

/// The newest ten.
#[server(LatestNotifications, endpoint = "notifications/latest", input = GetUrl)]
pub async fn latest() -> Result<Vec<Notification>, AppError> {
    use crate::caller::{caller, services};
    Ok(services::notifications::inbox(&services()?, &caller()?).await?.latest)
}

/// A page of notifications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub page: Page<Notification>,
    /// One's own labs that run, where a notice says that one of them is ready, unused or ends soon: the notice then has a button for it.
    pub running: Vec<LabView>,
}

/// `filter` is `unread` or empty; `after` from the page before.
#[server(ListNotifications, endpoint = "notifications/list", input = GetUrl)]
pub async fn list(#[server(default)] filter: String, #[server(default)] after: String) -> Result<Shown, AppError> {
    use crate::caller::{caller, services};
    use domain::{
        Error,
        labs::{LabFilter, LabState},
        notifications::Notice,
        page::{MAX_LIMIT, PageRequest},
    };
    use services::notifications::{Wanted, list};
    let (services, caller) = (services()?, caller()?);
    let wanted = if filter == "unread" { Wanted::Unread } else { Wanted::All };
    let page = PageRequest { limit: 30, after: (!after.is_empty()).then_some(after) };
    let page = list(&services, &caller, wanted, &page).await?;
    let has_button =
        |notice: &Notice| matches!(notice, Notice::LabEndsSoon { .. } | Notice::LabIdle { .. } | Notice::LabReady { .. } | Notice::ClassReady { .. });
    if !page.items.iter().any(|each| has_button(&each.notice)) {
        return Ok(Shown { page, running: Vec::new() });
    }
    let filter = LabFilter { state: Some(LabState::Running), mine: true, ..LabFilter::default() };
    match services::labs::list(&services, &caller, &filter, &PageRequest { limit: MAX_LIMIT, after: None }).await {
        Ok(running) => Ok(Shown { page, running: running.items }),
        // A person who may read labs no more still has the notices.
        Err(Error::Forbidden) => Ok(Shown { page, running: Vec::new() }),
        Err(error) => Err(error.into()),
    }
}

/// By which the page finds what the last try left behind.
pub const FORM: &str = "notifications";

/// One, or all where `id` is empty.
#[server(ReadNotification, endpoint = "notifications/read")]
pub async fn read(#[server(default)] id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async {
        let id = if id.is_empty() { None } else { Some(id_of(&id)?) };
        Ok(services::notifications::mark_read(&services()?, &caller()?, id).await?)
    }
    .await;
    answer(FORM, routes::NOTIFICATIONS, typed([]), result, |()| routes::NOTIFICATIONS.to_owned()).await
}
