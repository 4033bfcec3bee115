//! What the lab has cost so far, by meter.

use std::collections::BTreeMap;

use domain::{labs::LabView, metering::UsageLine, money::Money, pricing::Meter};
use leptos::prelude::*;

use crate::{
    billing::words::{amount_text, meter_text, usage_text},
    components::Card,
    i18n::td_string,
    language, routes,
};

#[component]
pub fn Cost(usage: Vec<UsageLine>, view: LabView) -> impl IntoView {
    let language = language::current();
    let total = view.cost.to_string();
    let lines = by_meter(&usage)
        .into_iter()
        .map(|(meter, (unit_seconds, amount))| {
            view! {
                <dt>{meter_text(language, meter)}" "<span class="fine">{usage_text(language, meter, unit_seconds)}</span></dt>
                <dd>{amount_text(amount)}</dd>
            }
        })
        .collect_view();
    let none = usage.is_empty();
    let code = view.course.code;
    let bill = routes::with_query(routes::BILLING, &[("course", &code)]);
    view! {
        <Card title=td_string!(language, labs.so_far) end=move || view! { <b class="sum">{total.clone()}</b> }>
            {if none {
                view! { <p class="soft">{td_string!(language, labs.cost_none)}</p> }.into_any()
            } else {
                view! { <dl class="prices">{lines}</dl> }.into_any()
            }}
            <p class="fine">{td_string!(language, labs.cost_about)}</p>
            <p><a href=bill>{td_string!(language, labs.see_bill, code = code).to_string()}</a></p>
        </Card>
    }
    .into_any()
}

/// All intervals of a meter together: quantity times seconds, and the amount.
fn by_meter(usage: &[UsageLine]) -> BTreeMap<Meter, (i64, Money)> {
    let mut sums = BTreeMap::new();
    for line in usage {
        let sum = sums.entry(line.meter).or_insert((0, Money::zero(line.amount.currency)));
        sum.0 += line.quantity * line.seconds;
        sum.1 = sum.1.plus(line.amount);
    }
    sums
}
