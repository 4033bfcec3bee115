//! The parameters as rows of plain fields. Which fields a kind needs is decided by the style sheet, so that a row follows its kind
//! without scripts; rows come and go by submit buttons.

use domain::{
    catalogue::Target,
    offerings::{Fields, UNITS, rows},
};
use leptos::prelude::*;

use super::{
    editor::Chapter,
    fields::{Lines, Select, Text, Typed, control},
    words::{parameter_kind_text, target_text},
};
use crate::{
    components::{Button, ButtonKind, CheckField, Glyph},
    i18n::td_string,
    language,
    orders::form::unit_text,
};

#[component]
pub fn ParameterRows(typed: StoredValue<Typed>, fields: Fields) -> impl IntoView {
    let language = language::current();
    let count = rows(&fields);
    let rows = (0..count).map(|number| view! { <ParameterRow typed number/> }).collect_view();
    view! {
        <Chapter number=4 title=td_string!(language, offerings.chapter_parameters) id="parameters">
            <p class="help">{td_string!(language, offerings.parameters_help)}</p>
            {(count == 0).then(|| view! { <p>{td_string!(language, offerings.no_parameters)}</p> })}
            {rows}
            <div class="row">
                <Button small=true icon=Glyph::Plus name="intent" value="add">{td_string!(language, offerings.add_parameter)}</Button>
                <span class="fine">{td_string!(language, offerings.removed_on_save)}</span>
            </div>
        </Chapter>
    }
    .into_any()
}

#[component]
fn ParameterRow(typed: StoredValue<Typed>, number: usize) -> impl IntoView {
    let language = language::current();
    let field = move |name: &str| format!("parameters.{number}.{name}");
    let targets = Target::WORDS.map(|target| (target.to_owned(), target_text(language, target).to_owned())).to_vec();
    let kinds = ["integer", "choice", "text", "git_url"].map(|kind| (kind.to_owned(), parameter_kind_text(language, kind).to_owned())).to_vec();
    let units = UNITS.map(|unit| (unit.to_owned(), unit_text(language, unit.to_owned()))).to_vec();
    let title = td_string!(language, offerings.parameter, number = number + 1).to_string();
    let named = typed.with_value(|typed| typed.value(&field("key")));
    let optional = typed.with_value(|typed| typed.is_on(&field("optional")));
    view! {
        <fieldset class="parameter">
            <legend class="sr">{title.clone()}</legend>
            <div class="row between">
                <b>{title}" "<span class="mono fine">{named}</span></b>
                <Button small=true kind=ButtonKind::Danger name="intent" value=format!("remove.{number}")>
                    {td_string!(language, offerings.remove)}
                </Button>
            </div>
            <div class="fields">
                <Text field=field("label.zh") label=td_string!(language, offerings.label_zh) typed/>
                <Text field=field("label.en") label=td_string!(language, offerings.label_en) typed/>
                <Text field=field("key") label=td_string!(language, offerings.key) typed/>
                <Select field=field("target") label=td_string!(language, offerings.target) typed choices=targets/>
                <div class="for-environment">
                    <Text field=field("variable") label=td_string!(language, offerings.variable) typed optional=true/>
                </div>
                <Select field=field("kind") label=td_string!(language, offerings.parameter_kind) typed choices=kinds/>
                <Text field=field("default") label=td_string!(language, offerings.default) typed optional=true/>
                <div class="for-integer"><Text field=field("min") label=td_string!(language, offerings.min) typed numeric=true/></div>
                <div class="for-integer"><Text field=field("max") label=td_string!(language, offerings.max) typed numeric=true/></div>
                <div class="for-integer"><Text field=field("step") label=td_string!(language, offerings.step) typed numeric=true optional=true/></div>
                <div class="for-integer"><Select field=field("unit") label=td_string!(language, offerings.unit) typed choices=units/></div>
                <div class="for-text">
                    <Text field=field("max_length") label=td_string!(language, offerings.max_length) typed numeric=true optional=true/>
                </div>
            </div>
            <div class="for-choice">
                <Lines
                    field=field("options")
                    label=td_string!(language, offerings.options)
                    help=td_string!(language, offerings.options_help)
                    typed
                    rows=4
                />
            </div>
            <div class="fields">
                <Text field=field("help.zh") label=td_string!(language, offerings.help_zh) typed optional=true/>
                <Text field=field("help.en") label=td_string!(language, offerings.help_en) typed optional=true/>
            </div>
            <CheckField name=control(&field("optional")) label=td_string!(language, offerings.optional) checked=optional value="on"/>
        </fieldset>
    }
    .into_any()
}
