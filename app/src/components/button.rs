//! Buttons and links that look like buttons. One `Primary` on a page.

use leptos::prelude::*;

use super::{Glyph, Icon};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ButtonKind {
    #[default]
    Plain,
    /// The one thing the page is for.
    Primary,
    /// Text only, for the least of the choices.
    Quiet,
    /// Leads towards a loss: red text.
    Danger,
    /// Does the loss: solid red, only inside a dialog that names it.
    DangerSolid,
}

impl ButtonKind {
    /// The value of `data-kind`; `None` for a plain one.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Primary => Some("primary"),
            Self::Quiet => Some("quiet"),
            Self::Danger => Some("danger"),
            Self::DangerSolid => Some("danger-solid"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ButtonType {
    #[default]
    Submit,
    /// Does nothing by itself: give it `on:click`.
    Button,
}

/// A button. Submits its form unless `button_type` says otherwise; `name` and `value` go with the form.
/// `busy` shows progress and keeps the button from being pressed twice.
#[component]
pub fn Button(
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional)] button_type: ButtonType,
    #[prop(optional)] small: bool,
    #[prop(into, optional)] icon: Option<Glyph>,
    #[prop(into, optional)] name: Option<String>,
    #[prop(into, optional)] value: Option<String>,
    #[prop(into, optional)] disabled: Signal<bool>,
    #[prop(into, optional)] busy: Signal<bool>,
    children: Children,
) -> impl IntoView {
    view! {
        <button
            class=if small { "btn small" } else { "btn" }
            data-kind=kind.name()
            type=match button_type {
                ButtonType::Submit => "submit",
                ButtonType::Button => "button",
            }
            name=name
            value=value
            disabled=move || disabled.get() || busy.get()
            aria-busy=move || busy.get().then_some("true")
        >
            {icon.map(|glyph| view! { <Icon glyph small=true/> })}
            {children()}
        </button>
    }
}

/// A link that looks like a button, for going somewhere rather than doing something.
#[component]
pub fn LinkButton(
    #[prop(into)] href: String,
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional)] small: bool,
    #[prop(into, optional)] icon: Option<Glyph>,
    children: Children,
) -> impl IntoView {
    view! {
        <a class=if small { "btn small" } else { "btn" } data-kind=kind.name() href=href>
            {icon.map(|glyph| view! { <Icon glyph small=true/> })}
            {children()}
        </a>
    }
}
