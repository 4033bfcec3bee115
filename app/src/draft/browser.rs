//! Reading and filling the forms of a page, and the tab's session storage.

use std::cell::RefCell;

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast as _;
use web_sys::{
    Element, Event, EventInit, HtmlFormElement, HtmlInputElement, HtmlOptionElement, HtmlSelectElement, HtmlTextAreaElement, NodeList, Storage,
};

use super::{Control, Draft, Fate};
use crate::routes;

/// Kept for signing in again.
const SIGN_IN: &str = "lectern.draft";
/// Kept for Back.
const BACK: &str = "lectern.typed";

thread_local! {
    /// Who is signed in on this page.
    static PERSON: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn person() -> Option<String> {
    PERSON.with_borrow(Clone::clone)
}

pub(super) fn here() -> String {
    let location = window().location();
    format!("{}{}", location.pathname().unwrap_or_default(), location.search().unwrap_or_default())
}

/// `None` where the browser keeps nothing for us.
fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

fn read(key: &str) -> Option<Draft> {
    serde_json::from_str(&storage()?.get_item(key).ok()??).ok()
}

/// It only fails where the storage is full or forbidden: then nothing is kept.
fn write(key: &str, draft: Option<&Draft>) {
    let Some(storage) = storage() else { return };
    let _ = match draft.map(serde_json::to_string) {
        Some(Ok(text)) => storage.set_item(key, &text),
        _ => storage.remove_item(key),
    };
}

/// Follows who is signed in; saves what is typed when a form leaves the page, and drops it at sign-out.
pub fn watch(viewer: impl Fn() -> Option<String> + 'static) {
    Effect::new(move |_| {
        // Who was signed in stays the one who typed when the session is over.
        if let Some(person) = viewer() {
            PERSON.set(Some(person));
        }
    });
    let handle = window_event_listener(ev::submit, |event| {
        let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
        let action = form.and_then(|form| form.get_attribute("action")).unwrap_or_default();
        if action == routes::SIGN_OUT {
            write(SIGN_IN, None);
            write(BACK, None);
        } else if !event.default_prevented() {
            save_all();
        }
    });
    on_cleanup(move || handle.remove());
}

/// Keeps what is typed in every form of the page, for signing in again.
pub fn save_all() {
    let (Some(person), page) = (person(), here()) else { return };
    let controls = changed(&forms());
    let draft = Draft { person, page, controls, at_sign_in: false };
    write(SIGN_IN, (!draft.controls.is_empty()).then_some(&draft));
}

/// At the load of a document, once it is known who is signed in. `true` when typed text came back.
pub fn restore_after_sign_in() -> bool {
    let Some(mut draft) = read(SIGN_IN) else { return false };
    match draft.fate(&here(), person().as_deref()) {
        Fate::Keep => {
            draft.at_sign_in = true;
            write(SIGN_IN, Some(&draft));
            false
        }
        Fate::Drop => {
            write(SIGN_IN, None);
            false
        }
        Fate::Restore => {
            write(SIGN_IN, None);
            fill(&draft.controls) > 0
        }
    }
}

/// Ends the listening when it is dropped.
pub struct Followed(Option<(WindowListenerHandle, WindowListenerHandle)>);

impl Drop for Followed {
    fn drop(&mut self) {
        if let Some((input, change)) = self.0.take() {
            input.remove();
            change.remove();
        }
    }
}

pub(super) fn follow(form: &'static str) -> Followed {
    // The controls listen after the next drawing.
    request_animation_frame(|| {
        if let (Some(draft), Some(person)) = (read(BACK), person())
            && draft.page == here()
            && draft.person == person
        {
            fill(&draft.controls);
        }
    });
    let keep = move |event: &Event| {
        let inside = event.target().and_then(|target| target.dyn_into::<Element>().ok()).and_then(|element| element.closest("form").ok().flatten());
        let Some(inside) = inside.filter(|inside| inside.id() == form).and_then(|inside| inside.dyn_into::<HtmlFormElement>().ok()) else { return };
        let Some(person) = person() else { return };
        let key = key_of(&forms(), &inside);
        write(BACK, Some(&Draft { person, page: here(), controls: changed(&[(key, inside)]), at_sign_in: false }));
    };
    let input = window_event_listener(ev::input, move |event| keep(&event));
    let change = window_event_listener(ev::change, move |event| keep(&event));
    Followed(Some((input, change)))
}

pub(super) fn forget() {
    write(BACK, None);
}

/// The forms that are posted, by action and number.
fn forms() -> Vec<(String, HtmlFormElement)> {
    let mut found: Vec<(String, HtmlFormElement)> = Vec::new();
    let list: Option<NodeList> = document().query_selector_all("form").ok();
    let nodes = list.iter().flat_map(|list| (0..list.length()).filter_map(move |index| list.item(index)));
    for form in nodes.filter_map(|node| node.dyn_into::<HtmlFormElement>().ok()).filter(|form| form.method() == "post") {
        let action = form.get_attribute("action").unwrap_or_default();
        let number = found.iter().filter(|(key, _)| key.rsplit_once('#').is_some_and(|(known, _)| known == action)).count();
        found.push((format!("{action}#{number}"), form));
    }
    found
}

fn key_of(forms: &[(String, HtmlFormElement)], form: &HtmlFormElement) -> String {
    forms.iter().find(|(_, known)| known == form).map(|(key, _)| key.clone()).unwrap_or_default()
}

fn elements(form: &HtmlFormElement) -> Vec<Element> {
    let all = form.elements();
    (0..all.length()).filter_map(|index| all.item(index)).collect()
}

fn changed(forms: &[(String, HtmlFormElement)]) -> Vec<Control> {
    let of = |(key, form): &(String, HtmlFormElement)| {
        elements(form).iter().filter_map(|element| control(element)).map(|control| Control { form: key.clone(), ..control }).collect::<Vec<_>>()
    };
    forms.iter().flat_map(of).collect()
}

/// A control that differs from what the page came with. Its form is filled in by the caller.
fn control(element: &Element) -> Option<Control> {
    let control = |name: String, value: String, checked| (!name.is_empty()).then_some(Control { form: String::new(), name, value, checked });
    if let Some(area) = element.dyn_ref::<HtmlTextAreaElement>() {
        let typed = area.default_value().is_ok_and(|start| start != area.value());
        return typed.then(|| control(area.name(), area.value(), None))?;
    }
    if let Some(select) = element.dyn_ref::<HtmlSelectElement>() {
        return is_chosen(select).then(|| control(select.name(), select.value(), None))?;
    }
    let input = element.dyn_ref::<HtmlInputElement>()?;
    match input.type_().as_str() {
        "password" | "hidden" | "file" | "submit" | "button" | "image" | "reset" => None,
        "checkbox" | "radio" => (input.checked() != input.default_checked()).then(|| control(input.name(), input.value(), Some(input.checked())))?,
        _ => (input.value() != input.default_value()).then(|| control(input.name(), input.value(), None))?,
    }
}

fn is_chosen(select: &HtmlSelectElement) -> bool {
    let options = select.options();
    let mut options = (0..options.length()).filter_map(|index| options.item(index)).filter_map(|option| option.dyn_into::<HtmlOptionElement>().ok());
    options.any(|option| option.selected() && !option.default_selected())
}

/// How many controls were filled. Each says so, as if it had been typed into.
fn fill(controls: &[Control]) -> usize {
    let mut filled = 0;
    for (key, form) in forms() {
        let wanted: Vec<_> = controls.iter().filter(|control| control.form == key).collect();
        if wanted.is_empty() {
            continue;
        }
        for element in elements(&form) {
            if wanted.iter().any(|control| put(&element, control)) {
                filled += 1;
                for kind in ["input", "change"] {
                    let bubbling = EventInit::new();
                    bubbling.set_bubbles(true);
                    if let Ok(event) = Event::new_with_event_init_dict(kind, &bubbling) {
                        // What a listener makes of it is its own affair.
                        let _ = element.dispatch_event(&event);
                    }
                }
            }
        }
    }
    filled
}

/// Whether the element is the control, which it then is filled from.
fn put(element: &Element, control: &Control) -> bool {
    if let Some(area) = element.dyn_ref::<HtmlTextAreaElement>() {
        return area.name() == control.name && {
            area.set_value(&control.value);
            true
        };
    }
    if let Some(select) = element.dyn_ref::<HtmlSelectElement>() {
        return select.name() == control.name && {
            select.set_value(&control.value);
            true
        };
    }
    let Some(input) = element.dyn_ref::<HtmlInputElement>().filter(|input| input.name() == control.name) else { return false };
    match (input.type_().as_str(), control.checked) {
        ("password" | "hidden" | "file", _) => return false,
        ("checkbox" | "radio", Some(checked)) if input.value() == control.value => input.set_checked(checked),
        ("checkbox" | "radio", _) => return false,
        (_, None) => input.set_value(&control.value),
        (_, Some(_)) => return false,
    }
    true
}
