//! Offerings.

use domain::catalogue::OfferingCard;
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

#[server(ListOfferings, endpoint = "catalogue/list", input = GetUrl)]
pub async fn list_offerings() -> Result<Vec<OfferingCard>, AppError> {
    use crate::caller::{caller, services};
    let cards = services::catalogue::list(&services()?, &caller()?).await?;
    Ok(cards.into_iter().map(OfferingCard::tile).collect())
}

/// By slug or id.
#[server(ReadOffering, endpoint = "catalogue/read", input = GetUrl)]
pub async fn read_offering(#[server(default)] slug: String) -> Result<OfferingCard, AppError> {
    use crate::caller::{caller, services};
    Ok(services::catalogue::get(&services()?, &caller()?, &slug).await?)
}
