//! The secret variables as rows of name and value. A stored value is never shown: its field is empty, and an empty field keeps it. Two
//! empty rows are for new secrets; a row without a name is removed.

use domain::offerings::{Fields, MAX_SECRETS, secret_rows};
use leptos::prelude::*;

use super::fields::{Typed, control};
use crate::{
    components::{Notice, NoticeKind, TextField},
    i18n::td_string,
    language,
};

/// Number of empty rows for new secrets.
const BLANK: usize = 2;

#[component]
pub fn SecretRows(typed: StoredValue<Typed>, fields: Fields) -> impl IntoView {
    let language = language::current();
    let filled = |number: &usize| fields.get(&format!("base.secrets.{number}.name")).is_some_and(|name| !name.trim().is_empty());
    let used = (0..secret_rows(&fields)).rev().find(filled).map_or(0, |last| last + 1);
    let rows = (0..(used + BLANK).min(MAX_SECRETS)).map(|number| view! { <SecretRow typed number/> }).collect_view();
    view! {
        <fieldset class="field" id=control("base.secrets")>
            <legend>{td_string!(language, offerings.secrets)}</legend>
            <p class="help">{td_string!(language, offerings.secrets_help)}</p>
            <div class="stack">{rows}</div>
        </fieldset>
    }
    .into_any()
}

#[component]
fn SecretRow(typed: StoredValue<Typed>, number: usize) -> impl IntoView {
    let language = language::current();
    let field = move |name: &str| format!("base.secrets.{number}.{name}");
    let stored = typed.with_value(|typed| typed.is_on(&field("stored")));
    let of = move |name: &str| typed.with_value(|typed| (typed.value(&field(name)), typed.problem(language, &field(name))));
    let ((name, name_error), (_, value_error)) = (of("name"), of("value"));
    let number = number + 1;
    view! {
        <div class="fields">
            <TextField
                name=control(&field("name"))
                label=td_string!(language, offerings.secret_name, number = number).to_string()
                value=name
                error=name_error
                autocomplete="off"
                optional=true
            />
            <TextField
                name=control(&field("value"))
                label=td_string!(language, offerings.secret_value, number = number).to_string()
                error=value_error
                input_type="password"
                autocomplete="new-password"
                nostrip:help=stored.then(|| td_string!(language, offerings.secret_stored).to_owned())
                optional=true
            />
            {stored.then(|| view! { <input type="hidden" name=control(&field("stored")) value="on"/> })}
        </div>
    }
    .into_any()
}

/// Lists the secrets that were stored unencrypted before the secret store existed.
#[component]
pub fn Exposed(names: Vec<String>) -> impl IntoView {
    let language = language::current();
    (!names.is_empty()).then(|| {
        let names = names.join(", ");
        view! {
            <Notice kind=NoticeKind::Warn title=td_string!(language, offerings.exposed_title)>
                <p>{td_string!(language, offerings.exposed_text, names = names).to_string()}</p>
            </Notice>
        }
    })
}
