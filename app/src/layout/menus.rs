//! What opens from the bar and the tabs: appearance, account, "More". The browser's own popovers, no script needed.

use leptos::prelude::*;

use super::{
    navigation::{TABS, entries},
    preference_forms::{LanguageSwitch, ThemeSwitch},
};
use crate::{
    caller_view::{Viewer, use_viewer},
    components::{Glyph, Icon},
    i18n::td_string,
    language, routes,
};

#[component]
pub fn Menus() -> impl IntoView {
    let language = language::current();
    let viewer = use_viewer();
    view! {
        <div class="menu end" popover="auto" role="dialog" aria-label=td_string!(language, layout.appearance) id="appearance">
            <div class="stack tight">
                <p class="fine">{td_string!(language, layout.appearance)}</p>
                <ThemeSwitch/>
            </div>
        </div>
        <Transition>
            {move || viewer.person().map(|person| view! {
                <AccountMenu person=person.clone()/>
                <MoreSheet person/>
            })}
        </Transition>
    }
    .into_any()
}

#[component]
fn AccountMenu(person: Viewer) -> impl IntoView {
    let language = language::current();
    let label = td_string!(language, layout.account_of, name = person.name.as_str()).to_string();
    let signed_in = td_string!(language, layout.signed_in_as, name = person.name).to_string();
    view! {
        <div class="menu end" popover="auto" role="dialog" aria-label=label id="account">
            <ul class="listbox">
                <li class="group">{signed_in}</li>
                <li><a class="opt" href=routes::ACCOUNT>{td_string!(language, layout.account)}</a></li>
                <li><a class="opt" href=routes::API_DOCS>{td_string!(language, api_docs.title)}</a></li>
                <li><SignOut/></li>
            </ul>
        </div>
    }
    .into_any()
}

/// A form, because signing out changes something.
#[component]
fn SignOut() -> impl IntoView {
    view! {
        <form method="post" action=routes::SIGN_OUT>
            <button class="opt">{td_string!(language::current(), layout.sign_out)}</button>
        </form>
    }
    .into_any()
}

/// The rest of the navigation on a phone.
#[component]
fn MoreSheet(person: Viewer) -> impl IntoView {
    let language = language::current();
    let items = entries(&person, language)
        .into_iter()
        .skip(TABS)
        .map(|entry| view! { <li><a class="opt" href=entry.href><Icon glyph=entry.glyph/>{entry.text}</a></li> })
        .collect_view();
    view! {
        <div class="sheet" popover="auto" role="dialog" aria-label=td_string!(language, layout.more) id="more">
            <div class="stack">
                <ul class="listbox flat">
                    {items}
                    <li><a class="opt" href=routes::SEARCH><Icon glyph=Glyph::Find/>{td_string!(language, search.title)}</a></li>
                    <li><a class="opt" href=routes::NOTIFICATIONS><Icon glyph=Glyph::Bell/>{td_string!(language, notifications.title)}</a></li>
                    <li><a class="opt" href=routes::ACCOUNT><Icon glyph=Glyph::Key/>{td_string!(language, layout.account)}</a></li>
                    <li><a class="opt" href=routes::API_DOCS><Icon glyph=Glyph::Code/>{td_string!(language, api_docs.title)}</a></li>
                    <li><LanguageSwitch class="opt"/></li>
                    <li><SignOut/></li>
                </ul>
                <ThemeSwitch/>
            </div>
        </div>
    }
    .into_any()
}
