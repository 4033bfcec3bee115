//! News from the server for an open page: an event says that something changed, the page reads again what it shows.
//! One connection serves the whole tab, since browsers allow few of them. Without server-sent events the page asks every
//! five seconds, and says so. When the session is over it does neither any more. The connection itself is in `browser`.

#[cfg(feature = "hydrate")]
mod browser;

use leptos::prelude::*;

use super::{Status, StatusKind};
#[cfg(any(feature = "hydrate", test))]
use crate::{caller_view::Viewer, error::AppError};
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
    /// The session is over: neither hears nor asks.
    Over,
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
    over_at: RwSignal<Option<String>>,
    /// How many notices of the page itself say that the session is over.
    said: RwSignal<u32>,
    #[cfg(feature = "hydrate")]
    listeners: browser::Listeners,
}

impl NewsBoard {
    /// Offers itself to all that is inside, and is connected while somebody is signed in.
    pub fn provide() {
        let board = Self {
            liveness: RwSignal::new(Liveness::Connecting),
            over_at: RwSignal::new(None),
            said: RwSignal::new(0),
            #[cfg(feature = "hydrate")]
            listeners: browser::Listeners::new(),
        };
        provide_context(board);
        #[cfg(feature = "hydrate")]
        {
            // The frame of every page says whether the cluster answers and how many orders wait.
            let viewer = crate::caller_view::use_viewer();
            // While the server does not answer it stays as it was.
            let signed_in = Memo::new(move |before: Option<&bool>| match viewer.get() {
                Some(Ok(person)) => person.is_some(),
                _ => before.copied().unwrap_or_default(),
            });
            Effect::new(move |before: Option<bool>| {
                let now = signed_in.get();
                if now && board.over_at.with(Option::is_none) {
                    browser::connect(board, move || viewer.refetch());
                } else if before == Some(true) && !now {
                    board.end();
                }
                now
            });
        }
    }

    /// Path of the page on which it was noticed that the session is over.
    pub fn over_at(self) -> Option<String> {
        self.over_at.get()
    }

    /// Whether the page itself says that the session is over: then the frame does not repeat it.
    pub fn is_said(self) -> bool {
        self.said.get() > 0
    }

    /// The page says that the session is over, until the owner of the caller ends.
    pub fn say_over(self) {
        self.said.update(|said| *said += 1);
        on_cleanup(move || {
            // It is gone already if the whole application is.
            let _ = self.said.try_update(|said| *said = said.saturating_sub(1));
        });
    }

    /// Closes the connection and asks no more.
    #[cfg(feature = "hydrate")]
    fn end(self) {
        self.liveness.set(Liveness::Over);
        self.over_at.set(window().location().pathname().ok());
    }
}

/// Whether the answer to "who is signed in" says that nobody is. Without an answer the session may still be good.
#[cfg(any(feature = "hydrate", test))]
fn is_over(viewer: &Result<Option<Viewer>, AppError>) -> bool {
    matches!(viewer, Ok(None))
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
                Liveness::Over => ().into_any(),
            }}
        </span>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::Error;

    use super::*;
    use crate::caller_view::viewer_with;

    #[test]
    fn only_a_server_that_answers_ends_the_news() {
        assert!(is_over(&Ok(None)));
        assert!(!is_over(&Ok(Some(viewer_with(BTreeSet::new(), BTreeSet::new())))));
        assert!(!is_over(&Err(AppError(Error::Unavailable { retry_after_seconds: 10 }))));
    }
}
