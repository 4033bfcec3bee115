//! The price book and discounts.

use std::cmp::Reverse;

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{
    Error,
    access::Action,
    billing::PriceEffect,
    pricing::{Discount as DomainDiscount, DiscountForm, Price as DomainPrice, PriceForm, PricePreview},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    bearer::{Bearer, may_show},
    body::{Amount, Fields, Raw},
    dto::{Course, List, Money, moment},
    orders::id,
    problem::Problem,
    query::Parameters,
};
use crate::state::AppState;

/// What a unit of a meter costs from an instant on, until the meter's next price.
#[derive(Debug, Serialize, ToSchema)]
pub struct Price {
    #[schema(example = "gpu-a100-80g-hour")]
    pub meter: String,
    /// By the hour, or by the month of 30 days for storage, however the price is quoted.
    pub unit_price: Money,
    /// `unit` or `minute`.
    #[schema(example = "unit")]
    pub quoted: &'static str,
    /// What it is quoted at, beside the price by the hour; only when it is quoted by the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minute_price: Option<Money>,
    #[schema(example = "2026-11-30T16:00:00Z")]
    pub from: String,
}

fn price(price: &DomainPrice, currency: domain::money::Currency) -> Price {
    let DomainPrice { meter, unit_micros, from, quoted } = price;
    let money = |micros| Money::from(domain::money::Money::new(micros, currency));
    Price {
        meter: meter.to_string(),
        unit_price: money(*unit_micros),
        quoted: quoted.as_str(),
        minute_price: (*quoted == domain::pricing::Quoted::Minute).then(|| money(unit_micros / 60)),
        from: moment(*from),
    }
}

/// All prices, those of the past and those that are planned, by meter and the latest first.
#[utoipa::path(get, path = "/api/v1/prices", tag = "billing", params(("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Price>)))]
pub async fn list(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Price>>, Problem> {
    let page = query.page();
    query.finish()?;
    let book = services::prices::list(&state.services, &caller).await?.book;
    let prices: Vec<_> = book.prices.iter().map(|each| price(each, book.currency)).collect();
    Ok(Json(List::of(page.cut("prices", prices, |each| (each.meter.clone(), Reverse(each.from.clone())))?, |each| each)))
}

/// Body of a new price. A price in place of one that is planned for the same instant replaces it. A price as shown is accepted too, with
/// `unit_price`, or `minute_price` if it is quoted by the minute, in place of `price`; written back unchanged it changes nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewPrice {
    #[schema(example = "gpu-a100-80g-hour")]
    meter: String,
    /// Decimal, in the book's currency; by the hour, or by the minute when `quoted` says so.
    #[schema(example = "5.40", format = "decimal")]
    price: String,
    /// `unit` (the default) or `minute`.
    quoted: Option<String>,
    /// A campus date, from its midnight on; left out: from now on. Never before what is metered.
    #[schema(example = "2026-12-01")]
    from: Option<String>,
}

/// The price, and the member of the body that holds it.
async fn price_form(state: &AppState, caller: &services::Caller, raw: &Raw) -> Result<(PriceForm, &'static str), Error> {
    let mut body = Fields::parse(raw)?;
    let quoted = body.optional_text("quoted");
    let given = if body.has("price") { None } else { shown_price(&mut body, &quoted) };
    // What is missing is named by the service, after it has looked at who asks.
    let form = PriceForm {
        meter: body.optional_text("meter"),
        price: given.as_ref().map_or_else(|| body.optional_number("price"), |(_, amount)| amount.decimal()),
        quoted,
        from: body.optional_text("from"),
    };
    body.finish()?;
    if let Some((field, amount)) = &given {
        services::prices::may_change(caller)?;
        let book = services::prices::list(&state.services, caller).await?.book;
        amount.must_be_in(book.currency.code(), field)?;
    }
    Ok((form, given.map_or("price", |(field, _)| field)))
}

/// The price as the API shows it: beside a price by the minute stands the same by the hour.
fn shown_price(body: &mut Fields, quoted: &str) -> Option<(&'static str, Amount)> {
    let unit = body.optional_money("unit_price");
    let Some(minute) = (quoted == "minute").then(|| body.optional_money("minute_price")).flatten() else {
        return unit.map(|unit| ("unit_price", unit));
    };
    if unit.is_some_and(|unit| unit.currency != minute.currency || Some(unit.micros) != minute.micros.checked_mul(60)) {
        body.refuse("unit_price", "minute_price × 60");
    }
    Some(("minute_price", minute))
}

/// Sets a price from a date on. What was billed keeps the price it had.
#[utoipa::path(post, path = "/api/v1/prices", tag = "billing", request_body = NewPrice,
    responses((status = 200, body = Price), (status = 422, description = "`invalid`: a date before what is metered, among others")))]
