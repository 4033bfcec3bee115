//! The chapters of the form and a field for each parameter.

use domain::{
    catalogue::{ChoiceOption, Offering, Parameter, ParameterKind, Target},
    gpu::Card,
    orders::{OrderContext, PURPOSE_MAX},
    pricing::Meter,
};
use leptos::prelude::*;

use super::{
    class::ClassFields,
    state::{FormState, control},
};
use crate::{
    components::{Choice, ChoiceCards, SelectField, TextArea, TextField},
    i18n::td_string,
    language::{self, Language},
};

/// More options than this become a menu.
const MOST_CARDS: usize = 6;

#[component]
pub fn Chapters(offering: Offering, state: FormState) -> impl IntoView {
    let language = language::current();
    let parameters = offering.parameters.clone();
    let has_parameters = !parameters.is_empty();
    view! {
        <Chapter number=1 title=td_string!(language, orders.chapter_course)><CourseField state/></Chapter>
        {has_parameters.then(move || {
            view! {
                <Chapter number=2 title=td_string!(language, orders.chapter_lab)><Parameters parameters state/></Chapter>
            }
        })}
        <Chapter number=if has_parameters { 3 } else { 2 } title=td_string!(language, orders.chapter_time)>
            <div class="fields"><DurationField offering state/></div>
            <TextArea
                name="purpose"
                label=td_string!(language, orders.purpose)
                value=state.typed.get_untracked().purpose
                help=td_string!(language, orders.purpose_help)
                error=state.error("purpose")
                maxlength=PURPOSE_MAX
                optional=true
                rows=2
                on_input=Callback::new(move |text| state.put("purpose", text))
            />
        </Chapter>
        <Chapter number=if has_parameters { 4 } else { 3 } title=td_string!(language, class.chapter)><ClassFields state/></Chapter>
    }
    .into_any()
}

/// A numbered chapter, as in a textbook.
#[component]
fn Chapter(number: u8, #[prop(into)] title: String, children: Children) -> impl IntoView {
    view! {
        <fieldset class="chapter">
            <legend class="sr">{title.clone()}</legend>
            <span class="no" aria-hidden="true">{number}</span>
            <div class="in"><h2>{title}</h2>{children()}</div>
        </fieldset>
    }
    .into_any()
}

#[component]
fn CourseField(state: FormState) -> impl IntoView {
    let language = language::current();
    let choices = state
        .context()
        .courses
        .iter()
        .map(|(course, quota)| {
            let left = quota.budget.left().to_string();
            let cards = quota.limits.cards.minus(quota.in_use().cards).to_string();
            let text = td_string!(language, orders.course_left, code = course.code.as_str(), name = course.name.as_str(), left = left, cards = cards);
            (course.code.clone(), text)
        })
        .collect();
    view! {
        <SelectField
            name="course"
            label=td_string!(language, orders.course_label)
            choices
            value=state.typed.get_untracked().course
            help=td_string!(language, orders.course_help)
            error=state.error("course")
            on_change=Callback::new(move |text| state.put("course", text))
        />
    }
    .into_any()
}

#[component]
fn DurationField(offering: Offering, state: FormState) -> impl IntoView {
    let language = language::current();
    let (min, max) = (offering.duration.min, offering.duration.max);
    view! {
        <TextField
            name="duration_minutes"
            label=td_string!(language, orders.duration)
            value=state.typed.get_untracked().duration_minutes
            help=td_string!(language, orders.duration_help, min = min, max = max).to_string()
            error=state.error("duration_minutes")
            input_mode="numeric"
            unit=td_string!(language, orders.minutes)
            on_input=Callback::new(move |text| state.put("duration_minutes", text))
        />
    }
    .into_any()
}

/// Cards to choose from stand alone; the rest share rows.
#[component]
fn Parameters(parameters: Vec<Parameter>, state: FormState) -> impl IntoView {
    let (wide, narrow): (Vec<_>, Vec<_>) = parameters.into_iter().partition(is_card_choice);
    let wide = wide.into_iter().map(|parameter| view! { <ParameterField parameter state/> }).collect_view();
    let any_narrow = !narrow.is_empty();
    let narrow = narrow.into_iter().map(|parameter| view! { <ParameterField parameter state/> }).collect_view();
    view! {
        {wide}
        {any_narrow.then(|| view! { <div class="fields">{narrow}</div> })}
    }
    .into_any()
}

