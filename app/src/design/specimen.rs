//! The frame of one specimen: what it is called in the source, and below it the thing itself.

use leptos::prelude::*;

/// `name` is the component with the properties that matter. `block` gives it the whole width.
#[component]
pub fn Specimen(#[prop(into)] name: String, #[prop(optional)] block: bool, children: Children) -> impl IntoView {
    view! {
        <figure class="stack tight">
            <figcaption class="fine mono">{name}</figcaption>
            <div class=if block { "stack" } else { "row" }>{children()}</div>
        </figure>
    }
    .into_any()
}

/// An instant that stays the same: 2026-11-21 23:05:12 on campus.
pub const AT: domain::time::Timestamp = domain::time::Timestamp::from_seconds(1_795_273_512);
