//! What is announced, above the page as long as it holds.

use domain::announcements::{Banner, Level};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_location;

use super::api::{DismissAnnouncement, public};
use crate::{
    caller_view::use_viewer,
    components::{Button, ButtonKind, Moment, Notice, NoticeKind},
    i18n::td_string,
    language,
};

/// For whoever is signed in.
#[component]
pub fn Banners() -> impl IntoView {
    let viewer = use_viewer();
    view! {
        <Transition>
            {move || viewer.person().map(|person| person.banners.into_iter().map(|banner| view! { <One banner/> }).collect_view())}
        </Transition>
    }
    .into_any()
}

/// For the sign-in page.
#[component]
pub fn PublicBanners() -> impl IntoView {
    let banners = Resource::new(|| (), |()| public());
    view! {
        <Suspense>
            {move || banners.get().and_then(Result::ok).map(|banners| {
                banners.into_iter().map(|banner| view! { <One banner alone=true/> }).collect_view()
            })}
        </Suspense>
    }
    .into_any()
}

/// `alone`: nobody is signed in who could put it away.
#[component]
fn One(banner: Banner, #[prop(optional)] alone: bool) -> impl IntoView {
    let language = language::current();
    let Banner { id, level, text, to } = banner;
    let text = text.get(language::tag(language)).to_owned();
    let (kind, title) = match level {
        Level::Info => (NoticeKind::Info, td_string!(language, announcements.info)),
        Level::Maintenance => (NoticeKind::Warn, td_string!(language, announcements.maintenance)),
    };
    let dismiss = (level == Level::Info && !alone).then(|| {
        let location = use_location();
        view! {
            <form method="post" action=DismissAnnouncement::PATH class="inline">
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="back" value=move || location.pathname.get()/>
                <Button kind=ButtonKind::Quiet small=true>{td_string!(language, announcements.dismiss)}</Button>
            </form>
        }
    });
    view! {
        <Notice kind title>
            {text}" "<span class="fine">{td_string!(language, announcements.until)}" "<Moment at=to/></span>" "{dismiss}
        </Notice>
    }
    .into_any()
}