pub async fn set(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<Price>, Problem> {
    let (form, field) = price_form(&state, &caller, &raw).await?;
    // The answer has the currency of the price book.
    may_show(&caller, Action::PriceRead)?;
    let set = services::prices::set_price(&state.services, &caller, &form).await.map_err(|error| error.at("price", field))?;
    let currency = services::prices::list(&state.services, &caller).await?.book.currency;
    Ok(Json(price(&set, currency)))
}

/// What last month would have cost.
#[derive(Debug, Serialize, ToSchema)]
pub struct PriceEffects {
    #[schema(example = "2026-10")]
    pub month: String,
    pub was: Money,
    pub would_be: Money,
    /// By course, the meters that the change touches.
    pub effects: Vec<Effect>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Effect {
    pub course: Course,
    pub meter: String,
    /// Quantity times seconds.
    pub unit_seconds: i64,
    pub was: Money,
    pub would_be: Money,
}

impl From<PricePreview> for PriceEffects {
    fn from(PricePreview { month, before: _, after: _, effects, was, would_be }: PricePreview) -> Self {
        let effect = |PriceEffect { course, meter, unit_seconds, was, would_be }: PriceEffect| Effect {
            course: course.into(),
            meter: meter.to_string(),
            unit_seconds,
            was: was.into(),
            would_be: would_be.into(),
        };
        Self { month: month.to_string(), was: was.into(), would_be: would_be.into(), effects: effects.into_iter().map(effect).collect() }
    }
}

/// What last month would have cost at this price. Changes nothing.
#[utoipa::path(post, path = "/api/v1/prices/preview", tag = "billing", request_body = NewPrice, responses((status = 200, body = PriceEffects)))]
pub async fn preview(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<PriceEffects>, Problem> {
    let (form, field) = price_form(&state, &caller, &raw).await?;
    let preview = services::prices::preview_price(&state.services, &caller, &form).await.map_err(|error| error.at("price", field))?;
    Ok(Json(preview.into()))
}

/// Body that names a planned price.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct PlannedPrice {
    #[schema(example = "gpu-a100-80g-hour")]
    meter: String,
    #[schema(example = "2026-11-30T16:00:00Z")]
    from: String,
}

/// Takes back a price that is planned and has not begun.
#[utoipa::path(post, path = "/api/v1/prices/withdraw", tag = "billing", request_body = PlannedPrice,
    responses((status = 204, description = "Taken back"), (status = 404, description = "`not_found`: no such price is planned")))]
pub async fn withdraw(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<http::StatusCode, Problem> {
    let mut body = Fields::parse(&raw)?;
    let (meter, from) = (body.optional_text("meter"), body.optional_text("from"));
    body.finish()?;
    services::prices::may_change(&caller)?;
    let meter = meter.parse().map_err(|_| Error::NotFound)?;
    let from = Timestamp::parse_rfc3339(&from).ok_or(Error::NotFound)?;
    services::prices::withdraw_price(&state.services, &caller, meter, from).await?;
    Ok(http::StatusCode::NO_CONTENT)
}

/// A share off every price of the tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Discount {
    pub id: String,
    /// Hundredths of a percent.
    #[schema(example = 2_000)]
    pub basis_points: u32,
    pub from: String,
    /// Until just before this instant; `null` while no end is set.
    pub to: Option<String>,
    #[schema(example = "Pilot term")]
    pub reason: String,
}

impl From<DomainDiscount> for Discount {
    fn from(DomainDiscount { id, off, from, to, reason }: DomainDiscount) -> Self {
        Self { id: id.to_string(), basis_points: off.get(), from: moment(from), to: to.map(moment), reason }
    }
}

/// The tenant's discounts, also those that are over, the first one first.
#[utoipa::path(get, path = "/api/v1/discounts", tag = "billing", params(("limit" = Option<u32>, Query), ("after" = Option<String>, Query)),
    responses((status = 200, body = List<Discount>)))]
pub async fn discounts(State(state): State<AppState>, Bearer(caller): Bearer, mut query: Parameters) -> Result<Json<List<Discount>>, Problem> {
    let page = query.page();
    query.finish()?;
    let book = services::prices::list(&state.services, &caller).await?.book;
    Ok(Json(List::of(page.cut("discounts", book.discounts, |each| (each.from, each.id))?, Discount::from)))
}

/// Body of a new discount. A discount as shown is accepted too, with `basis_points` in place of `percent` and `to` in place of `until`; its
/// `id` is ignored.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read field by field")]
pub struct NewDiscount {
    /// Above 0 and up to 100, at most two decimals.
    #[schema(example = "12.5", format = "decimal")]
    percent: String,
    /// A campus date; left out: from now on.
    from: Option<String>,
    /// The last campus day; left out: until it is ended.
    until: Option<String>,
    /// 1 to 200 characters.
    #[schema(example = "Pilot term")]
    reason: String,
}

/// Grants a discount on every price. Two never hold at the same time.
#[utoipa::path(post, path = "/api/v1/discounts", tag = "billing", request_body = NewDiscount,
    responses((status = 200, body = Discount), (status = 422, description = "`invalid`")))]
pub async fn grant(State(state): State<AppState>, Bearer(caller): Bearer, raw: Raw) -> Result<Json<Discount>, Problem> {
    let mut body = Fields::parse(&raw)?;
    body.ignore(&["id"]);
    let points = if body.has("percent") { None } else { body.optional_integer("basis_points") };
    let percent = points.map_or_else(|| body.optional_number("percent"), |points| Amount::decimal_of(points.saturating_mul(10_000)));
    let form = DiscountForm { percent, from: body.optional_text("from"), until: body.text_as("until", "to"), reason: body.optional_text("reason") };
    body.finish()?;
    Ok(Json(services::prices::grant_discount(&state.services, &caller, &form).await?.into()))
}

/// Ends a discount now, or takes it back when it has not begun. What was billed with it stays.
#[utoipa::path(post, path = "/api/v1/discounts/{id}/end", tag = "billing", params(("id" = String, Path)), responses((status = 200, body = Discount)))]
pub async fn end(State(state): State<AppState>, Bearer(caller): Bearer, Path(text): Path<String>) -> Result<Json<Discount>, Problem> {
    services::prices::may_change(&caller)?;
    Ok(Json(services::prices::end_discount(&state.services, &caller, id(&text)?).await?.into()))
}
