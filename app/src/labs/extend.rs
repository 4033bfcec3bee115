//! More time in one click: half an hour, a lesson, or until a time of day. Each button names its price.

use domain::{
    Error,
    ids::OrderId,
    labs::{LabState, LabView, lifecycle::EXTENSIONS},
    time::Timestamp,
};
use leptos::{form::ActionForm, prelude::*};

use super::changes::ExtendLab;
use crate::{
    components::{Button, ButtonKind, Glyph, Icon, use_toasts},
    draft,
    error::AppError,
    error_text::{error_text, field_problem_text},
    i18n::td_string,
    language::{self, Language},
    routes,
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
    /// The order that waits for approval to change it.
    pending: Option<OrderId>,
    /// Minutes that would wait for approval.
    asks: Vec<u32>,
    /// No more time can be asked for until that order is decided.
    blocked: bool,
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
            pending: view.pending_change,
            asks: view.more_time_asks.clone(),
            blocked: view.more_time_waits,
        })
    }
}

/// `+30 min, ¥0.57`; a lesson says that it is one, and what needs approval says so.
fn text(language: Language, minutes: u32, per_hour: Option<domain::money::Money>, asks: bool) -> String {
    let name = if minutes == EXTENSIONS[1] {
        td_string!(language, lifecycle.extend_lesson, minutes = minutes).to_string()
    } else {
        td_string!(language, lifecycle.extend_minutes, minutes = minutes).to_string()
    };
    let text = match per_hour {
        Some(hour) => {
            let price = domain::money::Money { micros: hour.micros.saturating_mul(minutes.into()) / 60, ..hour };
            td_string!(language, lifecycle.extend_price, what = name, price = price.to_string()).to_string()
        }
        None => name,
    };
    if asks { td_string!(language, lifecycle.extend_asks, what = text).to_string() } else { text }
}

/// All the ways to give it more time. `refused` takes what the server said no to.
#[component]
pub fn ExtendChoices(lab: Extendable, refused: RwSignal<Option<Error>>, reload: Callback<()>) -> impl IntoView {
    let language = language::current();
    let action = ServerAction::<ExtendLab>::new();
    follow(action, &lab.name, lab.pending.is_some(), Some(refused), reload);
    let blocked = Signal::stored(lab.blocked);
    let (id, seen, per_hour, asks) = (StoredValue::new(lab.id), lab.seen, lab.per_hour, lab.asks);
    let buttons = EXTENSIONS
        .into_iter()
        .filter(|minutes| *minutes <= lab.more_minutes)
        .map(|minutes| {
            let asks = asks.contains(&minutes);
            view! {
                <ActionForm action>
                    <Hidden id=id.get_value() seen minutes/>
                    <Button disabled=blocked busy=action.pending()>{text(language, minutes, per_hour, asks)}</Button>
                </ActionForm>
            }
        })
        .collect_view();
    let until_error = Signal::derive(move || refused.with(|refused| until_problem(language, refused.as_ref())));
    // Without scripts the page is made anew with the refusal.
    let open = until_error.get_untracked().is_some();
    let until = lab.has_end.then(|| {
        view! {
            <details class="fold" open=open>
                <summary>{td_string!(language, lifecycle.extend_until)}</summary>
                <div class="field in">
                    <ActionForm action attr:class="row">
                        <input type="hidden" name="id" value=id.get_value()/>
                        <input type="hidden" name="seen" value=seen/>
                        <label class="sr" for="until">{td_string!(language, lifecycle.extend_until_label)}</label>
                        <input
                            class="input"
                            type="time"
                            id="until"
                            name="until"
                            required=true
                            aria-invalid=move || until_error.get().map(|_| "true")
                            aria-describedby="until-note"
                        />
                        <Button kind=ButtonKind::Plain disabled=blocked busy=action.pending()>{td_string!(language, lifecycle.extend_do)}</Button>
                    </ActionForm>
                    <p class="error" id="until-note" aria-live="polite">
                        {move || until_error.get().map(|text| view! { <Icon glyph=Glyph::StatusWarn small=true/><span>{text}</span> })}
                    </p>
                </div>
            </details>
        }
    });
    let reason = lab.pending.filter(|_| lab.blocked).map(|order| {
        view! {
            <p class="soft">
                {td_string!(language, lifecycle.more_time_waits)}" "<a href=routes::order(order)>{td_string!(language, lifecycle.pending_see)}</a>
            </p>
        }
    });
    view! { <div class="row">{buttons}{until}</div>{reason} }.into_any()
}

