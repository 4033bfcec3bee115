//! The tenant's discounts, and the form of a new one.

use domain::pricing::{Discount, PriceList};
use leptos::{prelude::*, server_fn::ServerFn};

use super::api::{EndDiscount, Wanted};
use crate::{
    components::{
        Button, ButtonKind, Card, Cell, CellPlace, Column, ConfirmDialog, DataTable, MomentStyle, Row, Status, StatusKind, TextField, moment_text,
    },
    error_text::field_problem_text,
    flash::Flash,
    i18n::td_string,
    language, routes,
};

#[component]
pub fn Discounts(list: PriceList, may_write: bool) -> impl IntoView {
    let language = language::current();
    let title = td_string!(language, prices.discounts);
    let mut discounts = list.book.discounts.clone();
    let add = move || {
        let href = routes::with_query(routes::PRICES, &[("preview", super::api::NEW_DISCOUNT)]);
        may_write.then(|| view! { <a href=href>{td_string!(language, prices.new_discount)}</a> })
    };
    if discounts.is_empty() {
        return view! { <Card title end=add><p class="soft">{td_string!(language, prices.discount_none)}</p></Card> }.into_any();
    }
    discounts.sort_by_key(|discount| std::cmp::Reverse(discount.from));
    let columns = vec![
        Column::text(td_string!(language, prices.percent)),
        Column::text(td_string!(language, prices.from)),
        Column::text(td_string!(language, prices.reason)),
        Column::text(""),
    ];
    let now = list.now;
    let rows = discounts
        .into_iter()
        .map(|discount| {
            let ending = may_write && discount.to.is_none_or(|to| to > now);
            let (kind, state) = if discount.to == Some(discount.from) {
                (StatusKind::Off, td_string!(language, prices.state_withdrawn))
            } else if discount.holds(now) {
                (StatusKind::Live, td_string!(language, prices.state_holds))
            } else if discount.from > now {
                (StatusKind::Wait, td_string!(language, prices.state_planned))
            } else {
                (StatusKind::Off, td_string!(language, prices.state_over))
            };
            let (off, reason) = (format!("{}\u{a0}%", discount.off), discount.reason.clone());
            let from = moment_text(discount.from, MomentStyle::Minute);
            let period = match discount.to {
                Some(to) => td_string!(language, prices.from_to, from = from, to = moment_text(to, MomentStyle::Minute)).to_string(),
                None => td_string!(language, prices.from_on, from = from).to_string(),
            };
            view! {
                <Row>
                    <Cell><b class="nowrap">{off}</b>" "<Status kind=kind>{state}</Status></Cell>
                    <Cell label=td_string!(language, prices.from)>{period}</Cell>
                    <Cell label=td_string!(language, prices.reason)>{reason}</Cell>
                    <Cell place=CellPlace::Wide>{ending.then(|| view! { <End discount/> })}</Cell>
                </Row>
            }
        })
        .collect_view();
    view! { <Card title flush=true end=add><DataTable caption=title columns>{rows}</DataTable></Card> }.into_any()
}

#[component]
fn End(discount: Discount) -> impl IntoView {
    let language = language::current();
    view! {
        <ConfirmDialog
            id=format!("end-{}", discount.id)
            open_text=td_string!(language, prices.end)
            title=td_string!(language, prices.end_title)
            confirm_text=td_string!(language, prices.end_confirm)
            action=EndDiscount::PATH
            kind=ButtonKind::Quiet
            small=true
        >
            <p>{td_string!(language, prices.end_text)}</p>
            <input type="hidden" name="id" value=discount.id.to_string()/>
        </ConfirmDialog>
    }
    .into_any()
}

#[component]
pub fn NewDiscount(wanted: Wanted, failed: Flash, kind: ButtonKind) -> impl IntoView {
    let language = language::current();
    let typed = wanted.preview == "discount";
    let values = failed.clone();
    let value = move |field: &str, in_url: &str| if typed { in_url.to_owned() } else { values.value(field).to_owned() };
    let problem = move |field| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    view! {
        <Card title=td_string!(language, prices.new_discount)>
            <p class="fine">{td_string!(language, prices.discounts_about)}</p>
            <form class="stack" method="get" action=routes::PRICES data-draft="">
                <input type="hidden" name="preview" value="discount"/>
                <TextField
                    name="percent"
                    label=td_string!(language, prices.percent)
                    value=value("percent", &wanted.percent)
                    error=problem("percent")
                    input_mode="decimal"
                    unit="%"
                />
                <TextField
                    name="from"
                    label=td_string!(language, prices.from)
                    help=td_string!(language, prices.from_help)
                    value=value("from", &wanted.from)
                    error=problem("from")
                    input_type="date"
                    optional=true
                />
                <TextField
                    name="until"
                    label=td_string!(language, prices.until)
                    help=td_string!(language, prices.until_help)
                    value=value("until", &wanted.until)
                    error=problem("until")
                    input_type="date"
                    optional=true
                />
                <TextField
                    name="reason"
                    label=td_string!(language, prices.reason)
                    help=td_string!(language, prices.reason_help)
                    value=value("reason", &wanted.reason)
                    error=problem("reason")
                    maxlength=200
                />
                <Button kind>{td_string!(language, prices.grant)}</Button>
            </form>
        </Card>
    }
    .into_any()
}
