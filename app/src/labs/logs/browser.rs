//! Reads a log in the browser, piece by piece.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use js_sys::{Reflect, Uint8Array};
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal, Headers, ReadableStreamDefaultReader, RequestInit, Response};

use super::{LogView, Note, text::LogText};

/// Outcome of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// There is no more, or the connection broke.
    Done,
    /// The server refused, by this status; 0 if it did not answer.
    Refused(u16),
}

/// Reads from `url` until it ends or `abort` is told to. `heard` is given each piece, and says whether to go on.
async fn read(url: &str, abort: &AbortController, heard: impl FnMut(&[u8]) -> bool) -> Ended {
    exchange(url, abort, heard).await.unwrap_or(Ended::Refused(0))
}

async fn exchange(url: &str, abort: &AbortController, mut heard: impl FnMut(&[u8]) -> bool) -> Result<Ended, JsValue> {
    let headers = Headers::new()?;
    // So that a refusal comes as the scripts read it.
    headers.set("accept", "text/plain")?;
    let init = RequestInit::new();
    init.set_method("GET");
    init.set_headers(&headers);
    init.set_signal(Some(&abort.signal()));
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(url, &init)).await?.dyn_into()?;
    if !response.ok() {
        return Ok(Ended::Refused(response.status()));
    }
    let Some(body) = response.body() else { return Ok(Ended::Done) };
    let reader: ReadableStreamDefaultReader = body.get_reader().dyn_into()?;
    loop {
        // A connection that breaks later is an end like any other: what was read stays.
        let Ok(piece) = JsFuture::from(reader.read()).await else { return Ok(Ended::Done) };
        if Reflect::get(&piece, &"done".into())?.is_truthy() {
            return Ok(Ended::Done);
        }
        let bytes: Uint8Array = Reflect::get(&piece, &"value".into())?.dyn_into()?;
        if !heard(&bytes.to_vec()) {
            return Ok(Ended::Done);
        }
    }
}

/// Time between two drawings: a program may write thousands of lines a second.
const PAUSE: Duration = Duration::from_millis(200);
/// After this time a log that could not be read is asked for again.
const AGAIN: Duration = Duration::from_secs(5);
/// The status for an earlier run that there was not.
const NO_RUN: u16 = 410;
/// So near to the end, in pixels, the reader is taken along with what is new.
const NEAR: i32 = 24;

type Reading = StoredValue<Option<AbortController>, LocalStorage>;

/// Keeps the text on the page what `view` asks for, until the owner of the caller ends.
pub(super) fn keep(view: LogView) {
    let reading: Reading = StoredValue::new_local(None);
    Effect::new(move |_| {
        let (url, is_followed) = (view.url.get(), view.follow.get());
        view.again.track();
        stop(reading);
        if view.settled.try_update_value(std::mem::take).unwrap_or_default() {
            // Following ended by itself: what was read stays.
            return;
        }
        let Ok(abort) = AbortController::new() else { return };
        reading.set_value(Some(abort.clone()));
        spawn_local(show(view, url, is_followed, abort));
    });
    on_cleanup(move || stop(reading));
}

fn stop(reading: Reading) {
    if let Some(before) = reading.try_update_value(Option::take).flatten() {
        before.abort();
    }
}

async fn show(view: LogView, url: String, is_followed: bool, abort: AbortController) {
    let signal = abort.signal();
    let log = Rc::new(RefCell::new(LogText::default()));
    let waits = Rc::new(Cell::new(false));
    let ended = read(&url, &abort, |piece| {
        log.borrow_mut().push(piece);
        if !waits.replace(true) {
            let (log, waits, signal) = (Rc::clone(&log), Rc::clone(&waits), signal.clone());
            set_timeout(
                move || {
                    waits.set(false);
                    if !signal.aborted() {
                        draw(view, &log.borrow(), None);
                    }
                },
                PAUSE,
            );
        }
        !signal.aborted()
    })
    .await;
    if signal.aborted() {
        return;
    }
    let note = match ended {
        Ended::Done if log.borrow().is_empty() => Some(Note::Empty),
        Ended::Done => is_followed.then_some(Note::Ended),
        Ended::Refused(409) => Some(Note::NotThere),
        Ended::Refused(NO_RUN | 404) => Some(Note::NoneKept),
        Ended::Refused(_) => Some(Note::Unreachable),
    };
    draw(view, &log.borrow(), note);
    match ended {
        Ended::Done if is_followed => {
            let _ = view.settled.try_update_value(|settled| *settled = true);
            let _ = view.follow.try_set(false);
        }
        // A container that has not started yet, or a cluster that does not answer.
        Ended::Refused(status) if !matches!(status, NO_RUN | 404) => set_timeout(move || ask_again(view, &signal), AGAIN),
        _ => {}
    }
}

/// Unless something else is read by now, or nobody looks at the page.
fn ask_again(view: LogView, signal: &AbortSignal) {
    if signal.aborted() {
        return;
    }
    if document().hidden() {
        let signal = signal.clone();
        set_timeout(move || ask_again(view, &signal), AGAIN);
    } else {
        let _ = view.again.try_update(|again| *again = again.wrapping_add(1));
    }
}

fn draw(view: LogView, log: &LogText, note: Option<Note>) {
    let element = || view.element.try_get_untracked().flatten();
    let is_at_end = element().is_none_or(|element| element.scroll_top() + element.client_height() >= element.scroll_height() - NEAR);
    let _ = view.text.try_set(log.shown());
    let _ = view.note.try_set(note.or_else(|| log.is_cut().then_some(Note::Cut)));
    if is_at_end {
        request_animation_frame(move || {
            if let Some(element) = view.element.try_get_untracked().flatten() {
                element.set_scroll_top(element.scroll_height());
            }
        });
    }
}
