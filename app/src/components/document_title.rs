//! The title of the document. Every page has one; `PageHead` sets it.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::html_text;

/// Sets the document's title to `title · Lectern`. `leptos_meta` writes the text into the server's document unescaped, so it is escaped
/// here.
#[component]
pub fn DocumentTitle(#[prop(into)] title: String) -> impl IntoView {
    view! { <Title text=format!("{} · Lectern", html_text::escaped(&title))/> }
}
