//! Money on a page: symbol, grouped thousands, two decimals, never broken across lines.

use domain::money::Money;
use leptos::prelude::*;

/// `¥47.46` or, with `per`, `¥47.46 / lesson`.
#[component]
pub fn Amount(
    money: Money,
    /// What it is for, without the slash.
    #[prop(into, optional)]
    per: Option<String>,
) -> impl IntoView {
    view! {
        <span class="nowrap">
            {money.to_string()}
            {per.map(|per| view! { <span class="fine">{format!("\u{a0}/\u{a0}{per}")}</span> })}
        </span>
    }
}
