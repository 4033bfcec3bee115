//! The navigation: a board on a desk, a rail in between, bottom tabs on a phone.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::navigation::{Entry, TABS, entries};
use crate::{
    caller_view::{Viewer, use_viewer},
    components::{Glyph, Icon},
    i18n::td_string,
    language, routes,
};

#[component]
pub fn Nav() -> impl IntoView {
    let language = language::current();
    let viewer = use_viewer();
    view! {
        <nav class="nav" aria-label=td_string!(language, layout.main_navigation)>
            <a class="brand" href=routes::HOME><Icon glyph=Glyph::Brand/>{td_string!(language, layout.product)}</a>
            <Transition>{move || viewer.person().map(|person| view! { <NavEntries person/> })}</Transition>
        </nav>
    }
    .into_any()
}

#[component]
fn NavEntries(person: Viewer) -> impl IntoView {
    let language = language::current();
    let items =
        entries(&person, language).into_iter().enumerate().map(|(index, entry)| view! { <li><NavItem entry tab=index < TABS/></li> }).collect_view();
    view! {
        <ul>
            {items}
            <li class="more-only">
                <button type="button" class="item" popovertarget="more">
                    <Icon glyph=Glyph::More/><span>{td_string!(language, layout.more)}</span>
                </button>
            </li>
        </ul>
        {person.simulated_cluster.then(|| view! {
            <div class="foot">
                <b>{td_string!(language, layout.simulated_cluster)}</b>
                <br/>
                {if person.labs_are_processes {
                    td_string!(language, layout.labs_are_processes)
                } else {
                    td_string!(language, layout.simulated_cluster_about)
                }}
            </div>
        })}
    }
    .into_any()
}

/// One entry. Those that are no `tab` go behind "More" on a phone.
#[component]
fn NavItem(entry: Entry, tab: bool) -> impl IntoView {
    let language = language::current();
    let path = use_location().pathname;
    let Entry { href, text, glyph, count } = entry.clone();
    let current = move || path.with(|path| entry.holds(path)).then_some("page");
    view! {
        <a class=if tab { "item" } else { "item extra" } href=href aria-current=current>
            <Icon glyph/>
            <span>{text}</span>
            {(count > 0).then(|| view! {
                <span class="count" aria-hidden="true">{count}</span>
                <span class="sr">{td_string!(language, layout.waiting, count = count).to_string()}</span>
            })}
        </a>
    }
    .into_any()
}
