//! What happened, in order, down the page.

use domain::time::Timestamp;
use leptos::prelude::*;

use super::{Icon, Moment, MomentStyle, StatusKind};

/// Holds `<TimelineItem>`s. `wide` makes room for dates.
#[component]
pub fn Timeline(#[prop(optional)] wide: bool, children: Children) -> impl IntoView {
    view! { <ol class="timeline" style=wide.then_some("--when:8.5rem")>{children()}</ol> }
}

/// One event: when, which kind, a title and, as children, the small print.
#[component]
pub fn TimelineItem(
    at: Timestamp,
    #[prop(optional)] style: MomentStyle,
    kind: StatusKind,
    #[prop(into)] title: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <li data-st=kind.name()>
            <Moment at style/>
            <Icon glyph=kind.glyph()/>
            <div><b>{title}</b>{children.map(|children| view! { <small>{children()}</small> })}</div>
        </li>
    }
    .into_any()
}
