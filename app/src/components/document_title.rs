//! The name of the document. Every page has one; `PageHead` brings it along.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::html_text;

/// Names the document `title · Lectern`. `leptos_meta` writes the text into the server's document as it is: here it is escaped.
#[component]
pub fn DocumentTitle(#[prop(into)] title: String) -> impl IntoView {
    view! { <Title text=format!("{} · Lectern", html_text::escaped(&title))/> }
}
