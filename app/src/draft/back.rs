//! Typed text for Back and Forward: kept for each page while the reader types, and filled in again as soon as the forms of the page to which
//! Back or Forward led are there.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use leptos::{ev, prelude::*};
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{Element, Event, HtmlFormElement, MutationObserver, MutationObserverInit};

use super::{
    Draft, Fate, Restored,
    browser::{arrival, fill_forms, forms, here, holds_typed_secret, is_refused, person, step_to, storage, typed_in},
    keep_page, sent_from,
};

/// Key of the drafts, one a page.
const KEY: &str = "lectern.typed";

type Tell = Rc<dyn Fn(Restored)>;

thread_local! {
    /// Values that wait for the forms of the page to which the reader stepped.
    static WAITING: RefCell<Option<Waiting>> = const { RefCell::new(None) };
    /// The forms of the page that the last step left: they are still drawn for a moment.
    static LEFT: RefCell<Vec<HtmlFormElement>> = const { RefCell::new(Vec::new()) };
    static TELL: RefCell<Option<Tell>> = const { RefCell::new(None) };
    /// Whether the controls that change are filled by this module.
    static FILLING: Cell<bool> = const { Cell::new(false) };
    /// Whether the next drawing looks for forms.
    static LOOKS: Cell<bool> = const { Cell::new(false) };
}

#[derive(Clone)]
struct Waiting {
    draft: Draft,
    filled: Vec<HtmlFormElement>,
}

fn read() -> Vec<Draft> {
    let text = storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Writing fails only if the storage is full or forbidden; then no draft is kept.
fn write(drafts: &[Draft]) {
    let Some(storage) = storage() else { return };
    let _ = match serde_json::to_string(drafts) {
        Ok(text) if !drafts.is_empty() => storage.set_item(KEY, &text),
        _ => storage.remove_item(KEY),
    };
}

/// Follows typing and steps in the history as long as the document lives. `tell` is given what came back.
pub(super) fn watch(tell: impl Fn(Restored) + 'static) {
    TELL.set(Some(Rc::new(tell)));
    let input = window_event_listener(ev::input, |event| typed(&event));
    let change = window_event_listener(ev::change, |event| typed(&event));
    on_cleanup(move || {
        input.remove();
        change.remove();
    });
    let stepped = Closure::<dyn Fn()>::new(step);
    // In the capture phase the router has not replaced the page yet. It only fails for a listener that is none.
    let _ = window().add_event_listener_with_callback_and_bool("popstate", stepped.as_ref().unchecked_ref(), true);
    let drawn = Closure::<dyn Fn()>::new(look);
    if let (Ok(observer), Some(body)) = (MutationObserver::new(drawn.as_ref().unchecked_ref()), document().body()) {
        let what = MutationObserverInit::new();
        what.set_child_list(true);
        what.set_subtree(true);
        // It only fails if nothing is to be observed.
        let _ = observer.observe_with_options(&body, &what);
    }
    stepped.forget();
    drawn.forget();
}

/// The reader typed, or a form was filled for them: keeps what its form holds.
fn typed(event: &Event) {
    if !FILLING.get() {
        WAITING.set(None);
    }
    let inside = event.target().and_then(|target| target.dyn_into::<Element>().ok()).and_then(|element| element.closest("form").ok().flatten());
    let Some(form) = inside.and_then(|inside| inside.dyn_into::<HtmlFormElement>().ok()) else { return };
    let forms = forms();
    let Some(kept) = forms.iter().find(|(_, known)| *known == form) else { return };
    let Some(person) = person() else { return };
    let (page, mut drafts) = (here(), read());
    let others = drafts.iter().find(|draft| draft.page == page && draft.person == person).map(|draft| draft.controls.clone());
    let mut controls: Vec<_> = others.unwrap_or_default().into_iter().filter(|control| control.form != kept.0).collect();
    controls.extend(typed_in(std::slice::from_ref(kept), is_refused(&form)));
    let without_secrets = holds_typed_secret(&forms);
    keep_page(&mut drafts, Draft { person, page, controls, kept_at: js_sys::Date::now(), at_sign_in: false, without_secrets });
    write(&drafts);
}

/// Back or Forward led to another page.
fn step() {
    LEFT.set(forms().into_iter().map(|(_, form)| form).collect());
    step_to(here());
    expect();
}

/// Waits for the forms of this page if the reader stepped to it and typed there before.
pub(super) fn expect() {
    let Some(person) = person() else { return };
    let (page, now, arrival) = (here(), js_sys::Date::now(), arrival());
    let fate = |draft: &Draft| draft.fate_on_arrival(&page, &person, now, arrival);
    let mut drafts = read();
    let before = drafts.len();
    drafts.retain(|draft| fate(draft) != Fate::Drop);
    if drafts.len() < before {
        write(&drafts);
    }
    let draft = drafts.into_iter().find(|draft| fate(draft) == Fate::Restore);
    WAITING.set(draft.map(|draft| Waiting { draft, filled: Vec::new() }));
    look();
}

/// Looks for the forms after the next drawing, when their controls listen.
fn look() {
    if WAITING.with_borrow(Option::is_some) && !LOOKS.replace(true) {
        request_animation_frame(|| {
            LOOKS.set(false);
            fill();
        });
    }
}

fn fill() {
    let Some(Waiting { draft, filled }) = WAITING.with_borrow(Clone::clone) else { return };
    if draft.page != here() {
        WAITING.set(None);
        return;
    }
    let is_new = |form: &HtmlFormElement| !filled.contains(form) && LEFT.with_borrow(|left| !left.contains(form));
    let wanted = |key: &String| draft.controls.iter().any(|control| control.form == *key);
    let found: Vec<_> = forms().into_iter().filter(|(key, form)| wanted(key) && is_new(form)).collect();
    if found.is_empty() {
        return;
    }
    WAITING.with_borrow_mut(|waiting| {
        if let Some(waiting) = waiting {
            waiting.filled.extend(found.iter().map(|(_, form)| form.clone()));
        }
    });
    FILLING.set(true);
    let before = fill_forms(&found, &draft.controls);
    FILLING.set(false);
    if let Some(tell) = TELL.with_borrow(Clone::clone) {
        tell(Restored { before, without_secrets: draft.without_secrets });
    }
}

/// The form leaves the page: Back leads to a new one.
pub(super) fn sent(form: &HtmlFormElement) {
    WAITING.set(None);
    if let Some((key, _)) = forms().iter().find(|(_, known)| known == form) {
        let mut drafts = read();
        sent_from(&mut drafts, &here(), key);
        write(&drafts);
    }
}

/// Forgets what was typed on this page.
pub(super) fn forget() {
    WAITING.set(None);
    let (page, mut drafts) = (here(), read());
    drafts.retain(|draft| draft.page != page);
    write(&drafts);
}

pub(super) fn forget_all() {
    WAITING.set(None);
    write(&[]);
}

/// Drafts of somebody else go.
pub(super) fn forget_others(person: &str) {
    let mut drafts = read();
    drafts.retain(|draft| draft.person == person);
    write(&drafts);
}
