//! Fields of one value: label, control, and below it help or, in its place, the error. The id of the control is its name.

use leptos::{html, prelude::*};

use super::{Glyph, Icon};
use crate::{html_text, i18n::td_string, language};

/// The frame of every field: draws label, help and error around `control`, which must point to `{name}-note` by
/// `aria-describedby`.
#[component]
fn Frame(name: String, label: String, optional: bool, help: Option<String>, error: Signal<Option<String>>, children: Children) -> impl IntoView {
    let language = language::current();
    view! {
        <div class="field">
            <label for=name.clone()>
                {label}
                {optional.then(|| view! { <span class="fine">" "{td_string!(language, components.optional)}</span> })}
            </label>
            {children()}
            <div id=format!("{name}-note")>
                {help.map(|help| view! { <p class="help">{help}</p> })}
                <p class="error" aria-live="polite">
                    {move || error.get().map(|text| view! { <Icon glyph=Glyph::StatusWarn small=true/><span>{text}</span> })}
                </p>
            </div>
        </div>
    }
    .into_any()
}

/// `Some("true")` for `aria-invalid` while there is an error.
fn invalid(error: Signal<Option<String>>) -> impl Fn() -> Option<&'static str> + Clone + Send + Sync + 'static {
    move || error.get().is_some().then_some("true")
}

/// Follows `value`, but never at first: what was typed before the scripts ran stays, and `on_input` hears of it.
fn keep_typed(value: Signal<String>, typed: impl Fn() -> Option<String> + 'static, put: impl Fn(&str) + 'static, on_input: Option<Callback<String>>) {
    Effect::new(move |before: Option<String>| {
        let now = value.get();
        match before {
            None => {
                if let (Some(typed), Some(on_input)) = (typed().filter(|typed| *typed != now), on_input) {
                    on_input.run(typed);
                }
            }
            Some(before) if before != now => put(&now),
            Some(_) => {}
        }
        now
    });
}

/// Whether a field that is not optional must be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Needed {
    #[default]
    Always,
    /// Another field decides it: the label does not call this one optional, and the browser does not ask for it.
    Sometimes,
}

/// One line of text. `value` is what the field starts with (what was typed before, after a refusal); listen with
/// `on_input` where something must follow the typing. Numbers are text too: the server and `domain` read them.
#[component]
pub fn TextField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(into, optional)] value: Signal<String>,
    #[prop(into, optional)] help: Option<String>,
    #[prop(into, optional)] error: Signal<Option<String>>,
    /// `text` unless told otherwise: `password`, `search`, `date`, ...
    #[prop(into, optional)]
    input_type: Option<&'static str>,
    /// `numeric` or `decimal` brings the right keys on a phone.
    #[prop(into, optional)]
    input_mode: Option<&'static str>,
    #[prop(into, optional)] autocomplete: Option<&'static str>,
    #[prop(into, optional)] placeholder: Option<String>,
    /// Shown inside the control at its end.
    #[prop(into, optional)]
    unit: Option<String>,
    #[prop(optional)] optional: bool,
    #[prop(optional)] needed: Needed,
    #[prop(optional)] readonly: bool,
    #[prop(optional)] autofocus: bool,
    #[prop(optional)] maxlength: Option<u32>,
    #[prop(into, optional)] on_input: Option<Callback<String>>,
) -> impl IntoView {
    // Names of accounts, codes and numbers are not words: no capitals, no spelling marks.
    let is_words = input_type.is_none() && input_mode.is_none() && autocomplete.is_none();
    let element = NodeRef::<html::Input>::new();
    let put = move |text: &str| {
        if let Some(element) = element.get_untracked() {
            element.set_value(text);
        }
    };
    keep_typed(value, move || element.get_untracked().map(|element| element.value()), put, on_input);
    let start = value.get_untracked();
    let control = view! {
        <input
            node_ref=element
            class="input"
            id=name.clone()
            name=name.clone()
            type=input_type.unwrap_or("text")
            inputmode=input_mode
            autocomplete=autocomplete
            autocapitalize=(!is_words).then_some("none")
            spellcheck=(!is_words).then_some("false")
            placeholder=placeholder
            maxlength=maxlength.map(|max| max.to_string())
            required=!optional && needed == Needed::Always
            readonly=readonly
            autofocus=autofocus
            aria-invalid=invalid(error)
            aria-describedby=format!("{name}-note")
            value=start
            on:input:target=move |event| {
                if let Some(on_input) = on_input {
                    on_input.run(event.target().value());
                }
            }
        />
    };
    view! {
        <Frame name label optional help error>
            {match unit {
                Some(unit) => view! { <div class="affix">{control}<span class="unit">{unit}</span></div> }.into_any(),
                None => control.into_any(),
            }}
        </Frame>
    }
    .into_any()
}

