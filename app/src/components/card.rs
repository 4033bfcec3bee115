//! Cards for things, sections for chapters. Never a card in a card.

use leptos::prelude::*;

/// A card with a heading. `flush` lets a table reach its edges; `end` stands at the far side of the heading.
#[component]
pub fn Card(
    #[prop(into)] title: String,
    #[prop(optional)] flush: bool,
    #[prop(into, optional)] id: Option<String>,
    #[prop(into, optional)] end: ViewFn,
    children: Children,
) -> impl IntoView {
    view! {
        <section class=if flush { "card flush" } else { "card" } id=id>
            <div class="head"><h2>{title}</h2><span class="end">{end.run()}</span></div>
            <div class="body">{children()}</div>
        </section>
    }
    .into_any()
}

/// A chapter of a page: a heading and what belongs under it, without a box.
#[component]
pub fn Section(
    #[prop(into)] title: String,
    #[prop(into, optional)] id: Option<String>,
    #[prop(into, optional)] end: ViewFn,
    children: Children,
) -> impl IntoView {
    view! {
        <section class="section" id=id>
            <div class="head"><h2>{title}</h2><span class="end">{end.run()}</span></div>
            {children()}
        </section>
    }
    .into_any()
}
