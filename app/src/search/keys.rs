//! The keys of every page: Ctrl K, `?`, and `g` followed by a letter. Never while somebody types in a field.

use leptos::{html, prelude::*};

use crate::{
    components::Button,
    components::ButtonType,
    i18n::td_string,
    language::{self, Language},
    routes,
};

/// `g` and one of these goes there.
const PLACES: [(&str, &str); 8] = [
    ("h", routes::HOME),
    ("l", routes::LABS),
    ("o", routes::ORDERS),
    ("c", routes::CATALOGUE),
    ("a", routes::APPROVALS),
    ("u", routes::AUDIT),
    ("b", routes::BILLING),
    ("n", routes::NOTIFICATIONS),
];

fn place_text(language: Language, key: &str) -> &'static str {
    match key {
        "h" => td_string!(language, search.key_home),
        "l" => td_string!(language, search.key_labs),
        "o" => td_string!(language, search.key_orders),
        "c" => td_string!(language, search.key_catalogue),
        "a" => td_string!(language, search.key_approvals),
        "u" => td_string!(language, search.key_audit),
        "b" => td_string!(language, search.key_billing),
        _ => td_string!(language, search.key_notifications),
    }
}

/// Listens for as long as the frame lives.
pub fn listen(palette: RwSignal<bool>, help: RwSignal<bool>) {
    #[cfg(feature = "hydrate")]
    {
        let navigate = leptos_router::hooks::use_navigate();
        // When `g` was pressed last, in milliseconds.
        let went = StoredValue::new(f64::NEG_INFINITY);
        let handle = window_event_listener(leptos::ev::keydown, move |event| {
            let key = event.key();
            if (event.ctrl_key() || event.meta_key()) && !event.alt_key() && key.eq_ignore_ascii_case("k") {
                event.prevent_default();
                help.set(false);
                palette.update(|open| *open = !*open);
                return;
            }
            if event.ctrl_key() || event.meta_key() || event.alt_key() || event.is_composing() || palette.get_untracked() || is_typing(&event) {
                return;
            }
            let now = js_sys::Date::now();
            let after_g = now - went.get_value() < 1_000.0;
            went.set_value(f64::NEG_INFINITY);
            match key.as_str() {
                "?" => {
                    event.prevent_default();
                    help.update(|open| *open = !*open);
                }
                "g" if !help.get_untracked() => went.set_value(now),
                letter if after_g => {
                    if let Some((_, path)) = PLACES.iter().find(|(key, _)| *key == letter) {
                        event.prevent_default();
                        navigate(path, leptos_router::NavigateOptions::default());
                    }
                }
                _ => {}
            }
        });
        on_cleanup(move || handle.remove());
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (palette, help);
}

/// Whether the key goes into a field, or a dialog is open that has its own.
#[cfg(feature = "hydrate")]
fn is_typing(event: &web_sys::KeyboardEvent) -> bool {
    use wasm_bindgen::JsCast;
    let Some(element) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) else { return false };
    element.closest("input, textarea, select, [contenteditable], dialog[open]:not(.keys)").ok().flatten().is_some()
}

/// The list of the keys.
#[component]
pub fn KeysDialog(open: RwSignal<bool>) -> impl IntoView {
    let language = language::current();
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if open.get() && !dialog.open() {
            // It only fails for a dialog that is gone from the page.
            let _ = dialog.show_modal();
        } else if !open.get() && dialog.open() {
            dialog.close();
        }
    });
    view! {
        <dialog class="dialog keys" node_ref=dialog aria-labelledby="keys-title" on:close=move |_: leptos::ev::Event| open.set(false)>
            <h2 id="keys-title">{td_string!(language, search.keys)}</h2>
            <Show when=move || open.get()><Keys/></Show>
            <div class="actions">
                <Button button_type=ButtonType::Button on:click=move |_| open.set(false)>{td_string!(language, search.key_close)}</Button>
            </div>
        </dialog>
    }
    .into_any()
}

#[component]
fn Keys() -> impl IntoView {
    let language = language::current();
    let places = PLACES
        .into_iter()
        .map(|(key, _)| {
            view! {
                <dt><kbd>"g"</kbd>" "{td_string!(language, search.key_then)}" "<kbd>{key}</kbd></dt>
                <dd>{place_text(language, key)}</dd>
            }
        })
        .collect_view();
    view! {
        <dl class="facts">
            <dt><kbd>"Ctrl"</kbd>" "<kbd>"K"</kbd></dt>
            <dd>{td_string!(language, search.key_palette)}</dd>
            <dt><kbd>"?"</kbd></dt>
            <dd>{td_string!(language, search.key_help)}</dd>
            {places}
        </dl>
        <p class="fine">{td_string!(language, search.keys_text)}</p>
    }
    .into_any()
}
