//! What is announced.

use domain::{
    announcements::{Announcement, AnnouncementForm, Banner},
    page::Page,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// For everybody, signed in or not.
#[server(PublicBanners, endpoint = "announcements/public", input = GetUrl)]
pub async fn public() -> Result<Vec<Banner>, AppError> {
    use crate::caller::services;
    Ok(services::announcements::public(&services()?).await?)
}

#[server(ListAnnouncements, endpoint = "announcements/list", input = GetUrl)]
pub async fn announcements(#[server(default)] after: String) -> Result<Page<Announcement>, AppError> {
    use crate::caller::{caller, services};
    let page = domain::page::PageRequest { after: Some(after).filter(|after| !after.is_empty()), ..Default::default() };
    Ok(services::announcements::list(&services()?, &caller()?, &page).await?)
}

#[server(CreateAnnouncement, endpoint = "announcements/create")]
pub async fn create(#[server(default)] announcement: AnnouncementForm) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let typed = typed([
        ("zh", &announcement.zh),
        ("en", &announcement.en),
        ("level", &announcement.level),
        ("from", &announcement.from),
        ("to", &announcement.to),
        ("department", &announcement.department),
    ]);
    let result = async {
        services::announcements::create(&services()?, &caller()?, &announcement).await?;
        Ok(())
    }
    .await;
    answer("announcement", routes::ANNOUNCEMENTS, typed, result, |()| routes::ANNOUNCEMENTS.to_owned()).await
}

#[server(EndAnnouncement, endpoint = "announcements/end")]
pub async fn end(id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async { Ok(services::announcements::end(&services()?, &caller()?, id_of(&id)?).await?) }.await;
    answer("announcement", routes::ANNOUNCEMENTS, typed([]), result, |()| routes::ANNOUNCEMENTS.to_owned()).await
}

/// Puts one away for oneself; back to the page that one was on.
#[server(DismissAnnouncement, endpoint = "announcements/dismiss")]
pub async fn dismiss(id: String, #[server(default)] back: String) -> Result<(), AppError> {
    use crate::{caller::*, preferences::safe_back, routes};
    let result = async { Ok(services::announcements::dismiss(&services()?, &caller()?, id_of(&id)?).await?) }.await;
    answer("dismiss", routes::HOME, typed([]), result, |()| safe_back(&back).to_owned()).await
}
