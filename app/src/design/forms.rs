//! Fields: empty, filled, with help, with an error, read only, with a unit; boxes and cards to choose from.

use leptos::prelude::*;

use super::specimen::Specimen;
use crate::{
    components::{CheckField, Choice, ChoiceCards, CopyButton, CopyField, FieldMessage, FormErrors, SelectField, TextArea, TextField},
    error_text::field_problem_text,
    i18n::td_string,
    language,
};

#[component]
pub fn Fields() -> impl IntoView {
    let language = language::current();
    let label = td_string!(language, design.sample_label);
    let help = td_string!(language, design.sample_help);
    let value = move || Signal::stored(td_string!(language, design.sample_value).to_owned());
    let error = move || Signal::stored(Some(field_problem_text(language, &domain::Problem::OutOfRange { min: 1, max: 8 })));
    let choices = || vec![("a".to_owned(), "A100".to_owned()), ("h".to_owned(), "H100".to_owned())];
    view! {
        <Specimen name="TextField" block=true><TextField name="plain" label/></Specimen>
        <Specimen name="TextField value help optional" block=true><TextField name="helped" label value=value() help optional=true/></Specimen>
        <Specimen name="TextField error" block=true><TextField name="wrong" label value="12".to_owned() help error=error()/></Specimen>
        <Specimen name="TextField unit input_mode" block=true>
            <TextField name="unit" label value="4".to_owned() unit=td_string!(language, common.cores) input_mode="numeric"/>
        </Specimen>
        <Specimen name="TextField readonly" block=true><TextField name="readonly" label value=value() readonly=true/></Specimen>
        <Specimen name="TextField input_type placeholder" block=true>
            <TextField name="password" label input_type="password" autocomplete="off" value="secret".to_owned()/>
            <TextField name="date" label input_type="date" value="2026-11-21".to_owned()/>
            <TextField name="search" label input_type="search" placeholder=help/>
        </Specimen>
        <Specimen name="TextArea" block=true>
            <TextArea name="area" label value=value() help optional=true/>
            <TextArea name="area-wrong" label error=error()/>
        </Specimen>
        <Specimen name="CopyField" block=true><CopyField label text="lct_0123456789"/></Specimen>
        <Specimen name="CopyButton"><CopyButton text="lct_0123456789"/></Specimen>
        <Specimen name="SelectField" block=true>
            <SelectField name="select" label choices=choices() value="h".to_owned() help/>
            <SelectField name="select-empty" label choices=choices() optional=true/>
            <SelectField name="select-wrong" label choices=choices() error=error()/>
        </Specimen>
    }
    .into_any()
}

#[component]
pub fn Choices() -> impl IntoView {
    let language = language::current();
    let label = td_string!(language, design.sample_label);
    let about = td_string!(language, design.sample_help).to_owned();
    let choice = |value: &str, price: &str, disabled| Choice {
        value: value.to_owned(),
        name: value.to_owned(),
        price: Some(price.to_owned()),
        about: Some(about.clone()),
        disabled,
    };
    let cards = || vec![choice("A100", "¥12.00", false), choice("A100 1/7", "¥1.80", false), choice("H100", "¥24.00", true)];
    let (plain, wrong) = (cards(), cards());
    let problem = field_problem_text(language, &domain::Problem::Missing);
    let message = FieldMessage { field: "plain".to_owned(), label: label.to_owned(), text: problem.clone() };
    view! {
        <Specimen name="CheckField" block=true>
            <CheckField name="check" label/>
            <CheckField name="checked" label checked=true/>
        </Specimen>
        <Specimen name="ChoiceCards" block=true><ChoiceCards name="cards" label choices=plain value="A100".to_owned()/></Specimen>
        <Specimen name="ChoiceCards error" block=true>
            <ChoiceCards name="cards-wrong" label choices=wrong error=Signal::stored(Some(problem))/>
        </Specimen>
        <Specimen name="FormErrors" block=true><FormErrors messages=Signal::stored(vec![message])/></Specimen>
    }
    .into_any()
}
