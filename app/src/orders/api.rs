//! Orders: what the form needs, submitting, reading, cancelling.

#![expect(clippy::too_many_arguments, reason = "a server function has one for each control of its form")]

use domain::{
    catalogue::ParameterInput,
    ids::OrderId,
    orders::{OrderContext, OrderView},
    page::Page,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// What the order form is drawn from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFormPage {
    pub context: OrderContext,
    /// Made anew with each form: pressing twice, or going back and sending again, makes one order.
    pub idempotency_key: String,
}

#[server(ReadOrderForm, endpoint = "orders/form", input = GetUrl)]
pub async fn read_order_form(offering: String) -> Result<OrderFormPage, AppError> {
    use crate::caller::{caller, services};
    let services = services()?;
    let context = services::catalogue::context(&services, &caller()?, &offering).await?;
    keep_for_going_back();
    Ok(OrderFormPage { context, idempotency_key: services.entropy.uuid().to_string() })
}

/// Lets the browser keep the page for its Back button: the form that comes back is the one that was sent, key included.
#[cfg(feature = "ssr")]
fn keep_for_going_back() {
    if let Some(options) = use_context::<leptos_axum::ResponseOptions>() {
        options.insert_header(http::header::CACHE_CONTROL, http::HeaderValue::from_static("private, no-cache"));
    }
}

/// Sends the order. A form without scripts goes on to the order, or back with everything that was typed.
#[server(SubmitOrder, endpoint = "orders/submit")]
pub async fn submit_order(
    offering: String,
    #[server(default)] course: String,
    #[server(default)] parameters: ParameterInput,
    #[server(default)] duration_minutes: String,
    #[server(default)] purpose: String,
    #[server(default)] seats: String,
    #[server(default)] seat_count: String,
    #[server(default)] when: String,
    #[server(default)] first_day: String,
    #[server(default)] bell: String,
    #[server(default)] weeks: String,
    #[server(default)] idempotency_key: String,
) -> Result<OrderId, AppError> {
    use crate::{caller, routes};
    let page = routes::order_form(&offering);
    let class = domain::orders::ClassForm { seats, seat_count, when, first_day, bell, weeks };
    let form = domain::orders::OrderForm { offering, course, parameters, duration_minutes, purpose, class };
    let result = async {
        let key = services::orders::IdempotencyKey::parse(&idempotency_key)?;
        let view = services::orders::submit(&caller::services()?, &caller::caller()?, &form, &key).await?;
        Ok(view.order.id)
    }
    .await;
    caller::answer(super::form::FORM, &page, super::form::values(&form), result, |id| sent(*id)).await
}

/// Where a sent order leads: its own page, which says that it was sent.
pub fn sent(id: OrderId) -> String {
    crate::routes::with_query(&crate::routes::order(id), &[("sent", "1")])
}

#[server(ReadOrder, endpoint = "orders/read", input = GetUrl)]
pub async fn read_order(id: String) -> Result<OrderView, AppError> {
    use crate::caller::{caller, id_of, services};
    Ok(services::orders::get(&services()?, &caller()?, id_of(&id)?).await?)
}

/// `state` by its name, empty for all; `class`: of those that were made together; `after` from the page before.
#[server(ListOrders, endpoint = "orders/list", input = GetUrl)]
pub async fn list_orders(
    #[server(default)] state: String,
    #[server(default)] class: String,
    #[server(default)] after: String,
) -> Result<Page<OrderView>, AppError> {
    use crate::caller::{caller, id_of, services};
    use domain::{
        orders::{OrderFilter, OrderState},
        page::PageRequest,
    };
    let class = if class.is_empty() { None } else { Some(id_of(&class)?) };
    let filter = OrderFilter { state: OrderState::parse(&state), class, ..OrderFilter::default() };
    let page = PageRequest { after: (!after.is_empty()).then_some(after), ..PageRequest::default() };
    Ok(services::orders::list(&services()?, &caller()?, &filter, &page).await?)
}

/// The name of the form by which a page finds what its last try left behind.
pub const CANCEL: &str = "order.cancel";

#[server(CancelOrder, endpoint = "orders/cancel")]
pub async fn cancel_order(id: String) -> Result<(), AppError> {
    use crate::{caller, routes};
    let result = async {
        services::orders::cancel(&caller::services()?, &caller::caller()?, caller::id_of(&id)?).await?;
        Ok(())
    }
    .await;
    caller::answer(CANCEL, &routes::order(&id), caller::typed([]), result, |()| routes::order(&id)).await
}

/// Goes on to the list of all that were made together, which says how many were cancelled.
#[server(CancelClass, endpoint = "orders/cancel-class")]
pub async fn cancel_class(id: String) -> Result<u32, AppError> {
    use crate::{caller, routes};
    let result = async {
        let rows = services::orders::cancel_class(&caller::services()?, &caller::caller()?, caller::id_of(&id)?).await?;
        Ok(rows.iter().filter(|row| row.error.is_none()).count().try_into().unwrap_or(u32::MAX))
    }
    .await;
    let list = |count: &str| routes::with_query(routes::ORDERS, &[("class", &id), ("cancelled", count)]);
    caller::answer(CANCEL, routes::ORDERS, caller::typed([]), result, |count: &u32| list(&count.to_string())).await
}
