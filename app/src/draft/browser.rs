//! Reads and fills the forms of a page, and the tab's session storage.

use std::cell::RefCell;

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast as _;
use web_sys::{
    Element, Event, EventInit, HtmlFormElement, HtmlInputElement, HtmlOptionElement, HtmlSelectElement, HtmlTextAreaElement, NodeList, Storage,
};

use super::{Arrival, Control, Draft, Fate, GET, Restored, back, is_secret, may_be_kept};
use crate::{preferences, routes};

/// Key of the draft for signing in again.
const SIGN_IN: &str = "lectern.draft";
/// Key of the draft for the reload that a switch of language or theme brings.
const SWITCH: &str = "lectern.switch";
const KEYS: [&str; 2] = [SIGN_IN, SWITCH];

thread_local! {
    /// Id of the person who is signed in on this page.
    static PERSON: RefCell<Option<String>> = const { RefCell::new(None) };
    /// The page to which Back or Forward led, until a link leads to another.
    static STEPPED_TO: RefCell<Option<String>> = const { RefCell::new(None) };
}

pub(super) fn person() -> Option<String> {
    PERSON.with_borrow(Clone::clone)
}

pub(super) fn here() -> String {
    let location = window().location();
    format!("{}{}", location.pathname().unwrap_or_default(), location.search().unwrap_or_default())
}

/// `None` if the browser does not offer session storage.
pub(super) fn storage() -> Option<Storage> {
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
    back::forget_all();
}

/// Follows who is signed in and how they came; saves what is typed when a form leaves the page, and drops it at sign-out and when somebody
/// else signs in. `tell` is given what Back or Forward brought.
pub fn watch(viewer: impl Fn() -> Option<String> + 'static, tell: impl Fn(Restored) + 'static) {
    Effect::new(move |_| {
        // When the session ends, the person stays set: the draft belongs to them.
        if let Some(person) = viewer() {
            forget_others(&person);
            PERSON.set(Some(person));
        }
    });
    STEPPED_TO.set(is_document_of_history().then(here));
    back::watch(tell);
    let submit = window_event_listener(ev::submit, |event| {
        let Some(form) = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok()) else { return };
        let action = form.get_attribute("action").unwrap_or_default();
        if action == routes::SIGN_OUT {
            write_nothing();
        } else if !event.default_prevented() {
            save_all();
            if action == preferences::PATH {
                save_for_switch();
            } else if form.method() == "post" {
                back::sent(&form);
            }
        }
    });
    on_cleanup(move || submit.remove());
}

/// Back or Forward led to this page.
pub(super) fn step_to(page: String) {
    STEPPED_TO.set(Some(page));
}

/// The router leads to this page: by a link, or after a step in the history, of which the browser may tell before or afterwards.
pub fn moved_to(page: &str) {
    if STEPPED_TO.with_borrow(|to| to.as_deref() != Some(page)) {
        STEPPED_TO.set(None);
    }
}

/// How the reader came to this page.
pub(super) fn arrival() -> Arrival {
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
    back::forget_others(person);
}

/// Keeps the typed text of every form of the page, for signing in again.
pub fn save_all() {
    if let Some(person) = person() {
        save(SIGN_IN, person, typed_in(&forms(), false));
    }
}

/// Whether the form came with what was typed, and with what is wrong in it.
pub(super) fn is_refused(form: &HtmlFormElement) -> bool {
    form.query_selector("[aria-invalid='true']").ok().flatten().is_some()
}

/// Keeps the typed text of every form of the page for the next load of it, also where nobody is signed in. A refused form came with what was
/// typed, and comes with it only once: all of it is kept.
fn save_for_switch() {
    let (refused, others): (Vec<_>, Vec<_>) = forms().into_iter().partition(|(_, form)| is_refused(form));
    let mut controls = typed_in(&refused, true);
    controls.extend(typed_in(&others, false));
    save(SWITCH, person().unwrap_or_default(), controls);
}

fn save(key: &str, person: String, controls: Vec<Control>) {
    let without_secrets = holds_typed_secret(&forms());
    let draft = Draft { person, page: here(), controls, kept_at: js_sys::Date::now(), at_sign_in: false, without_secrets };
    write(key, (!draft.controls.is_empty()).then_some(&draft));
}

/// At the load of a document, once it is known who is signed in. What Back brings follows when its forms are there.
pub fn restore_at_load() -> Restored {
    let mut restored = restore_after_sign_in();
    if restored.before.is_empty() {
        restored = restore_after_switch();
    }
    if restored.before.is_empty() {
        back::expect();
    }
    restored
}

fn restore_after_switch() -> Restored {
    let Some(draft) = read(SWITCH) else { return Restored::default() };
    write(SWITCH, None);
    let returns = draft.returns_after_switch(&here(), &person().unwrap_or_default(), js_sys::Date::now());
    if returns { restore(&draft) } else { Restored::default() }
}

