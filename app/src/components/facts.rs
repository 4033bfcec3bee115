//! A description list: names on the left, values on the right.

use leptos::prelude::*;

/// Holds `<Fact>`s. `ends` sets the values flush right, for figures.
#[component]
pub fn Facts(#[prop(optional)] ends: bool, children: Children) -> impl IntoView {
    view! { <dl class=if ends { "facts ends" } else { "facts" }>{children()}</dl> }
}

#[component]
pub fn Fact(#[prop(into)] name: String, children: Children) -> impl IntoView {
    view! {
        <dt>{name}</dt>
        <dd>{children()}</dd>
    }
    .into_any()
}
