//! One figure of a part: what it is, how much, and small print. A state only where somebody must act.

use leptos::prelude::*;

use crate::components::{Icon, StatusKind};

#[component]
pub fn Figure(
    #[prop(into)] name: String,
    #[prop(into)] value: String,
    #[prop(into, optional)] note: Option<String>,
    /// Where its things are.
    #[prop(into, optional)]
    href: Option<String>,
    /// A shape beside the value; with `Warn` or `Bad` only when somebody must act.
    #[prop(into, optional)]
    state: Option<StatusKind>,
) -> impl IntoView {
    let label = format!("{name}: {value}");
    let value = view! {
        {state.map(|kind| view! { <span class="pill" data-st=kind.name()><Icon glyph=kind.glyph()/></span> })}
        {value}
    };
    view! {
        <div class="figure">
            <span class="k">{name}</span>
            <span class="v">{match href {
                Some(href) => view! { <a href=href aria-label=label>{value}</a> }.into_any(),
                None => value.into_any(),
            }}</span>
            {note.map(|note| view! { <span class="d">{note}</span> })}
        </div>
    }
    .into_any()
}
