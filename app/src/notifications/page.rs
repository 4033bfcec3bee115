//! All of one's notifications, newest first; works without scripts.

use domain::{
    ids::LabId,
    labs::{LabState, LabView},
    notifications::{Notice, Notification},
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{
    api::{FORM, ReadNotification, Shown, list},
    words::{notice_link, notice_text},
};
use crate::{
    components::{
        Button, ButtonKind, EmptyState, ErrorNotice, Glyph, LinkButton, LinkItem, Moment, PageHead, Pager, Segmented, Skeleton, Topic, latest,
        use_news_of,
    },
    error::AppError,
    flash::flash,
    i18n::td_string,
    labs::{extend::ExtendEnding, idle::KeepRunningButton, open::open_button},
    language::{self, Language},
    routes,
};

const UNREAD: &str = "unread";

#[component]
pub fn NotificationsPage() -> impl IntoView {
    let language = language::current();
    let query = use_query_map();
    let get = move |name: &str| query.with(|query| query.get(name).unwrap_or_default());
    let flash = flash(FORM);
    let read = ServerAction::<ReadNotification>::new();
    let told = Resource::new(move || (get("filter"), get("after")), |(filter, after)| list(filter, after));
    use_news_of(Topic::Notice, move || told.refetch());
    let filters = move || {
        let unread = get("filter") == UNREAD;
        vec![
            LinkItem::new(routes::NOTIFICATIONS, td_string!(language, notifications.all), !unread),
            LinkItem::new(routes::with_query(routes::NOTIFICATIONS, &[("filter", UNREAD)]), td_string!(language, notifications.unread), unread),
        ]
    };
    view! {
        <PageHead title=td_string!(language, notifications.title) lead=td_string!(language, notifications.lead)>
            <ActionForm action=read>
                <Button icon=Glyph::Tick busy=read.pending()>{td_string!(language, notifications.read_all)}</Button>
            </ActionForm>
        </PageHead>
        {move || view! { <Segmented label=td_string!(language, notifications.filter) items=filters()/> }}
        <Suspense>{move || flash.get().and_then(|flash| flash.error).map(|error| view! { <ErrorNotice error=AppError(error)/> })}</Suspense>
        <Transition fallback=|| view! { <Skeleton/> }>
            {let told = latest(told);
            move || told.get().map(|told| match told {
                Ok(shown) => found(language, shown, &get("filter"), read),
                Err(error) => view! { <ErrorNotice error/> }.into_any(),
            })}
        </Transition>
    }
}

fn found(language: Language, Shown { page, running }: Shown, filter: &str, read: ServerAction<ReadNotification>) -> AnyView {
    if page.items.is_empty() {
        let unread = filter == UNREAD;
        return view! {
            <EmptyState
                glyph=Glyph::Bell
                title=if unread { td_string!(language, notifications.none_unread) } else { td_string!(language, notifications.none) }
                text=if unread { td_string!(language, notifications.none_unread_text) } else { td_string!(language, notifications.none_text) }
            />
        }
        .into_any();
    }
    let older = page.next.map(|next| routes::with_query(routes::NOTIFICATIONS, &[("filter", filter), ("after", &next)]));
    let items = page.items.into_iter().map(|each| row(language, each, &running, read)).collect_view();
    view! {
        <section class="card flush">
            <ul class="notices">{items}</ul>
        </section>
        <Pager nostrip:older=older/>
    }
    .into_any()
}

fn row(
    language: Language,
    Notification { id, notice, created_at, read_at }: Notification,
    running: &[LabView],
    read: ServerAction<ReadNotification>,
) -> impl IntoView + use<> {
    let fresh = read_at.is_none();
    let runs = |lab: LabId| running.iter().find(|view| view.lab.id == lab);
    let action = match &notice {
        // Pressed late or twice it adds nothing.
        Notice::LabEndsSoon { lab, ends_at, .. } => runs(*lab).map(|view| view! { <ExtendEnding view=view.clone() ends_at=*ends_at/> }.into_any()),
        Notice::LabIdle { lab, stops_at, .. } => {
            let is_due =
                |view: &&LabView| view.options.may_autostop && view.used.as_ref().is_some_and(|used| used.warned && used.stops_at == Some(*stops_at));
            runs(*lab).filter(is_due).map(|view| view! { <KeepRunningButton id=view.lab.id.to_string() name=view.lab.name.clone()/> }.into_any())
        }
        Notice::LabReady { lab, .. } => runs(*lab).and_then(|view| open_button(view, true)),
        // Each seat has its own button in the list.
        Notice::ClassReady { .. } => running.iter().any(|view| view.seat.is_some() && view.may_enter).then(|| {
            let href = routes::with_query(routes::LABS, &[("state", LabState::Running.as_str())]);
            view! { <LinkButton small=true href>{td_string!(language, notifications.open_class)}</LinkButton> }.into_any()
        }),
        _ => None,
    };
    view! {
        <li class="notice" class:unread=fresh>
            <div>
                {fresh.then(|| view! { <span class="sr">{td_string!(language, notifications.is_unread)}</span> })}
                <a
                    href=notice_link(&notice)
                    on:click=move |_| {
                        if fresh {
                            read.dispatch(ReadNotification { id: id.to_string() });
                        }
                    }
                >
                    {notice_text(language, &notice)}
                </a>
                <small><Moment at=created_at/></small>
            </div>
            {action}
            {fresh.then(|| view! {
                <ActionForm action=read>
                    <input type="hidden" name="id" value=id.to_string()/>
                    <Button kind=ButtonKind::Quiet small=true>{td_string!(language, notifications.read_one)}</Button>
                </ActionForm>
            })}
        </li>
    }
}
