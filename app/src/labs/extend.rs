//! More time in one click: half an hour, a lesson, or until a time of day. Each button names its price.

use domain::{
    ids::LabId,
    labs::{LabView, lifecycle::EXTENSIONS},
    time::Timestamp,
};
use leptos::{form::ActionForm, prelude::*};

use super::changes::ExtendLab;
use crate::{
    components::{Button, ButtonKind, use_toasts},
    error::AppError,
    i18n::td_string,
    language::{self, Language},
};

/// What an extension is asked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extendable {
    id: String,
    name: String,
    /// All minutes as the page shows them: a second click adds nothing.
    seen: u32,
    more_minutes: u32,
    /// Has an end that can be moved to a time of day.
    has_end: bool,
    per_hour: Option<domain::money::Money>,
}

impl Extendable {
    /// `None` when this reader may not extend it, or the offering allows no more.
    pub fn of(view: &LabView) -> Option<Self> {
        let more_minutes = view.options.more_minutes.filter(|_| view.options.may_extend)?;
        Some(Self {
            id: view.lab.id.to_string(),
            name: view.lab.name.clone(),
            seen: view.lab.minutes,
            more_minutes,
            has_end: view.lab.ends_at.is_some(),
            per_hour: view.options.per_hour,
        })
    }
}

/// `+30 min, ¥0.57`; a lesson says that it is one.
fn text(language: Language, minutes: u32, per_hour: Option<domain::money::Money>) -> String {
    let name = if minutes == EXTENSIONS[1] {
        td_string!(language, lifecycle.extend_lesson, minutes = minutes).to_string()
    } else {
        td_string!(language, lifecycle.extend_minutes, minutes = minutes).to_string()
    };
    match per_hour {
        Some(hour) => {
            let price = domain::money::Money { micros: hour.micros.saturating_mul(minutes.into()) / 60, ..hour };
            td_string!(language, lifecycle.extend_price, what = name, price = price.to_string()).to_string()
        }
        None => name,
    }
}

/// All the ways to give it more time. `refused` takes what the server said no to.
#[component]
pub fn ExtendChoices(lab: Extendable, refused: RwSignal<Option<domain::Error>>, reload: Callback<()>) -> impl IntoView {
    let language = language::current();
    let action = ServerAction::<ExtendLab>::new();
    follow(action, lab.name.clone(), Some(refused), reload);
    let (id, seen, per_hour) = (StoredValue::new(lab.id), lab.seen, lab.per_hour);
    let buttons = EXTENSIONS
        .into_iter()
        .filter(|minutes| *minutes <= lab.more_minutes)
        .map(|minutes| {
            view! {
                <ActionForm action>
                    <Hidden id=id.get_value() seen minutes/>
                    <Button busy=action.pending()>{text(language, minutes, per_hour)}</Button>
                </ActionForm>
            }
        })
        .collect_view();
    let until = lab.has_end.then(|| {
        view! {
            <details class="fold">
                <summary>{td_string!(language, lifecycle.extend_until)}</summary>
                <ActionForm action attr:class="row in">
                    <input type="hidden" name="id" value=id.get_value()/>
                    <input type="hidden" name="seen" value=seen/>
                    <label class="sr" for="until">{td_string!(language, lifecycle.extend_until_label)}</label>
                    <input class="input" type="time" id="until" name="until" required=true/>
                    <Button kind=ButtonKind::Plain busy=action.pending()>{td_string!(language, lifecycle.extend_do)}</Button>
                </ActionForm>
            </details>
        }
    });
    view! { <div class="row">{buttons}{until}</div> }.into_any()
}

/// Half an hour more, for lists and notices.
#[component]
pub fn ExtendButton(lab: Extendable, #[prop(into, optional)] reload: Option<Callback<()>>) -> impl IntoView {
    let language = language::current();
    let minutes = EXTENSIONS[0];
    if lab.more_minutes < minutes {
        return ().into_any();
    }
    let action = ServerAction::<ExtendLab>::new();
    follow(action, lab.name.clone(), None, reload.unwrap_or_else(|| Callback::new(|()| {})));
    let label = td_string!(language, lifecycle.extend_for, name = lab.name.as_str(), minutes = minutes).to_string();
    view! {
        <ActionForm action attr:aria-label=label>
            <Hidden id=lab.id seen=lab.seen minutes/>
            <Button small=true busy=action.pending()>{td_string!(language, lifecycle.extend_minutes, minutes = minutes).to_string()}</Button>
        </ActionForm>
    }
    .into_any()
}

/// For a notice that a lab stops at `ends_at`: half an hour beyond. Pressed twice, or when the end was moved since, it adds nothing.
#[component]
pub fn ExtendEnding(
    lab: LabId,
    #[prop(into)] name: String,
    ends_at: Timestamp,
    #[prop(into, optional)] reload: Option<Callback<()>>,
) -> impl IntoView {
    let language = language::current();
    let minutes = EXTENSIONS[0];
    let action = ServerAction::<ExtendLab>::new();
    follow(action, name.clone(), None, reload.unwrap_or_else(|| Callback::new(|()| {})));
    let label = td_string!(language, lifecycle.extend_for, name = name.as_str(), minutes = minutes).to_string();
    let until = ends_at.plus_minutes(minutes.into()).to_rfc3339();
    view! {
        <ActionForm action attr:aria-label=label>
            <input type="hidden" name="id" value=lab.to_string()/>
            <input type="hidden" name="until" value=until/>
            <Button small=true busy=action.pending()>{td_string!(language, lifecycle.extend_minutes, minutes = minutes).to_string()}</Button>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn Hidden(id: String, seen: u32, minutes: u32) -> impl IntoView {
    view! {
        <input type="hidden" name="id" value=id/>
        <input type="hidden" name="seen" value=seen/>
        <input type="hidden" name="minutes" value=minutes/>
    }
}

/// Says what was done, or why not, and reads the lab again.
fn follow(action: ServerAction<ExtendLab>, name: String, refused: Option<RwSignal<Option<domain::Error>>>, reload: Callback<()>) {
    let language = language::current();
    let toasts = use_toasts();
    let done = td_string!(language, lifecycle.extended, name = name.as_str()).to_string();
    let waits = td_string!(language, lifecycle.extension_waits, name = name.as_str()).to_string();
    Effect::new(move |_| match action.value().get() {
        Some(Ok(is_waiting)) => {
            if let Some(refused) = refused {
                refused.set(None);
            }
            toasts.show(if is_waiting { waits.clone() } else { done.clone() });
            reload.run(());
        }
        Some(Err(AppError(error))) => match refused {
            Some(refused) => refused.set(Some(error)),
            None => toasts.show(crate::error_text::error_text(language, &error)),
        },
        None => {}
    });
}
