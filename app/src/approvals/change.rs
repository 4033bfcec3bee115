//! Approving with changes: fewer cards, another card, less time. A plain form; what is left as it is changes nothing.

use domain::{
    catalogue::{Offering, Parameter, ParameterInput, ParameterKind},
    decisions::{TEXT_MAX, changeable},
    orders::Order,
};
use leptos::{prelude::*, server_fn::ServerFn};

use super::api::ApproveWith;
use crate::{
    components::{Button, ButtonKind, SelectField, TextArea, TextField, show_unfolded},
    error_text::field_problem_text,
    flash::Flash,
    i18n::td_string,
    language::{self, Language},
};

/// `taken`: the cheaper way, if its link was followed.
#[component]
pub fn ChangeForm(order: Order, offering: Offering, last_try: Flash, taken: ParameterInput) -> impl IntoView {
    let language = language::current();
    let tried = !last_try.value("change").is_empty();
    let open = tried || !taken.is_empty();
    let start = |field: &str, asked: &str| {
        let typed = last_try.value(field);
        let key = field.strip_prefix("parameters.").unwrap_or_default();
        if tried && !typed.is_empty() { typed.to_owned() } else { taken.get(key).cloned().unwrap_or_else(|| asked.to_owned()) }
    };
    let problem = |field: &str| {
        let text = last_try.problem(field).filter(|_| tried).map(|problem| field_problem_text(language, problem));
        Signal::derive(move || text.clone())
    };
    let fields = changeable(&offering)
        .map(|parameter| {
            let field = format!("parameters.{}", parameter.key);
            let asked = asked_for(&order, parameter);
            let value = start(&field, &asked);
            view! { <Field parameter=parameter.clone() asked value error=problem(&field)/> }
        })
        .collect_view();
    let minutes = order.minutes.to_string();
    view! {
        <details class="more change" id="change" open=open on:toggle=|event| show_unfolded(&event)>
            <summary class="btn">{td_string!(language, decisions.change)}</summary>
            <form method="post" action=format!("{}#change", ApproveWith::url()) class="stack" novalidate>
                <input type="hidden" name="id" value=order.id.to_string()/>
                <input type="hidden" name="seen_version" value=order.version.to_string()/>
                <p class="fine">{td_string!(language, decisions.change_about)}</p>
                <div class="fields">
                    {fields}
                    <TextField
                        name="duration_minutes"
                        label=td_string!(language, decisions.change_duration)
                        value=start("duration_minutes", &minutes)
                        help=td_string!(language, decisions.asked, value = minutes.as_str()).to_string()
                        error=problem("duration_minutes")
                        input_mode="numeric"
                        unit=td_string!(language, decisions.minutes)
                    />
                </div>
                <TextArea
                    name="text"
                    label=td_string!(language, decisions.change_text)
                    value=last_try.value("text").to_owned()
                    help=td_string!(language, decisions.change_text_help)
                    error=problem("text")
                    maxlength=TEXT_MAX
                    optional=true
                    rows=2
                />
                <div class="actions"><Button kind=ButtonKind::Primary>{td_string!(language, decisions.change_confirm)}</Button></div>
            </form>
        </details>
    }
    .into_any()
}

/// What the order has now, as it would be typed.
fn asked_for(order: &Order, parameter: &Parameter) -> String {
    parameter.target.value(&order.spec).unwrap_or_default()
}

#[component]
fn Field(parameter: Parameter, asked: String, value: String, error: Signal<Option<String>>) -> impl IntoView {
    let language = language::current();
    let tag = language::tag(language);
    let name = format!("parameters[{}]", parameter.key);
    let label = parameter.label.get(tag).to_owned();
    match parameter.kind {
        ParameterKind::Choice { options } => {
            let shown = options.iter().find(|option| option.value == asked).map_or(asked, |option| option.label.get(tag).to_owned());
            let choices = options.into_iter().map(|option| (option.value, option.label.get(tag).to_owned())).collect();
            view! { <SelectField name label choices value help=help(language, &shown) error/> }.into_any()
        }
        _ => view! { <TextField name label value help=help(language, &asked) error input_mode="numeric"/> }.into_any(),
    }
}

fn help(language: Language, asked: &str) -> String {
    td_string!(language, decisions.asked, value = asked).to_string()
}