/// Several lines of text.
#[component]
pub fn TextArea(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(into, optional)] value: Signal<String>,
    #[prop(into, optional)] help: Option<String>,
    #[prop(into, optional)] error: Signal<Option<String>>,
    /// It may hold a secret: the browser and drafts keep nothing of it. One line for a secret is an input of the type `password`.
    #[prop(optional)]
    secret: bool,
    #[prop(into, optional)] placeholder: Option<String>,
    #[prop(optional)] optional: bool,
    #[prop(optional)] maxlength: Option<u32>,
    #[prop(default = 3)] rows: u32,
    #[prop(into, optional)] on_input: Option<Callback<String>>,
) -> impl IntoView {
    let element = NodeRef::<html::Textarea>::new();
    let put = move |text: &str| {
        if let Some(element) = element.get_untracked() {
            element.set_value(text);
        }
    };
    keep_typed(value, move || element.get_untracked().map(|element| element.value()), put, on_input);
    let start = value.get_untracked();
    view! {
        <Frame name=name.clone() label optional help error>
            <textarea
                node_ref=element
                class="input"
                id=name.clone()
                name=name.clone()
                rows=rows.to_string()
                autocomplete=secret.then_some("off")
                data-secret=secret.then_some("")
                placeholder=placeholder
                maxlength=maxlength.map(|max| max.to_string())
                required=!optional
                aria-invalid=invalid(error)
                aria-describedby=format!("{name}-note")
                on:input:target=move |event| {
                    if let Some(on_input) = on_input {
                        on_input.run(event.target().value());
                    }
                }
            >
                {html_text::textarea(&start)}
            </textarea>
        </Frame>
    }
    .into_any()
}

/// One of several words, as a menu. `choices` are value and text.
#[component]
pub fn SelectField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    choices: Vec<(String, String)>,
    #[prop(into, optional)] value: Signal<String>,
    #[prop(into, optional)] help: Option<String>,
    #[prop(into, optional)] error: Signal<Option<String>>,
    #[prop(optional)] optional: bool,
    #[prop(into, optional)] on_change: Option<Callback<String>>,
) -> impl IntoView {
    let language = language::current();
    let start = value.get_untracked();
    // Without a choice the first entry would look chosen: say that nothing is.
    let unchosen = optional || !choices.iter().any(|(value, _)| *value == start);
    let options = choices
        .into_iter()
        .map(|(value, text)| {
            let selected = value == start;
            view! { <option value=value selected=selected>{text}</option> }
        })
        .collect_view();
    view! {
        <Frame name=name.clone() label optional help error>
            <select
                class="input"
                id=name.clone()
                name=name.clone()
                required=!optional
                aria-invalid=invalid(error)
                aria-describedby=format!("{name}-note")
                on:change:target=move |event| {
                    if let Some(on_change) = on_change {
                        on_change.run(event.target().value());
                    }
                }
            >
                {unchosen.then(|| view! { <option value="">{td_string!(language, components.choose)}</option> })}
                {options}
            </select>
        </Frame>
    }
    .into_any()
}