/// Half an hour more, for lists; the way to the request while a change waits for approval.
#[component]
pub fn ExtendButton(lab: Extendable, #[prop(into, optional)] reload: Option<Callback<()>>) -> impl IntoView {
    let language = language::current();
    let minutes = EXTENSIONS[0];
    if let Some(order) = lab.pending {
        return view! { <a href=routes::order(order)>{td_string!(language, lifecycle.pending_short)}</a> }.into_any();
    }
    if lab.more_minutes < minutes {
        return ().into_any();
    }
    let action = ServerAction::<ExtendLab>::new();
    follow(action, &lab.name, false, None, reload.unwrap_or_else(|| Callback::new(|()| {})));
    let label = td_string!(language, lifecycle.extend_for, name = lab.name.as_str(), minutes = minutes).to_string();
    let button = text(language, minutes, lab.per_hour, lab.asks.contains(&minutes));
    view! {
        <ActionForm action attr:aria-label=label>
            <Hidden id=lab.id seen=lab.seen minutes/>
            <Button small=true busy=action.pending()>{button}</Button>
        </ActionForm>
    }
    .into_any()
}

/// For a notice that the lab of `view` stops at `ends_at`: half an hour beyond. Pressed twice, or when the end was moved since, it adds
/// nothing.
#[component]
pub fn ExtendEnding(view: LabView, ends_at: Timestamp, #[prop(into, optional)] reload: Option<Callback<()>>) -> impl IntoView {
    let language = language::current();
    let Some(lab) = Extendable::of(&view).filter(|_| view.lab.state == LabState::Running) else { return ().into_any() };
    if let Some(order) = lab.pending {
        return view! { <a href=routes::order(order)>{td_string!(language, lifecycle.pending_short)}</a> }.into_any();
    }
    let minutes = EXTENSIONS[0];
    let action = ServerAction::<ExtendLab>::new();
    follow(action, &lab.name, false, None, reload.unwrap_or_else(|| Callback::new(|()| {})));
    let label = td_string!(language, lifecycle.extend_for, name = lab.name.as_str(), minutes = minutes).to_string();
    let button = ending_text(language, &lab, view.lab.ends_at == Some(ends_at));
    let until = ends_at.plus_minutes(minutes.into()).to_rfc3339();
    view! {
        <ActionForm action attr:aria-label=label>
            <input type="hidden" name="id" value=lab.id/>
            <input type="hidden" name="until" value=until/>
            <Button small=true busy=action.pending()>{button}</Button>
        </ActionForm>
    }
    .into_any()
}

/// A daily stop that is put off takes no more of the ordered time than the lab has: `is_end` says that the notice is of its end.
fn ending_text(language: Language, lab: &Extendable, is_end: bool) -> String {
    let minutes = EXTENSIONS[0];
    text(language, minutes, lab.per_hour.filter(|_| is_end), is_end && lab.asks.contains(&minutes))
}

#[component]
fn Hidden(id: String, seen: u32, minutes: u32) -> impl IntoView {
    view! {
        <input type="hidden" name="id" value=id/>
        <input type="hidden" name="seen" value=seen/>
        <input type="hidden" name="minutes" value=minutes/>
    }
}

