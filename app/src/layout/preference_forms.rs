//! The switches for language and theme: plain forms to `POST /preferences`. With scripts the theme changes at once and
//! the page stays, because half a form may be filled in; the language loads the page again, and `draft` fills its forms as they were.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{
    i18n::td_string,
    language::{self, Language},
    preferences::{PATH, Preferences, Theme},
};

/// The hidden field that leads back to this page.
#[component]
fn Back() -> impl IntoView {
    let location = use_location();
    let back = move || {
        let search = location.search.get();
        let path = location.pathname.get();
        if search.is_empty() { path } else { format!("{path}?{}", search.trim_start_matches('?')) }
    };
    view! { <input type="hidden" name="back" value=back/> }
}

/// A button that names the other language in that language.
#[component]
pub fn LanguageSwitch(class: &'static str) -> impl IntoView {
    let (other, name) = match language::current() {
        Language::zh_CN => (Language::en, "English"),
        Language::en => (Language::zh_CN, "中文"),
    };
    let tag = language::tag(other);
    view! {
        <form method="post" action=PATH class="inline">
            <Back/>
            <button class=class name=language::COOKIE value=tag lang=tag>{name}</button>
        </form>
    }
    .into_any()
}

/// Three buttons: the system's theme, light, dark.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let language = language::current();
    let chosen = use_context::<RwSignal<Theme>>().unwrap_or_else(|| RwSignal::new(use_context::<Preferences>().unwrap_or_default().theme));
    let button = move |theme: Theme, text: &'static str| {
        view! {
            <button
                name=crate::preferences::THEME_COOKIE
                value=theme.name()
                aria-pressed=move || if chosen.get() == theme { "true" } else { "false" }
                on:click=move |event| {
                    if apply(theme) {
                        event.prevent_default();
                        chosen.set(theme);
                    }
                }
            >
                {text}
            </button>
        }
    };
    view! {
        <form method="post" action=PATH>
            <Back/>
            <fieldset class="segmented wide">
                <legend class="sr">{td_string!(language, layout.appearance)}</legend>
                {button(Theme::System, td_string!(language, layout.theme_system))}
                {button(Theme::Light, td_string!(language, layout.theme_light))}
                {button(Theme::Dark, td_string!(language, layout.theme_dark))}
            </fieldset>
        </form>
    }
    .into_any()
}

/// Shows and remembers the theme in this document. `false` leaves it to the form.
fn apply(theme: Theme) -> bool {
    #[cfg(feature = "hydrate")]
    {
        use crate::preferences::{THEME_COOKIE, set_cookie};
        use wasm_bindgen::JsCast;
        let document = document();
        let Some(root) = document.document_element() else { return false };
        let Some(page) = document.dyn_ref::<web_sys::HtmlDocument>() else { return false };
        page.set_cookie(&set_cookie(THEME_COOKIE, theme.name())).is_ok() && root.set_attribute("data-theme", theme.name()).is_ok()
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = theme;
        false
    }
}
