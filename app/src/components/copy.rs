//! Text to take along: a button that copies it, and a field that shows it with one.

use leptos::prelude::*;

use super::use_toasts;
use crate::{i18n::td_string, language};

/// Puts the text on the clipboard; without scripts the text itself can be marked and copied.
#[component]
pub fn CopyButton(#[prop(into)] text: String) -> impl IntoView {
    let language = language::current();
    let toasts = use_toasts();
    let text = StoredValue::new(text);
    let copy = move |_| {
        #[cfg(feature = "hydrate")]
        if let Some(window) = web_sys::window() {
            // A promise that nobody waits for: where the browser refuses, the text beside it is still there.
            let _ = window.navigator().clipboard().write_text(&text.get_value());
            toasts.show(td_string!(language, components.copied));
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = (text, toasts);
    };
    view! { <button type="button" class="btn small script-only" on:click=copy>{td_string!(language, components.copy)}</button> }.into_any()
}

/// A secret or a link that is shown to be copied.
#[component]
pub fn CopyField(#[prop(into)] label: String, #[prop(into)] text: String) -> impl IntoView {
    view! {
        <div class="copy-field">
            <input class="input mono" readonly=true value=text.clone() aria-label=label/>
            <CopyButton text/>
        </div>
    }
    .into_any()
}
