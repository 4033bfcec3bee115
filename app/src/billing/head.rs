//! Shared parts of the billing pages: the tabs, the months before and after, the downloads of a bill.

use domain::{access::Action, time::Month};
use leptos::prelude::*;

use super::words::month_name;
use crate::{
    caller_view::use_viewer,
    components::{Glyph, Icon, LinkItem, Tabs},
    i18n::td_string,
    language, routes,
};

/// Which tab a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Month,
    Months,
    Adjustments,
    Prices,
}

#[component]
pub fn BillingTabs(current: Tab) -> impl IntoView {
    let language = language::current();
    let viewer = use_viewer();
    view! {
        <Suspense>
            {move || {
                let may = |action| viewer.person().is_some_and(|person| person.may(action));
                let item = |tab, href, text| LinkItem::new(href, text, current == tab);
                let mut items = Vec::new();
                if may(Action::BillRead) {
                    items.push(item(Tab::Month, routes::BILLING, td_string!(language, bills.tab_month)));
                    items.push(item(Tab::Months, routes::BILLING_MONTHS, td_string!(language, bills.tab_months)));
                    items.push(item(Tab::Adjustments, routes::BILLING_ADJUSTMENTS, td_string!(language, bills.tab_adjustments)));
                }
                if may(Action::PriceRead) {
                    items.push(item(Tab::Prices, routes::PRICES, td_string!(language, bills.tab_prices)));
                }
                view! { <Tabs label=td_string!(language, bills.tabs) items/> }
            }}
        </Suspense>
    }
    .into_any()
}

/// Links to the month before and after; there is no bill of the future. `keep` goes along in the URL.
#[component]
pub fn Months(month: Month, this_month: Month, course: String, by: String) -> impl IntoView {
    let language = language::current();
    let href = move |month: Month| routes::with_query(routes::BILLING, &[("month", &month.to_string()), ("course", &course), ("by", &by)]);
    let (before, after) = (month.previous(), month.next());
    let label_before = td_string!(language, billing.previous_month, month = month_name(language, before)).to_string();
    let label_after = td_string!(language, billing.next_month, month = month_name(language, after)).to_string();
    view! {
        <a class="btn" href=href(before) aria-label=label_before><Icon glyph=Glyph::Left small=true/>{month_name(language, before)}</a>
        {(after <= this_month).then(|| view! {
            <a class="btn" href=href(after) aria-label=label_after>{month_name(language, after)}<Icon glyph=Glyph::Right small=true/></a>
        })}
    }
    .into_any()
}

/// Plain downloads, which the server's own route answers.
#[component]
pub fn Exports(month: Month, course: String) -> impl IntoView {
    let language = language::current();
    let href =
        move |format: &str| routes::with_query(routes::BILLING_EXPORT, &[("month", &month.to_string()), ("course", &course), ("format", format)]);
    view! {
        <a class="btn" href=href("csv") rel="external" download="">{td_string!(language, bills.export_csv)}</a>
        <a class="btn" href=href("focus") rel="external" download="">{td_string!(language, bills.export_focus)}</a>
        <a class="btn" href=href("pdf") rel="external" download="">{td_string!(language, bills.export_pdf)}</a>
        <a class="btn" data-kind="primary" href=href("xlsx") rel="external" download="">
            <Icon glyph=Glyph::Export small=true/>{td_string!(language, bills.export_xlsx)}
        </a>
    }
    .into_any()
}
