//! News from the server for an open page: an event says that something changed, the page reads again what it shows.
//! One connection serves the whole tab, since browsers allow few of them. Without server-sent events the page asks every
//! five seconds, and says so.

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

/// What [`use_news_of`] can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Something for the reader alone.
    Notice,
    /// A verification of the audit chains moved on.
    Audit,
}

/// The tab's connection. The frame makes it before any page is drawn.
#[derive(Clone, Copy)]
pub struct NewsBoard {
    liveness: RwSignal<Liveness>,
    #[cfg(feature = "hydrate")]
    listeners: browser::Listeners,
}

impl NewsBoard {
    /// Offers itself to all that is inside, and is connected while somebody is signed in.
    pub fn provide() {
        let board = Self {
            liveness: RwSignal::new(Liveness::Connecting),
            #[cfg(feature = "hydrate")]
            listeners: browser::Listeners::new(),
        };
        provide_context(board);
        #[cfg(feature = "hydrate")]
        {
            // The frame of every page says whether the cluster answers and how many orders wait.
            let viewer = crate::caller_view::use_viewer();
            let signed_in = Memo::new(move |_| viewer.person().is_some());
            Effect::new(move |_| {
                if signed_in.get() {
                    browser::connect(board.listeners, board.liveness, move || viewer.refetch());
                }
            });
        }
    }
}

/// Calls `changed` on every piece of news from `url` ([`NEWS`] or [`news_of_lab`]), on every reconnection (something may have
/// been missed) and, while there is no connection, every five seconds. Ends with the component.
pub fn use_news(url: String, changed: impl Fn() + Clone + 'static) -> ReadSignal<Liveness> {
    let board = expect_context::<NewsBoard>();
    #[cfg(feature = "hydrate")]
    {
        let lab = url.split_once("lab=").map(|(_, id)| id.to_owned());
        board.listeners.add(move |kind, id| match kind {
            "lab" if lab.is_none() || lab.as_deref() == Some(id) => changed(),
            "order" if lab.is_none() => changed(),
            "cluster" | "refresh" | browser::POLLED => changed(),
            _ => {}
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (url, changed);
    board.liveness.read_only()
}

/// Calls `changed` on every piece of news of a topic and on every reconnection; never by polling. Ends with the component.
pub fn use_news_of(topic: Topic, changed: impl Fn() + 'static) {
    #[cfg(feature = "hydrate")]
    {
        let wanted = match topic {
            Topic::Notice => "notice",
            Topic::Audit => "audit",
        };
        expect_context::<NewsBoard>().listeners.add(move |kind, _| {
            if kind == wanted || kind == "refresh" {
                changed();
            }
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (topic, changed);
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
    use std::{rc::Rc, time::Duration};

    use leptos::{leptos_dom::helpers::IntervalHandle, prelude::*};
    use wasm_bindgen::{JsCast, closure::Closure};
    use web_sys::{EventSource, MessageEvent};

    use super::{Liveness, NEWS};

    const POLL: Duration = Duration::from_secs(5);
    /// `refresh` comes when this page was too slow to hear everything.
    const KINDS: [&str; 6] = ["lab", "order", CLUSTER, NOTICE, "audit", REFRESH];
    const CLUSTER: &str = "cluster";
    const NOTICE: &str = "notice";
    const REFRESH: &str = "refresh";
    /// The kind of what nobody told: time went by without a connection.
    pub const POLLED: &str = "polled";

    type Listener = Rc<dyn Fn(&str, &str)>;

    /// Whoever wants to hear, by a number that ends with their component.
    #[derive(Clone, Copy)]
    pub struct Listeners(StoredValue<(u32, Vec<(u32, Listener)>), LocalStorage>);

    impl Listeners {
        pub fn new() -> Self {
            Self(StoredValue::new_local((0, Vec::new())))
        }

        /// `heard` is given the kind and the id of what changed.
        pub fn add(self, heard: impl Fn(&str, &str) + 'static) {
            let mut key = 0;
            self.0.update_value(|(next, all)| {
                key = *next;
                *next = next.wrapping_add(1);
                all.push((key, Rc::new(heard)));
            });
            on_cleanup(move || {
                self.0.try_update_value(|(_, all)| all.retain(|(each, _)| *each != key));
            });
        }

        fn tell(self, kind: &str, id: &str) {
            // Copied first: who hears may add or remove listeners.
            let all: Vec<_> = self.0.with_value(|(_, all)| all.iter().map(|(_, heard)| Rc::clone(heard)).collect());
            for heard in all {
                heard(kind, id);
            }
        }
    }

    /// Opens the connection until the effect that calls this runs again or ends.
    pub fn connect(listeners: Listeners, liveness: RwSignal<Liveness>, frame_changed: impl Fn() + 'static) {
        let poll = move || {
            if liveness.get_untracked() != Liveness::Live {
                listeners.tell(POLLED, "");
            }
        };
        let interval = set_interval_with_handle(poll, POLL).ok();
        // Milliseconds since the page was asked for, by the browser's own clock.
        let age = window().performance().map_or(0.0, |clock| clock.now().ceil());
        let Ok(source) = EventSource::new(&format!("{NEWS}?age={age}")) else {
            liveness.set(Liveness::Polling);
            on_cleanup(move || stop(interval));
            return;
        };
        let on_news = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            let kind = event.type_();
            if [CLUSTER, NOTICE].contains(&kind.as_str()) {
                frame_changed();
            }
            listeners.tell(&kind, &event.data().as_string().unwrap_or_default());
        });
        for kind in KINDS {
            // It only fails for a listener that is none.
            let _ = source.add_event_listener_with_callback(kind, on_news.as_ref().unchecked_ref());
        }
        let on_open = Closure::<dyn Fn()>::new(move || {
            // What happened before the first connection the server tells; later ones may have missed something.
            if liveness.get_untracked() == Liveness::Polling {
                listeners.tell(REFRESH, "");
            }
            liveness.set(Liveness::Live);
        });
        // The browser tries again by itself unless the server refused.
        let on_error = Closure::<dyn Fn()>::new(move || liveness.set(Liveness::Polling));
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
