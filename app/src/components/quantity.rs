//! A number and its unit, which never part.

use std::fmt::Display;

use leptos::prelude::*;

/// `26 seats` with a no-break space, for attributes and sentences.
pub fn quantity_text(value: impl Display, unit: &str) -> String {
    format!("{value}\u{a0}{unit}")
}

/// The same as an element.
#[component]
pub fn Quantity(#[prop(into)] value: String, #[prop(into)] unit: String) -> impl IntoView {
    view! { <span class="nowrap">{quantity_text(value, &unit)}</span> }
}
