//! The editor's fields: names in the form, problems in words, and rows that come and go.

use domain::{
    Error, FieldError,
    offerings::{Fields, must_be_typed_again, typed_again},
};
use leptos::prelude::*;

use super::words::field_text;
use crate::{
    components::{FieldMessage, SelectField, TextArea, TextField},
    error_text::field_problem_text,
    i18n::td_string,
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
        let again = || must_be_typed_again(&self.fields, field).then(|| td_string!(language, offerings.type_again).to_owned());
        Signal::stored(found.map(|each| field_problem_text(language, &each.problem)).or_else(again))
    }
    /// The problems, each with its field, and after them the fields whose secret must be typed again.
    pub fn messages(&self, language: Language) -> Vec<FieldMessage> {
        let message = |field: &str, text: String| FieldMessage { field: control(field), label: field_text(language, field), text };
        let wrong = self.problems.iter().map(|each| message(&each.field, field_problem_text(language, &each.problem)));
        let is_right = |field: &&str| self.problems.iter().all(|each| each.field != **field);
        let again = typed_again(&self.fields).filter(is_right);
        wrong.chain(again.map(|field| message(field, td_string!(language, offerings.type_again).to_owned()))).collect()
    }
    /// Whether a secret was typed that is not there any more.
    pub fn lost_secrets(&self) -> bool {
        typed_again(&self.fields).next().is_some()
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
    /// It may hold a secret.
    #[prop(optional)]
    secret: bool,
    #[prop(optional)] optional: bool,
    #[prop(default = 2)] rows: u32,
) -> impl IntoView {
    let language = language::current();
    let (value, error) = typed.with_value(|typed| (typed.value(&field), typed.problem(language, &field)));
    view! { <TextArea name=control(&field) label value error nostrip:help=help secret optional rows/> }.into_any()
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
    fn only_the_lost_secret_is_to_be_typed_again() {
        let typed = fields(&[
            ("base.secrets.0.name", "STORED"),
            ("base.secrets.0.stored", "on"),
            ("base.secrets.0.value", ""),
            ("base.secrets.1.name", "NEW"),
            ("base.secrets.1.value", "hush"),
        ]);
        let error = Error::field("slug", domain::Problem::Missing);
        let typed = Typed::new(domain::offerings::without_secrets(typed), Some(&error));
        assert!(typed.lost_secrets());
        let told: Vec<_> = typed.messages(Language::en).into_iter().map(|message| (message.field, message.label)).collect();
        assert_eq!(told.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(), ["fields[slug]", "fields[base.secrets.1.value]"]);
        assert_eq!(told[1].1, "Value of secret 2");
        let owner = Owner::new();
        owner.with(|| {
            let marked = |field: &str| typed.problem(Language::en, field).get_untracked();
            assert_eq!((marked("base.secrets.0.value"), marked("base.secrets.1.name")), (None, None));
            assert!(marked("base.secrets.1.value").is_some_and(|text| text.contains("again")));
        });
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
