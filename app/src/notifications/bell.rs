//! The bell in the bar: how many are unread, and the newest ten in a menu. Without scripts it is a link to the page.

use domain::notifications::{Notification, UNREAD_MOST};
use leptos::{ev, prelude::*};

use super::{
    api::{ReadNotification, latest, unread},
    words::{notice_link, notice_text},
};
use crate::{
    components::{ErrorNotice, Glyph, Icon, Moment, Skeleton, Topic, use_news_of},
    error::AppError,
    i18n::td_string,
    language::{self, Language},
    routes,
};

/// `3`, or `99+` where counting ended.
fn count_text(unread: u32) -> String {
    if unread >= UNREAD_MOST { format!("{}+", UNREAD_MOST - 1) } else { unread.to_string() }
}

#[component]
pub fn Bell() -> impl IntoView {
    let unread = Resource::new(|| (), |()| unread());
    let read = ServerAction::<ReadNotification>::new();
    let latest = Action::new(|(): &()| latest());
    let open = RwSignal::new(false);
    use_news_of(Topic::Notice, move || {
        unread.refetch();
        if open.get_untracked() {
            latest.dispatch(());
        }
    });
    view! {
        <Transition>{move || unread.get().map(|count| view! { <Buttons unread=count.unwrap_or_default()/> })}</Transition>
        <div
            class="menu end bell-menu"
            popover="auto"
            role="dialog"
            aria-label=td_string!(language::current(), notifications.latest)
            id="latest-notices"
            on:toggle=move |_: ev::Event| {
                open.update(|open| *open = !*open);
                if open.get_untracked() {
                    latest.dispatch(());
                }
            }
        >
            {move || open.get().then(|| view! { <Panel latest=latest.value().get() read/> })}
        </div>
    }
    .into_any()
}

/// A button that opens the menu; a link where there are no scripts to fill it.
#[component]
fn Buttons(unread: u32) -> impl IntoView {
    let language = language::current();
    let label = match unread {
        0 => td_string!(language, notifications.bell).to_owned(),
        _ => td_string!(language, notifications.bell_unread, count = count_text(unread)).to_string(),
    };
    let mark = move || (unread > 0).then(|| view! { <span class="count" aria-hidden="true">{count_text(unread)}</span> });
    view! {
        <button type="button" class="tool bell script-only" popovertarget="latest-notices" aria-haspopup="dialog" aria-label=label.clone()>
            <Icon glyph=Glyph::Bell/>
            {mark()}
        </button>
        <a class="tool bell no-script" href=routes::NOTIFICATIONS aria-label=label><Icon glyph=Glyph::Bell/>{mark()}</a>
    }
    .into_any()
}

#[component]
fn Panel(latest: Option<Result<Vec<Notification>, AppError>>, read: ServerAction<ReadNotification>) -> impl IntoView {
    let language = language::current();
    let items = match latest {
        None => view! { <Skeleton/> }.into_any(),
        Some(Err(error)) => view! { <ErrorNotice error/> }.into_any(),
        Some(Ok(all)) if all.is_empty() => view! { <p class="fine">{td_string!(language, notifications.none)}</p> }.into_any(),
        Some(Ok(all)) => {
            let items = all.into_iter().map(|each| item(language, each, read)).collect_view();
            view! { <ul class="listbox">{items}</ul> }.into_any()
        }
    };
    view! {
        <div class="stack tight">
            {items}
            <div class="row between">
                <a href=routes::NOTIFICATIONS>{td_string!(language, notifications.see_all)}</a>
                <button type="button" class="btn small" data-kind="quiet" on:click=move |_| { read.dispatch(ReadNotification { id: String::new() }); }>
                    {td_string!(language, notifications.read_all)}
                </button>
            </div>
        </div>
    }
    .into_any()
}

fn item(language: Language, Notification { id, notice, created_at, read_at }: Notification, read: ServerAction<ReadNotification>) -> impl IntoView {
    let fresh = read_at.is_none();
    view! {
        <li>
            <a
                class="opt notice"
                class:unread=fresh
                href=notice_link(&notice)
                on:click=move |_| {
                    if fresh {
                        read.dispatch(ReadNotification { id: id.to_string() });
                    }
                }
            >
                {fresh.then(|| view! { <span class="sr">{td_string!(language, notifications.is_unread)}</span> })}
                <span>{notice_text(language, &notice)}</span>
                <small><Moment at=created_at/></small>
            </a>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::count_text;

    #[test]
    fn counting_ends_before_the_number_is_wide() {
        assert_eq!(count_text(3), "3");
        assert_eq!(count_text(99), "99");
        assert_eq!(count_text(100), "99+");
    }
}