fn restore(draft: &Draft) -> Restored {
    Restored { before: fill_forms(&forms(), &draft.controls), without_secrets: draft.without_secrets }
}

fn restore_after_sign_in() -> Restored {
    let Some(mut draft) = read(SIGN_IN) else { return Restored::default() };
    match draft.fate(&here(), person().as_deref(), js_sys::Date::now()) {
        Fate::Keep => {
            draft.at_sign_in = true;
            write(SIGN_IN, Some(&draft));
            Restored::default()
        }
        Fate::Drop => {
            write(SIGN_IN, None);
            Restored::default()
        }
        Fate::Restore => {
            write(SIGN_IN, None);
            restore(&draft)
        }
    }
}

/// Takes restored text out again.
pub(super) fn discard(before: &[Control]) {
    fill_forms(&forms(), before);
    for key in KEYS {
        write(key, None);
    }
    back::forget();
}

/// The forms whose text is kept, by action and number: those that use POST, and those with `data-draft` that use GET to show what a change
/// would do.
pub(super) fn forms() -> Vec<(String, HtmlFormElement)> {
    let mut found: Vec<(String, HtmlFormElement)> = Vec::new();
    let list: Option<NodeList> = document().query_selector_all("form").ok();
    let nodes = list.iter().flat_map(|list| (0..list.length()).filter_map(move |index| list.item(index)));
    for form in nodes.filter_map(|node| node.dyn_into::<HtmlFormElement>().ok()) {
        let method = if form.method() == "post" { "" } else { GET };
        if method == GET && !form.has_attribute("data-draft") {
            continue;
        }
        let action = format!("{method}{}", form.get_attribute("action").unwrap_or_default());
        let number = found.iter().filter(|(key, _)| key.rsplit_once('#').is_some_and(|(known, _)| known == action)).count();
        found.push((format!("{action}#{number}"), form));
    }
    found
}

fn elements(form: &HtmlFormElement) -> Vec<Element> {
    let all = form.elements();
    (0..all.length()).filter_map(|index| all.item(index)).collect()
}

/// Values of the forms that may be kept: all of them (`whole`), or those that differ from the page's own.
pub(super) fn typed_in(forms: &[(String, HtmlFormElement)], whole: bool) -> Vec<Control> {
    let of = |(key, form): &(String, HtmlFormElement)| {
        elements(form)
            .iter()
            .filter_map(|element| control(element, whole))
            .map(|control| Control { form: key.clone(), ..control })
            .collect::<Vec<_>>()
    };
    forms.iter().flat_map(of).collect()
}

/// Whether a secret is typed into one of the forms, which is not kept.
pub(super) fn holds_typed_secret(forms: &[(String, HtmlFormElement)]) -> bool {
    forms.iter().any(|(_, form)| elements(form).iter().any(is_typed_secret))
}

fn is_typed_secret(element: &Element) -> bool {
    let (kind, differs) = if let Some(area) = element.dyn_ref::<HtmlTextAreaElement>() {
        ("textarea".to_owned(), area.default_value().is_ok_and(|start| start != area.value()))
    } else if let Some(input) = element.dyn_ref::<HtmlInputElement>() {
        (input.type_(), input.value() != input.default_value())
    } else {
        return false;
    };
    differs && is_secret(&kind, &autocomplete(element), is_marked(element))
}

/// Whether the page marks the field as a secret.
fn is_marked(element: &Element) -> bool {
    element.has_attribute("data-secret")
}

/// A control that may be kept, if it differs from what the page came with or the form is kept `whole`. Its form is filled in by the caller.
fn control(element: &Element, whole: bool) -> Option<Control> {
    let control = |name: String, value: String, checked| (!name.is_empty()).then_some(Control { form: String::new(), name, value, checked });
    if let Some(area) = element.dyn_ref::<HtmlTextAreaElement>() {
        let differs = whole || area.default_value().is_ok_and(|start| start != area.value());
        let typed = differs && may_be_kept("textarea", &autocomplete(element), is_marked(element));
        return typed.then(|| control(area.name(), area.value(), None))?;
    }
    if let Some(select) = element.dyn_ref::<HtmlSelectElement>() {
        return (whole || is_chosen(select)).then(|| control(select.name(), select.value(), None))?;
    }
    let input = element.dyn_ref::<HtmlInputElement>()?;
    let kind = input.type_();
    if !may_be_kept(&kind, &autocomplete(element), is_marked(element)) {
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
pub(super) fn fill_forms(forms: &[(String, HtmlFormElement)], controls: &[Control]) -> Vec<Control> {
    let mut before = Vec::new();
    for (key, form) in forms {
        let wanted: Vec<_> = controls.iter().filter(|control| control.form == *key).collect();
        if wanted.is_empty() {
            continue;
        }
        for element in elements(form) {
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
