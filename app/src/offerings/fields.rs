//! The editor's fields: names in the form, problems in words, and rows that come and go.

use domain::{Error, FieldError, offerings::Fields};
use leptos::prelude::*;

use super::words::field_text;
use crate::{
    components::{FieldMessage, SelectField, TextArea, TextField},
    error_text::field_problem_text,
    language::{self, Language},
};

/// Name and id of the control of a field.
pub fn control(field: &str) -> String {
    format!("fields[{field}]")
}

/// The fields after a button that only changes the form; `None` for every other intent.
#[cfg(any(feature = "ssr", test))]
pub fn reshaped(fields: &Fields, intent: &str) -> Option<Fields> {
    let mut out = fields.clone();
    match intent.split_once('.') {
        None if intent == "add" => {
            let number = domain::offerings::rows(fields);
            for (name, value) in [("kind", "integer"), ("target", "cpu_cores"), ("step", "1"), ("unit", "cores")] {
                out.insert(format!("parameters.{number}.{name}"), value.to_owned());
            }
        }
        None if intent == "show" => {}
        Some(("remove", number)) => {
            let gone: usize = number.parse().ok()?;
            out.clear();
            for (field, value) in fields {
                let row = field.strip_prefix("parameters.").and_then(|rest| rest.split_once('.'));
                match row.and_then(|(number, rest)| Some((number.parse::<usize>().ok()?, rest))) {
                    Some((number, _)) if number == gone => {}
                    Some((number, rest)) if number > gone => _ = out.insert(format!("parameters.{}.{rest}", number - 1), value.clone()),
                    _ => _ = out.insert(field.clone(), value.clone()),
                }
            }
        }
        _ => return None,
    }
    Some(out)
}

/// What the fields start with and what is wrong with them.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    pub fields: Fields,
    pub problems: Vec<FieldError>,
}

impl Typed {
    pub fn new(fields: Fields, error: Option<&Error>) -> Self {
        let problems = match error {
            Some(Error::Invalid(problems)) => problems.clone(),
            _ => Vec::new(),
        };
        Self { fields, problems }
    }
    pub fn value(&self, field: &str) -> String {
        self.fields.get(field).cloned().unwrap_or_default()
    }
    pub fn is_on(&self, field: &str) -> bool {
        !self.value(field).is_empty()
    }
    pub fn problem(&self, language: Language, field: &str) -> Signal<Option<String>> {
        // A list of texts has one control for all of its parts.
        let below = format!("{field}.");
        let found = self.problems.iter().find(|each| each.field == field || each.field.starts_with(&below));
        Signal::stored(found.map(|each| field_problem_text(language, &each.problem)))
    }
    /// What is to mend, each with its field.
    pub fn messages(&self, language: Language) -> Vec<FieldMessage> {
        let message = |each: &FieldError| FieldMessage {
            field: control(&each.field),
            label: field_text(language, &each.field),
            text: field_problem_text(language, &each.problem),
        };
        self.problems.iter().map(message).collect()
    }
}

#[component]
pub fn Text(
    #[prop(into)] field: String,
    #[prop(into)] label: String,
    typed: StoredValue<Typed>,
    #[prop(into, optional)] help: Option<String>,
    #[prop(into, optional)] unit: Option<String>,
    #[prop(optional)] numeric: bool,
    #[prop(optional)] optional: bool,
    #[prop(optional)] readonly: bool,
) -> impl IntoView {
    let language = language::current();
    let (value, error) = typed.with_value(|typed| (typed.value(&field), typed.problem(language, &field)));
    view! {
        <TextField
            name=control(&field)
            label
            value
            error
            nostrip:help=help
            nostrip:unit=unit
            nostrip:input_mode=numeric.then_some("numeric")
            optional
            readonly
        />
    }
    .into_any()
}

#[component]
pub fn Lines(
    #[prop(into)] field: String,
    #[prop(into)] label: String,
    typed: StoredValue<Typed>,
    #[prop(into, optional)] help: Option<String>,
    /// `off` for what may hold a secret.
    #[prop(into, optional)]
    autocomplete: Option<&'static str>,
    #[prop(optional)] optional: bool,
    #[prop(default = 2)] rows: u32,
) -> impl IntoView {
    let language = language::current();
    let (value, error) = typed.with_value(|typed| (typed.value(&field), typed.problem(language, &field)));
    view! { <TextArea name=control(&field) label value error nostrip:help=help nostrip:autocomplete=autocomplete optional rows/> }.into_any()
}

#[component]
pub fn Select(#[prop(into)] field: String, #[prop(into)] label: String, typed: StoredValue<Typed>, choices: Vec<(String, String)>) -> impl IntoView {
    let language = language::current();
    let (value, error) = typed.with_value(|typed| (typed.value(&field), typed.problem(language, &field)));
    view! { <SelectField name=control(&field) label choices value error/> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_removed_row_lets_the_next_ones_move_up() {
        let before = fields(&[("slug", "a"), ("parameters.0.key", "x"), ("parameters.1.key", "y"), ("parameters.2.key", "z")]);
        let after = reshaped(&before, "remove.1").expect("changed");
        assert_eq!(after, fields(&[("slug", "a"), ("parameters.0.key", "x"), ("parameters.1.key", "z")]));
    }

    #[test]
    fn an_added_row_comes_last_and_saving_reshapes_nothing() {
        let after = reshaped(&fields(&[("parameters.0.key", "x")]), "add").expect("changed");
        assert_eq!((domain::offerings::rows(&after), after["parameters.1.kind"].as_str()), (2, "integer"));
        assert_eq!(reshaped(&fields(&[]), ""), None);
        assert_eq!(reshaped(&fields(&[]), "save"), None);
    }
}
