//! The bar above the page: tenant, search, language, theme, notifications, account.

use leptos::prelude::*;

use super::preference_forms::LanguageSwitch;
use crate::{
    caller_view::{Viewer, use_viewer},
    components::{Glyph, Icon},
    i18n::td_string,
    language,
    notifications::bell::Bell,
    routes,
    search::palette::Finder,
};

#[component]
pub fn Bar() -> impl IntoView {
    let language = language::current();
    let viewer = use_viewer();
    view! {
        <header class="bar">
            <a class="brand" href=routes::HOME aria-label=td_string!(language, layout.product)><Icon glyph=Glyph::Brand/></a>
            <Transition>
                {move || viewer.person().map(|person| view! { <p class="tenant"><b>{person.tenant_name}</b></p> })}
            </Transition>
            <Finder/>
            <div class="tools">
                <LanguageSwitch class="tool desk-only"/>
                <button
                    type="button"
                    class="tool desk-only"
                    popovertarget="appearance"
                    aria-label=td_string!(language, layout.appearance)
                >
                    <Icon glyph=Glyph::Theme/>
                </button>
                <Bell/>
                <Transition>{move || viewer.person().map(|person| view! { <Account person/> })}</Transition>
            </div>
        </header>
    }
    .into_any()
}

/// The button that opens the account menu: the first letter of the name.
#[component]
fn Account(person: Viewer) -> impl IntoView {
    let label = td_string!(language::current(), layout.account_of, name = person.name.as_str()).to_string();
    let initial: String = person.name.chars().next().into_iter().flat_map(char::to_uppercase).collect();
    view! {
        <button type="button" class="tool" popovertarget="account" aria-label=label>
            <span class="who" aria-hidden="true">{initial}</span>
        </button>
    }
    .into_any()
}
