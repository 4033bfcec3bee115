//! News from the server for an open page: an event says that something changed, the page reads again what it shows.
//! Without server-sent events the page asks every five seconds, and says so.

use leptos::prelude::*;

use super::{Status, StatusKind};
use crate::{i18n::td_string, language};

/// How fresh the page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Liveness {
    #[default]
    Connecting,
    /// Hears of every change at once.
    Live,
    /// Hears of nothing and asks instead.
    Polling,
}

/// Where the news comes from: all that the reader may know of.
pub const NEWS: &str = "/events";

/// News of one lab.
pub fn news_of_lab(id: impl std::fmt::Display) -> String {
    format!("{NEWS}?lab={id}")
}

/// Calls `changed` on every piece of news from `url`, on every reconnection (something may have been missed) and, while
/// there is no connection, every five seconds. Ends with the component.
pub fn use_news(url: String, changed: impl Fn() + Clone + 'static) -> ReadSignal<Liveness> {
    let (liveness, set_liveness) = signal(Liveness::Connecting);
    #[cfg(feature = "hydrate")]
    {
        // Whether the cluster answers is in the frame of every page.
        let viewer = crate::caller_view::use_viewer();
        Effect::new(move |_| browser::listen(&url, changed.clone(), move || viewer.refetch(), liveness, set_liveness));
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (url, changed, set_liveness);
    liveness
}

/// The mark beside a heading that says how fresh the page is.
#[component]
pub fn LiveMark(liveness: ReadSignal<Liveness>) -> impl IntoView {
    let language = language::current();
    view! {
        // Without scripts it would connect for ever.
        <span class="script-only">
            {move || match liveness.get() {
                Liveness::Connecting => view! { <Status kind=StatusKind::Idle>{td_string!(language, labs.connecting)}</Status> }.into_any(),
                Liveness::Live => view! { <Status kind=StatusKind::Live>{td_string!(language, labs.live)}</Status> }.into_any(),
                Liveness::Polling => view! { <Status kind=StatusKind::Warn>{td_string!(language, labs.not_live)}</Status> }.into_any(),
            }}
        </span>
    }
    .into_any()
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::time::Duration;

    use leptos::{leptos_dom::helpers::IntervalHandle, prelude::*};
    use wasm_bindgen::{JsCast, closure::Closure};
    use web_sys::{Event, EventSource};

    use super::Liveness;

    const POLL: Duration = Duration::from_secs(5);
    /// `refresh` comes when this page was too slow to hear everything.
    const KINDS: [&str; 4] = ["lab", "order", CLUSTER, "refresh"];
    const CLUSTER: &str = "cluster";

    pub fn listen(
        url: &str,
        changed: impl Fn() + Clone + 'static,
        cluster_changed: impl Fn() + 'static,
        now: ReadSignal<Liveness>,
        set: WriteSignal<Liveness>,
    ) {
        let poll = {
            let changed = changed.clone();
            move || {
                if now.get_untracked() != Liveness::Live {
                    changed();
                }
            }
        };
        let interval = set_interval_with_handle(poll, POLL).ok();
        let Ok(source) = EventSource::new(url) else {
            set.set(Liveness::Polling);
            on_cleanup(move || stop(interval));
            return;
        };
        let on_news = {
            let changed = changed.clone();
            Closure::<dyn Fn(Event)>::new(move |event: Event| {
                if event.type_() == CLUSTER {
                    cluster_changed();
                }
                changed();
            })
        };
        for kind in KINDS {
            // It only fails for a listener that is none.
            let _ = source.add_event_listener_with_callback(kind, on_news.as_ref().unchecked_ref());
        }
        let on_open = Closure::<dyn Fn(Event)>::new(move |_| {
            if now.get_untracked() == Liveness::Polling {
                changed();
            }
            set.set(Liveness::Live);
        });
        // The browser tries again by itself unless the server refused.
        let on_error = Closure::<dyn Fn(Event)>::new(move |_| set.set(Liveness::Polling));
        source.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        // The closures live as long as the source may call them.
        let kept = StoredValue::new_local((source, on_news, on_open, on_error));
        on_cleanup(move || {
            stop(interval);
            kept.with_value(|(source, ..)| source.close());
        });
    }

    fn stop(interval: Option<IntervalHandle>) {
        if let Some(interval) = interval {
            interval.clear();
        }
    }
}
