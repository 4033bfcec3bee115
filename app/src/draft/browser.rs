//! Reads and fills the forms of a page, and the tab's session storage.

use std::cell::RefCell;

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast as _;
use web_sys::{
    Element, Event, EventInit, HtmlFormElement, HtmlInputElement, HtmlOptionElement, HtmlSelectElement, HtmlTextAreaElement, NodeList, Storage,
};

use super::{Arrival, Control, Draft, Fate, may_be_kept};
use crate::{preferences, routes};

/// Key of the draft for signing in again.
const SIGN_IN: &str = "lectern.draft";
/// Key of the draft for Back.
const BACK: &str = "lectern.typed";
/// Key of the draft for the reload that a switch of language or theme brings.
const SWITCH: &str = "lectern.switch";
const KEYS: [&str; 3] = [SIGN_IN, BACK, SWITCH];

thread_local! {
    /// Id of the person who is signed in on this page.
    static PERSON: RefCell<Option<String>> = const { RefCell::new(None) };
    /// The page to which Back or Forward led, until a link leads to another.
    static STEPPED_TO: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn person() -> Option<String> {
    PERSON.with_borrow(Clone::clone)
}

pub(super) fn here() -> String {
    let location = window().location();
    format!("{}{}", location.pathname().unwrap_or_default(), location.search().unwrap_or_default())
}

/// `None` if the browser does not offer session storage.
fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

fn read(key: &str) -> Option<Draft> {
    serde_json::from_str(&storage()?.get_item(key).ok()??).ok()
}

/// Writing fails only if the storage is full or forbidden; then no draft is kept.
fn write(key: &str, draft: Option<&Draft>) {
    let Some(storage) = storage() else { return };
    let _ = match draft.map(serde_json::to_string) {
        Some(Ok(text)) => storage.set_item(key, &text),
        _ => storage.remove_item(key),
    };
}

fn write_nothing() {
    for key in KEYS {
        write(key, None);
    }
}

/// Follows who is signed in and how they came; saves what is typed when a form leaves the page, and drops it at sign-out and when somebody
/// else signs in.
pub fn watch(viewer: impl Fn() -> Option<String> + 'static) {
    Effect::new(move |_| {
        // When the session ends, the person stays set: the draft belongs to them.
        if let Some(person) = viewer() {
            forget_others(&person);
            PERSON.set(Some(person));
        }
    });
    STEPPED_TO.set(is_document_of_history().then(here));
    let submit = window_event_listener(ev::submit, |event| {
        let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
        let action = form.and_then(|form| form.get_attribute("action")).unwrap_or_default();
        if action == routes::SIGN_OUT {
            write_nothing();
        } else if !event.default_prevented() {
            save_all();
            if action == preferences::PATH {
                save_for_switch();
            }
        }
    });
    let step = window_event_listener(ev::popstate, |_| STEPPED_TO.set(Some(here())));
    on_cleanup(move || {
        submit.remove();
        step.remove();
    });
}

/// The router leads to this page: by a link, or after a step in the history, of which the browser may tell before or afterwards.
pub fn moved_to(page: &str) {
    if STEPPED_TO.with_borrow(|to| to.as_deref() != Some(page)) {
        STEPPED_TO.set(None);
    }
}

/// How the reader came to this page.
fn arrival() -> Arrival {
    let here = here();
    if STEPPED_TO.with_borrow(|to| to.as_ref() == Some(&here)) { Arrival::History } else { Arrival::Anew }
}

/// Whether the browser came to the document by Back or Forward.
fn is_document_of_history() -> bool {
    let entries = window().performance().map(|performance| performance.get_entries_by_type("navigation"));
    let navigation = entries.and_then(|entries| js_sys::Reflect::get(&entries.get(0), &"type".into()).ok());
    navigation.and_then(|kind| kind.as_string()).is_some_and(|kind| kind == "back_forward")
}

/// A draft of somebody else, or one that cannot be read, goes.
fn forget_others(person: &str) {
    for key in KEYS {
        if read(key).is_none_or(|draft| draft.person != person) {
            write(key, None);
        }
    }
}

/// Keeps the typed text of every form of the page, for signing in again.
pub fn save_all() {
    if let Some(person) = person() {
        save(SIGN_IN, person, changed(&forms()));
    }
}

/// Keeps the typed text of every form of the page for the next load of it, also where nobody is signed in. A refused form came with what was
/// typed, and comes with it only once: all of it is kept.
fn save_for_switch() {
    let is_refused = |form: &HtmlFormElement| form.query_selector("[aria-invalid='true']").ok().flatten().is_some();
    let (refused, others): (Vec<_>, Vec<_>) = forms().into_iter().partition(|(_, form)| is_refused(form));
    let mut controls = controls(&refused, true);
    controls.extend(changed(&others));
    save(SWITCH, person().unwrap_or_default(), controls);
}

fn save(key: &str, person: String, controls: Vec<Control>) {
    let draft = Draft { person, page: here(), controls, kept_at: js_sys::Date::now(), at_sign_in: false };
    write(key, (!draft.controls.is_empty()).then_some(&draft));
}

/// At the load of a document, once it is known who is signed in. Gives what the controls held before typed text came back.
pub fn restore_at_load() -> Vec<Control> {
    let before = restore_after_sign_in();
    if before.is_empty() { restore_after_switch() } else { before }
}

fn restore_after_switch() -> Vec<Control> {
    let Some(draft) = read(SWITCH) else { return Vec::new() };
    write(SWITCH, None);
    let returns = draft.returns_after_switch(&here(), &person().unwrap_or_default(), js_sys::Date::now());
    if returns { fill(&draft.controls) } else { Vec::new() }
}

fn restore_after_sign_in() -> Vec<Control> {
    let Some(mut draft) = read(SIGN_IN) else { return Vec::new() };
    match draft.fate(&here(), person().as_deref(), js_sys::Date::now()) {
        Fate::Keep => {
            draft.at_sign_in = true;
            write(SIGN_IN, Some(&draft));
            Vec::new()
        }
        Fate::Drop => {
            write(SIGN_IN, None);
            Vec::new()
        }
        Fate::Restore => {
            write(SIGN_IN, None);
            fill(&draft.controls)
        }
    }
}

/// When a form is shown that keeps its text for Back. Gives what the controls held before typed text came back.
fn restore_after_back() -> Vec<Control> {
    let (Some(draft), Some(person)) = (read(BACK), person()) else { return Vec::new() };
    match draft.fate_on_arrival(&here(), &person, js_sys::Date::now(), arrival()) {
        Fate::Keep => Vec::new(),
        Fate::Drop => {
            write(BACK, None);
            Vec::new()
        }
        Fate::Restore => fill(&draft.controls),
    }
}

/// Takes restored text out again.
pub(super) fn discard(before: &[Control]) {
    fill(before);
    write_nothing();
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

/// `restored` is given what `restore_after_back` gives.
pub(super) fn follow(form: &'static str, restored: impl FnOnce(Vec<Control>) + 'static) -> Followed {
    // The controls listen after the next drawing.
    request_animation_frame(move || restored(restore_after_back()));
    let keep = move |event: &Event| {
        let inside = event.target().and_then(|target| target.dyn_into::<Element>().ok()).and_then(|element| element.closest("form").ok().flatten());
        let Some(inside) = inside.filter(|inside| inside.id() == form).and_then(|inside| inside.dyn_into::<HtmlFormElement>().ok()) else { return };
        let Some(person) = person() else { return };
        let key = key_of(&forms(), &inside);
        let (controls, kept_at) = (changed(&[(key, inside)]), js_sys::Date::now());
        write(BACK, Some(&Draft { person, page: here(), controls, kept_at, at_sign_in: false }));
    };
    let input = window_event_listener(ev::input, move |event| keep(&event));
    let change = window_event_listener(ev::change, move |event| keep(&event));
    Followed(Some((input, change)))
}

pub(super) fn forget() {
    write(BACK, None);
}

/// The forms that use POST, by action and number.
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
    controls(forms, false)
}

/// What the forms hold and may be kept: `whole` or only what differs from what the page came with.
fn controls(forms: &[(String, HtmlFormElement)], whole: bool) -> Vec<Control> {
    let of = |(key, form): &(String, HtmlFormElement)| {
        elements(form)
            .iter()
            .filter_map(|element| control(element, whole))
            .map(|control| Control { form: key.clone(), ..control })
            .collect::<Vec<_>>()
    };
    forms.iter().flat_map(of).collect()
}

/// A control that may be kept, if it differs from what the page came with or the form is kept `whole`. Its form is filled in by the caller.
fn control(element: &Element, whole: bool) -> Option<Control> {
    let control = |name: String, value: String, checked| (!name.is_empty()).then_some(Control { form: String::new(), name, value, checked });
    if let Some(area) = element.dyn_ref::<HtmlTextAreaElement>() {
        let differs = whole || area.default_value().is_ok_and(|start| start != area.value());
        let typed = differs && may_be_kept("textarea", &autocomplete(element));
        return typed.then(|| control(area.name(), area.value(), None))?;
    }
    if let Some(select) = element.dyn_ref::<HtmlSelectElement>() {
        return (whole || is_chosen(select)).then(|| control(select.name(), select.value(), None))?;
    }
    let input = element.dyn_ref::<HtmlInputElement>()?;
    let kind = input.type_();
    if !may_be_kept(&kind, &autocomplete(element)) {
        return None;
    }
    match kind.as_str() {
        "checkbox" | "radio" => {
            (whole || input.checked() != input.default_checked()).then(|| control(input.name(), input.value(), Some(input.checked())))?
        }
        _ => (whole || input.value() != input.default_value()).then(|| control(input.name(), input.value(), None))?,
    }
}

/// Its own, else its form's.
fn autocomplete(element: &Element) -> String {
    let of_form = || element.closest("form").ok().flatten()?.get_attribute("autocomplete");
    element.get_attribute("autocomplete").or_else(of_form).unwrap_or_default()
}

fn options(select: &HtmlSelectElement) -> Vec<HtmlOptionElement> {
    let options = select.options();
    (0..options.length()).filter_map(|index| options.item(index)).filter_map(|option| option.dyn_into().ok()).collect()
}

fn is_chosen(select: &HtmlSelectElement) -> bool {
    options(select).iter().any(|option| option.selected() && !option.default_selected())
}

/// The value that the page came with.
fn choice_before(select: &HtmlSelectElement) -> String {
    let options = options(select);
    let before = options.iter().find(|option| option.default_selected()).or(options.first());
    before.map(HtmlOptionElement::value).unwrap_or_default()
}

/// Fills the controls, and gives those that were filled as the page came with them. Each says so, as if it had been typed into.
fn fill(controls: &[Control]) -> Vec<Control> {
    let mut before = Vec::new();
    for (key, form) in forms() {
        let wanted: Vec<_> = controls.iter().filter(|control| control.form == key).collect();
        if wanted.is_empty() {
            continue;
        }
        for element in elements(&form) {
            if let Some(control) = wanted.iter().find_map(|control| put(&element, control)) {
                before.push(Control { form: key.clone(), ..control });
                say_changed(&element);
            }
        }
    }
    before
}

fn say_changed(element: &Element) {
    // A browser says nothing of the radio button that another one replaces.
    if element.dyn_ref::<HtmlInputElement>().is_some_and(|input| input.type_() == "radio" && !input.checked()) {
        return;
    }
    for kind in ["input", "change"] {
        let bubbling = EventInit::new();
        bubbling.set_bubbles(true);
        if let Ok(event) = Event::new_with_event_init_dict(kind, &bubbling) {
            // The result of a listener is ignored.
            let _ = element.dispatch_event(&event);
        }
    }
}

/// Fills the element if it is the control, and gives what the page came with. Its form is filled in by the caller.
fn put(element: &Element, control: &Control) -> Option<Control> {
    let before = |value: String, checked| Some(Control { form: String::new(), name: control.name.clone(), value, checked });
    if let Some(area) = element.dyn_ref::<HtmlTextAreaElement>() {
        if area.name() != control.name {
            return None;
        }
        area.set_value(&control.value);
        return before(area.default_value().unwrap_or_default(), None);
    }
    if let Some(select) = element.dyn_ref::<HtmlSelectElement>() {
        if select.name() != control.name {
            return None;
        }
        select.set_value(&control.value);
        return before(choice_before(select), None);
    }
    let input = element.dyn_ref::<HtmlInputElement>().filter(|input| input.name() == control.name)?;
    match (input.type_().as_str(), control.checked) {
        ("password" | "hidden" | "file", _) => None,
        ("checkbox" | "radio", Some(checked)) if input.value() == control.value => {
            input.set_checked(checked);
            before(input.value(), Some(input.default_checked()))
        }
        ("checkbox" | "radio", _) | (_, Some(_)) => None,
        (_, None) => {
            input.set_value(&control.value);
            before(input.default_value(), None)
        }
    }
}