/// Why the time of day was refused, for its field.
fn until_problem(language: Language, refused: Option<&Error>) -> Option<String> {
    let Some(Error::Invalid(problems)) = refused else { return None };
    problems.iter().find(|each| each.field == "until").map(|each| field_problem_text(language, &each.problem))
}

/// A refusal where there is no field: what is wrong with what was asked for, by itself.
fn refusal_text(language: Language, error: &Error) -> String {
    match error {
        Error::Invalid(problems) => problems.iter().map(|each| field_problem_text(language, &each.problem)).collect::<Vec<_>>().join(" "),
        error => error_text(language, error),
    }
}

/// Says what was done, or why not, and reads the lab again. `waited`: a change waited for approval before.
fn follow(action: ServerAction<ExtendLab>, name: &str, waited: bool, refused: Option<RwSignal<Option<Error>>>, reload: Callback<()>) {
    let language = language::current();
    let toasts = use_toasts();
    let done = td_string!(language, lifecycle.extended, name = name).to_string();
    let waits = if waited {
        td_string!(language, lifecycle.extension_waits_already, name = name).to_string()
    } else {
        td_string!(language, lifecycle.extension_waits, name = name).to_string()
    };
    Effect::new(move |_| match action.value().get() {
        Some(Ok(is_waiting)) => {
            draft::forget();
            if let Some(refused) = refused {
                refused.set(None);
            }
            toasts.show(if is_waiting { waits.clone() } else { done.clone() });
            reload.run(());
        }
        Some(Err(AppError(error))) => match refused {
            Some(refused) => refused.set(Some(error)),
            None => toasts.show(refusal_text(language, &error)),
        },
        None => {}
    });
}

#[cfg(test)]
mod tests {
    use domain::Problem;

    use super::*;

    #[test]
    fn a_button_names_its_price_and_whether_somebody_must_agree() {
        let hour = domain::money::Money::units(2, domain::money::Currency::Cny);
        let plain = text(Language::en, 30, Some(hour), false);
        assert!(plain.contains("30") && plain.contains("¥1.00") && !plain.contains("approval"), "{plain}");
        assert_eq!(text(Language::en, 30, Some(hour), true), format!("{plain} (needs approval)"));
        assert!(text(Language::zh_CN, 45, None, true).ends_with("（需审批）"));
    }

    #[test]
    fn a_notice_of_the_end_names_the_same_price_and_one_of_a_daily_stop_none() {
        let hour = domain::money::Money::units(2, domain::money::Currency::Cny);
        let lab = Extendable {
            id: String::new(),
            name: "lab-1".into(),
            seen: 90,
            more_minutes: 90,
            has_end: true,
            per_hour: Some(hour),
            pending: None,
            asks: vec![30],
            blocked: false,
        };
        assert_eq!(ending_text(Language::en, &lab, true), text(Language::en, 30, Some(hour), true));
        assert_eq!(ending_text(Language::en, &lab, false), "+30 min");
    }

    #[test]
    fn a_refused_end_says_at_its_field_and_in_a_toast_which_time_would_do() {
        let at = Timestamp::parse_rfc3339("2026-11-30T21:11:00+08:00").expect("a time");
        let error = Error::field("until", Problem::NotAfter { at });
        assert_eq!(until_problem(Language::en, Some(&error)).as_deref(), Some("Choose a time after 2026-11-30 21:11."));
        assert_eq!(refusal_text(Language::zh_CN, &error), "请选择晚于 2026-11-30 21:11 的时间。");
        let late = Error::field("until", Problem::EndsTooLate { at });
        assert_eq!(until_problem(Language::en, Some(&late)).as_deref(), Some("It can run until 2026-11-30 21:11 at the latest."));
        assert_eq!(until_problem(Language::en, Some(&Error::field("minutes", Problem::NotANumber))), None);
        assert_eq!(until_problem(Language::en, Some(&Error::Stale)), None);
    }
}
