//! The price page: what holds now and what is planned; for administrators a change in two steps, preview and save.

use domain::access::Action;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    api::{NEW_DISCOUNT, Prices, Wanted, read_prices},
    discounts::{Discounts, NewDiscount},
    form::NewPrice,
    preview::Preview,
    table::PriceTables,
};
use crate::{
    billing::head::{BillingTabs, Tab},
    caller_view::use_viewer,
    components::{ButtonKind, ErrorNotice, Failed, MomentStyle, PageHead, Skeleton, moment_text},
    error::AppError,
    flash::{Flash, flash},
    i18n::td_string,
    language,
};

#[component]
pub fn PricesPage() -> impl IntoView {
    let query = use_query_map();
    let wanted = move || {
        let get = |name| query.with(|query| query.get_str(name).unwrap_or_default().to_owned());
        Wanted {
            preview: get("preview"),
            meter: get("meter"),
            price: get("price"),
            quoted: get("quoted"),
            percent: get("percent"),
            from: get("from"),
            until: get("until"),
            reason: get("reason"),
        }
    };
    let prices = Resource::new(wanted, read_prices);
    let (failed_price, failed_discount) = (flash("price"), flash("discount"));
    let viewer = use_viewer();
    view! {
        <Transition fallback=|| view! { <Skeleton lines=8/> }>
            {move || {
                let may_write = viewer.person().is_some_and(|person| person.may(Action::PriceWrite));
                let (price, discount) = (failed_price.get()?, failed_discount.get()?);
                Some(match prices.get()? {
                    Ok(prices) => view! { <Book prices wanted=wanted() may_write price discount/> }.into_any(),
                    Err(error) => view! { <Failed error/> }.into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}

#[component]
fn Book(prices: Prices, wanted: Wanted, may_write: bool, price: Flash, discount: Flash) -> impl IntoView {
    let language = language::current();
    let Prices { list, preview } = prices;
    let currency = list.book.currency.code();
    let lead = if may_write {
        td_string!(language, prices.lead, currency = currency).to_string()
    } else {
        td_string!(language, prices.lead_reader, currency = currency).to_string()
    };
    let fixed = td_string!(language, prices.fixed, at = moment_text(list.counted_to, MomentStyle::Minute)).to_string();
    // What a refused preview says belongs to the fields, as what a refused form says does.
    let refused = |kind: &str, before: Flash| match &preview {
        Some(Err(AppError(error))) if wanted.preview == kind => Flash { error: Some(error.clone()), values: before.values },
        _ => before,
    };
    let (price, discount) = (refused("price", price), refused("discount", discount));
    let others = [price.other(), discount.other()].into_iter().flatten().map(|error| view! { <ErrorNotice error=AppError(error)/> }).collect_view();
    let shown = preview.and_then(Result::ok).map(|preview| view! { <Preview preview wanted=wanted.clone() currency=list.book.currency/> });
    // Under a preview the button that saves is the one to press.
    let kind = if shown.is_some() { ButtonKind::Plain } else { ButtonKind::Primary };
    let discounting = matches!(wanted.preview.as_str(), "discount" | NEW_DISCOUNT) || discount.error.is_some();
    let forms = may_write.then(|| {
        view! {
            // One form at a time: both have fields of the same names.
            <aside class="stack">
                {if discounting {
                    view! { <NewDiscount wanted=wanted.clone() failed=discount kind/> }.into_any()
                } else {
                    view! { <NewPrice wanted=wanted.clone() failed=price currency=list.book.currency kind/> }.into_any()
                }}
            </aside>
        }
    });
    view! {
        <PageHead title=td_string!(language, prices.title) lead/>
        <BillingTabs current=Tab::Prices/>
        {others}
        {shown}
        <div class=if may_write { "cols main-side" } else { "stack" }>
            <div class="stack">
                <PriceTables list=list.clone() may_write/>
                <Discounts list may_write/>
                <p class="fine">{fixed}</p>
            </div>
            {forms}
        </div>
    }
    .into_any()
}
