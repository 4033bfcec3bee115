//! Fields to tick: one box, or one card of several.

use leptos::prelude::*;

use super::{Glyph, Icon};

/// A single box. A form carries `name=on` when it is ticked and nothing otherwise.
#[component]
pub fn CheckField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional)] checked: bool,
    #[prop(into, optional)] value: Option<String>,
    #[prop(into, optional)] on_change: Option<Callback<bool>>,
) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                id=name.clone()
                name=name
                value=value
                checked=checked
                on:change:target=move |event| {
                    if let Some(on_change) = on_change {
                        on_change.run(event.target().checked());
                    }
                }
            />
            {label}
        </label>
    }
    .into_any()
}

/// One card of `ChoiceCards`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    pub value: String,
    pub name: String,
    /// At the far side of the name: a price.
    pub price: Option<String>,
    /// Why one would take it, or why it cannot be taken.
    pub about: Option<String>,
    pub disabled: bool,
}

/// One of several, each on a card with its price and its reason. The id of the group is its name.
#[component]
pub fn ChoiceCards(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    choices: Vec<Choice>,
    #[prop(into, optional)] value: Signal<String>,
    #[prop(into, optional)] help: Option<String>,
    #[prop(into, optional)] error: Signal<Option<String>>,
    #[prop(into, optional)] on_change: Option<Callback<String>>,
) -> impl IntoView {
    let start = value.get_untracked();
    let group = name.clone();
    let cards = choices
        .into_iter()
        .map(|choice| {
            let chosen = choice.value == start;
            let value = choice.value.clone();
            view! {
                <label class="choice">
                    <input
                        type="radio"
                        name=group.clone()
                        value=choice.value
                        checked=chosen
                        disabled=choice.disabled
                        required=true
                        aria-invalid=move || error.get().is_some().then_some("true")
                        on:change=move |_| {
                            if let Some(on_change) = on_change {
                                on_change.run(value.clone());
                            }
                        }
                    />
                    <span class="name">{choice.name}</span>
                    <span class="price">{choice.price}</span>
                    {choice.about.map(|about| view! { <span class="about">{about}</span> })}
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="field" id=name.clone() tabindex="-1" aria-describedby=format!("{name}-note")>
            <legend>{label}</legend>
            <div class="choices">{cards}</div>
            <div id=format!("{name}-note")>
                {help.map(|help| view! { <p class="help">{help}</p> })}
                <p class="error" aria-live="polite">
                    {move || error.get().map(|text| view! { <Icon glyph=Glyph::StatusWarn small=true/><span>{text}</span> })}
                </p>
            </div>
        </fieldset>
    }
    .into_any()
}
