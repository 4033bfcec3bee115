//! One's own notifications.

use domain::{notifications::Notification, page::Page};
use leptos::{prelude::*, server_fn::codec::GetUrl};

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

/// `filter` is `unread` or empty; `after` from the page before.
#[server(ListNotifications, endpoint = "notifications/list", input = GetUrl)]
pub async fn list(#[server(default)] filter: String, #[server(default)] after: String) -> Result<Page<Notification>, AppError> {
    use crate::caller::{caller, services};
    use domain::page::PageRequest;
    use services::notifications::{Wanted, list};
    let wanted = if filter == "unread" { Wanted::Unread } else { Wanted::All };
    let page = PageRequest { limit: 30, after: (!after.is_empty()).then_some(after) };
    Ok(list(&services()?, &caller()?, wanted, &page).await?)
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
