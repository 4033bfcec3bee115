//! The application: contexts, router, and the frame of navigation, bar and main part around every page.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{components::Router, hooks::use_location};

use super::{bar::Bar, menus::Menus, nav::Nav};
use crate::{
    announcements::banner::Banners,
    caller_view::{ViewerContext, use_viewer},
    components::{ErrorNotice, MomentStyle, NewsBoard, Notice, NoticeKind, ToastBoard, Toasts, moment_text},
    error::AppError,
    i18n::td_string,
    language,
    preferences::Preferences,
    routes::{self, Pages},
    search::palette::{self, Palette},
};

/// The whole application, the same on both sides of the wire.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    if use_context::<Preferences>().is_none() {
        let preferences = from_document();
        provide_context(preferences);
        provide_context(preferences.language);
    }
    ViewerContext::provide();
    ToastBoard::provide();
    NewsBoard::provide();
    palette::Open::provide();
    let (routing, set_routing) = signal(false);
    view! {
        <Router set_is_routing=set_routing>
            <Show when=move || routing.get()><div class="routing" role="progressbar" aria-label=td_string!(language::current(), layout.opening)></div></Show>
            <Frame/>
        </Router>
    }
    .into_any()
}

/// What the server wrote on `<html>`: the browser's half starts from exactly that.
fn from_document() -> Preferences {
    #[cfg(feature = "hydrate")]
    {
        use crate::preferences::Theme;
        let attribute = |name: &str| document().document_element().and_then(|root| root.get_attribute(name));
        Preferences {
            language: attribute("lang").as_deref().and_then(language::parse).unwrap_or_default(),
            theme: attribute("data-theme").as_deref().and_then(Theme::parse).unwrap_or_default(),
        }
    }
    #[cfg(not(feature = "hydrate"))]
    Preferences::default()
}

/// A new page without a new document: closes what was open over the old one and moves the focus to the new one, as the
/// browser does for a document.
fn arrive() {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let document = document();
        if let Ok(open) = document.query_selector_all(":popover-open") {
            for index in 0..open.length() {
                if let Some(element) = open.item(index).and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok()) {
                    // It only fails when it is closed already.
                    let _ = element.hide_popover();
                }
            }
        }
        if let Some(main) = document.get_element_by_id("main").and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = main.focus();
        }
    }
}

/// Restores typed text after the person signed in again, after Back and Forward, and after the reload that a switch of language or theme brings.
fn keep_drafts() {
    #[cfg(feature = "hydrate")]
    {
        use crate::{components::use_toasts, draft};
        let (language, toasts, viewer, location) = (language::current(), use_toasts(), use_viewer(), use_location());
        draft::watch(
            move || viewer.person().map(|person| person.user_id.to_string()),
            move |restored| draft::say_restored(language, toasts, restored),
        );
        Effect::new(move |before: Option<()>| {
            let (path, search) = (location.pathname.get(), location.search.get());
            let search = search.trim_start_matches('?');
            if before.is_some() {
                draft::moved_to(&if search.is_empty() { path } else { format!("{path}?{search}") });
            }
        });
        Effect::new(move |restored: Option<bool>| {
            // Runs once, as soon as the signed-in person is known.
            if restored == Some(true) || viewer.get().is_none() {
                return restored.unwrap_or_default();
            }
            // The controls of the page listen after the next drawing.
            request_animation_frame(move || draft::say_restored(language, toasts, draft::restore_at_load()));
            true
        });
    }
}

/// Pages without navigation: nobody is signed in there.
fn stands_alone(path: &str) -> bool {
    path == routes::SIGN_IN || path == routes::SETUP || path.starts_with(routes::JOIN_PREFIX)
}

#[component]
fn Frame() -> impl IntoView {
    let language = language::current();
    let location = use_location();
    let alone = Memo::new(move |_| location.pathname.with(|path| stands_alone(path)));
    keep_drafts();
    Effect::new(move |before: Option<()>| {
        location.pathname.track();
        // Not on the first run: the page came from the server and the reader may be somewhere in it already.
        if before.is_some() {
            arrive();
        }
    });
    view! {
        <a class="skip" href="#main" rel="external">{td_string!(language, layout.skip)}</a>
        <div class="shell" class:alone=alone>
            <Show when=move || !alone.get()><Nav/></Show>
            <div>
                <Show when=move || !alone.get()><Bar/></Show>
                <main id="main" tabindex="-1" class:page=move || !alone.get()>
                    <Show when=move || !alone.get()><SessionOver/><ClusterAway/><Banners/></Show>
                    <Pages/>
                </main>
            </div>
        </div>
        <Show when=move || !alone.get()><Menus/><Palette/></Show>
        <Toasts/>
    }
    .into_any()
}

/// Says that the session of this page is over, in the words of a refused form, with the link to sign in and back, unless a refused form of
/// the page says it itself. Pages that are opened
/// afterwards are refused by the server and say it themselves.
#[component]
fn SessionOver() -> impl IntoView {
    let board = expect_context::<NewsBoard>();
    let path = use_location().pathname;
    let shown = Memo::new(move |_| !board.is_said() && board.over_at().is_some_and(|page| path.with(|path| *path == page)));
    view! {
        <Show when=move || shown.get()><ErrorNotice error=AppError(domain::Error::Unauthenticated) of_frame=true/></Show>
    }
    .into_any()
}

/// An amber note while the cluster does not answer: orders are taken and wait.
#[component]
fn ClusterAway() -> impl IntoView {
    let language = language::current();
    let viewer = use_viewer();
    view! {
        <Transition>
            {move || viewer.person().and_then(|person| person.cluster_away_since).map(|since| {
                let since = moment_text(since, MomentStyle::Minute);
                view! {
                    <Notice kind=NoticeKind::Warn title=td_string!(language, layout.cluster_away, since = since).to_string()>
                        {td_string!(language, layout.cluster_away_kept)}
                    </Notice>
                }
            })}
        </Transition>
    }
    .into_any()
}
