//! Prices and discounts: read, preview, change.

use domain::pricing::{PriceList, PricePreview};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// In place of a kind of preview: the form of a new discount.
pub const NEW_DISCOUNT: &str = "new-discount";

/// What stands in the URL of the price page: nothing, or a change that wants a preview.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// `price` or `discount`; empty for no preview.
    pub preview: String,
    pub meter: String,
    pub price: String,
    pub quoted: String,
    pub percent: String,
    pub from: String,
    pub until: String,
    pub reason: String,
}

/// The book, and what a change would have meant or why it cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices {
    pub list: PriceList,
    pub preview: Option<Result<PricePreview, AppError>>,
}

#[server(ReadPrices, endpoint = "prices/list", input = GetUrl)]
pub async fn read_prices(#[server(default)] wanted: Wanted) -> Result<Prices, AppError> {
    use crate::caller::{caller, services};
    use services::prices;
    let (services, caller) = (services()?, caller()?);
    let list = prices::list(&services, &caller).await?;
    let preview = match wanted.preview.as_str() {
        "price" => Some(prices::preview_price(&services, &caller, &wanted.price_form()).await.map_err(AppError)),
        "discount" => Some(prices::preview_discount(&services, &caller, &wanted.discount_form()).await.map(|(_, preview)| preview).map_err(AppError)),
        _ => None,
    };
    Ok(Prices { list, preview })
}

impl Wanted {
    pub fn price_form(&self) -> domain::pricing::PriceForm {
        let Self { meter, price, quoted, from, .. } = self.clone();
        domain::pricing::PriceForm { meter, price, quoted, from }
    }
    pub fn discount_form(&self) -> domain::pricing::DiscountForm {
        let Self { percent, from, until, reason, .. } = self.clone();
        domain::pricing::DiscountForm { percent, from, until, reason }
    }
}

#[server(SetPrice, endpoint = "prices/set")]
pub async fn set_price(
    #[server(default)] meter: String,
    #[server(default)] price: String,
    #[server(default)] quoted: String,
    #[server(default)] from: String,
) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let typed = typed([("meter", &meter), ("price", &price), ("quoted", &quoted), ("from", &from)]);
    let form = domain::pricing::PriceForm { meter, price, quoted, from };
    let result = async {
        services::prices::set_price(&services()?, &caller()?, &form).await?;
        Ok(())
    }
    .await;
    answer("price", routes::PRICES, typed, result, |()| routes::PRICES.to_owned()).await
}

#[server(WithdrawPrice, endpoint = "prices/withdraw")]
pub async fn withdraw_price(#[server(default)] meter: String, #[server(default)] from: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async {
        let caller = caller()?;
        services::prices::may_change(&caller)?;
        let meter = meter.parse().map_err(|_| domain::Error::NotFound)?;
        let from = domain::time::Timestamp::parse_rfc3339(&from).ok_or(domain::Error::NotFound)?;
        Ok(services::prices::withdraw_price(&services()?, &caller, meter, from).await?)
    }
    .await;
    answer("price", routes::PRICES, typed([]), result, |()| routes::PRICES.to_owned()).await
}

#[server(GrantDiscount, endpoint = "discounts/grant")]
pub async fn grant_discount(
    #[server(default)] percent: String,
    #[server(default)] from: String,
    #[server(default)] until: String,
    #[server(default)] reason: String,
) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let typed = typed([("percent", &percent), ("from", &from), ("until", &until), ("reason", &reason)]);
    let form = domain::pricing::DiscountForm { percent, from, until, reason };
    let result = async {
        services::prices::grant_discount(&services()?, &caller()?, &form).await?;
        Ok(())
    }
    .await;
    answer("discount", routes::PRICES, typed, result, |()| routes::PRICES.to_owned()).await
}

#[server(EndDiscount, endpoint = "discounts/end")]
pub async fn end_discount(#[server(default)] id: String) -> Result<(), AppError> {
    use crate::{caller::*, routes};
    let result = async {
        services::prices::end_discount(&services()?, &caller()?, id_of(&id)?).await?;
        Ok(())
    }
    .await;
    answer("discount", routes::PRICES, typed([]), result, |()| routes::PRICES.to_owned()).await
}
