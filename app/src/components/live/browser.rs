//! The tab's connection: server-sent events, and asking while there are none.

use std::{rc::Rc, time::Duration};

use leptos::{leptos_dom::helpers::IntervalHandle, prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{EventSource, MessageEvent};

use super::{Liveness, NEWS, NewsBoard, is_over};
use crate::session::api::viewer;

const POLL: Duration = Duration::from_secs(5);
/// `refresh` comes when this page was too slow to hear everything.
const KINDS: [&str; 6] = ["lab", "order", CLUSTER, NOTICE, "audit", REFRESH];
const CLUSTER: &str = "cluster";
const NOTICE: &str = "notice";
const REFRESH: &str = "refresh";
/// The kind of what nobody told: time went by without a connection.
pub const POLLED: &str = "polled";

type Listener = Rc<dyn Fn(&str, &str)>;

/// The listeners, each by a number that ends with its component.
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
        // Copied first: a listener may add or remove listeners.
        let all: Vec<_> = self.0.with_value(|(_, all)| all.iter().map(|(_, heard)| Rc::clone(heard)).collect());
        for heard in all {
            heard(kind, id);
        }
    }
}

/// Opens the connection until the effect that calls this runs again or ends.
pub fn connect(board: NewsBoard, frame_changed: impl Fn() + 'static) {
    let NewsBoard { liveness, listeners, .. } = board;
    let poll = move || {
        if matches!(liveness.get_untracked(), Liveness::Connecting | Liveness::Polling) {
            while_signed_in(board, move || listeners.tell(POLLED, ""));
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
    // The browser connects again by itself unless the server refused, as it does when the session is over.
    let on_error = Closure::<dyn Fn()>::new(move || {
        liveness.set(Liveness::Polling);
        while_signed_in(board, || {});
    });
    source.set_onopen(Some(on_open.as_ref().unchecked_ref()));
    source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    // The closures live as long as the source may call them.
    let kept = StoredValue::new_local((source, on_news, on_open, on_error));
    on_cleanup(move || {
        stop(interval);
        kept.with_value(|(source, ..)| source.close());
    });
}

/// Asks who is signed in, which is never refused. Goes on with `then` unless the session is over: that ends the news for good.
fn while_signed_in(board: NewsBoard, then: impl FnOnce() + 'static) {
    spawn_local(async move {
        if is_over(&viewer().await) {
            board.end();
        } else {
            then();
        }
    });
}

fn stop(interval: Option<IntervalHandle>) {
    if let Some(interval) = interval {
        interval.clear();
    }
}