/// Few enough to compare side by side, and worth comparing.
fn is_card_choice(parameter: &Parameter) -> bool {
    matches!(&parameter.kind, ParameterKind::Choice { options } if parameter.target == Target::Card && options.len() <= MOST_CARDS)
}

#[component]
fn ParameterField(parameter: Parameter, state: FormState) -> impl IntoView {
    let language = language::current();
    let tag = language::tag(language);
    let field = format!("parameters.{}", parameter.key);
    let name = control(&field);
    let value = state.typed.with_untracked(|form| form.parameters.get(&parameter.key).cloned().unwrap_or_default());
    let error = state.error(&field);
    let label = parameter.label.get(tag).to_owned();
    let own_help = parameter.help.as_ref().map(|help| help.get(tag).to_owned());
    let on_put = Callback::new(move |text| state.put(&field, text));
    let cards = is_card_choice(&parameter);
    match parameter.kind {
        ParameterKind::Integer { min, max, step, unit } => {
            let unit = unit_text(language, unit);
            let range = if step > 1 {
                td_string!(language, orders.range_step, min = min, max = max, unit = unit.as_str(), step = step).to_string()
            } else {
                td_string!(language, orders.range, min = min, max = max, unit = unit.as_str()).to_string()
            };
            let help = own_help.map_or_else(|| range.clone(), |help| format!("{range} · {help}"));
            view! { <TextField name label value help error unit input_mode="numeric" on_input=on_put/> }.into_any()
        }
        ParameterKind::Choice { options } if cards => {
            let choices = options.iter().map(|option| card_choice(language, &state.context(), option)).collect();
            view! { <ChoiceCards name label choices value nostrip:help=own_help error on_change=on_put/> }.into_any()
        }
        ParameterKind::Choice { options } => {
            let choices = options.into_iter().map(|option| (option.value, option.label.get(tag).to_owned())).collect();
            view! {
                <SelectField name label choices value nostrip:help=own_help error optional=parameter.optional on_change=on_put/>
            }
            .into_any()
        }
        ParameterKind::Text { max_length } => view! {
            <TextField
                name label value
                nostrip:help=own_help
                error
                maxlength=max_length
                optional=parameter.optional
                on_input=on_put
            />
        }
        .into_any(),
        ParameterKind::GitUrl => view! {
            <TextField
                name label value
                nostrip:help=own_help
                error
                input_mode="url"
                placeholder="https://"
                optional=parameter.optional
                on_input=on_put
            />
        }
        .into_any(),
    }
}

/// A kind of card with its price and how many are free.
fn card_choice(language: Language, context: &OrderContext, option: &ChoiceOption) -> Choice {
    let card: Option<Card> = option.value.parse().ok();
    let price = card.and_then(|card| context.book.price(Meter::CardHour(card), context.now).ok());
    let free = card.and_then(|card| context.supplies.iter().find(|supply| supply.card == card)).map(|supply| supply.free);
    Choice {
        value: option.value.clone(),
        name: option.label.get(language::tag(language)).to_owned(),
        price: price.map(|price| td_string!(language, orders.choice_price, price = price.to_string()).to_string()),
        about: free.map(|free| match free {
            0 => td_string!(language, orders.choice_none_free).to_owned(),
            _ => td_string!(language, orders.choice_free, count = free).to_string(),
        }),
        disabled: false,
    }
}

/// The unit that an operator named, in the reader's language where it is one of ours.
pub fn unit_text(language: Language, unit: String) -> String {
    match unit.as_str() {
        "GiB" => td_string!(language, orders.unit_gib).to_owned(),
        "cores" => td_string!(language, orders.unit_cores).to_owned(),
        "cards" => td_string!(language, orders.unit_cards).to_owned(),
        "nodes" => td_string!(language, orders.unit_nodes).to_owned(),
        "replicas" => td_string!(language, orders.unit_replicas).to_owned(),
        "retries" => td_string!(language, orders.unit_retries).to_owned(),
        "minutes" => td_string!(language, orders.unit_minutes).to_owned(),
        _ => unit,
    }
}
