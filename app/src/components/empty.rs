//! Nothing here yet: what will be here, and the first step as a button. Never a picture.

use leptos::prelude::*;

use super::{Glyph, Icon};

/// Children are the actions.
#[component]
pub fn EmptyState(
    glyph: Glyph,
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <Icon glyph/>
            <b>{title}</b>
            <span>{text}</span>
            {children.map(|children| view! { <div class="actions">{children()}</div> })}
        </div>
    }
    .into_any()
}
