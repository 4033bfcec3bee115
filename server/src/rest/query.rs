//! Query strings, read as strictly as bodies: an unknown or senseless parameter is a 422 that names it.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use axum::extract::{FromRequestParts, Query};
use domain::{
    Error, Problem as FieldProblem, Result,
    error::FieldErrors,
    page::{DEFAULT_LIMIT, MAX_LIMIT, PageRequest},
};
use http::request::Parts;

use super::{body::repeated, problem::Problem};

/// The parameters of the URL, taken one by one.
#[derive(Debug)]
pub struct Parameters {
    given: BTreeMap<String, String>,
    errors: FieldErrors,
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_| Error::Malformed { reason: "the query string cannot be read".into() })?;
        Ok(Self::of(pairs))
    }
}

impl Parameters {
    /// A parameter that is given more than once says nothing certain: refused, as a member that a body repeats.
    fn of(pairs: Vec<(String, String)>) -> Self {
        let (mut given, mut twice, mut errors) = (BTreeMap::new(), BTreeSet::new(), FieldErrors::default());
        for (name, text) in pairs {
            if given.insert(name.clone(), text).is_some() && twice.insert(name.clone()) {
                errors.push(repeated(&name), FieldProblem::Repeated);
            }
        }
        Self { given, errors }
    }

    pub fn text(&mut self, name: &str) -> Option<String> {
        self.given.remove(name).filter(|text| !text.is_empty())
    }

    /// By `FromStr`; `example` shows what is understood.
    pub fn parsed<T: FromStr>(&mut self, name: &str, example: &str) -> Option<T> {
        self.one_of(name, |text| text.parse().ok(), || FieldProblem::BadFormat { example: example.into() })
    }

    /// A state or another word out of a list.
    pub fn choice<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>, choices: impl Fn() -> Vec<String>) -> Option<T> {
        self.one_of(name, parse, || FieldProblem::NotOneOf { choices: choices() })
    }

    /// `true` or `false`, `false` when left out.
    pub fn flag(&mut self, name: &str) -> bool {
        self.parsed(name, "true").unwrap_or(false)
    }

    /// Nothing at all is no number and no word of a list either, unlike a text that was left empty.
    fn one_of<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>, problem: impl FnOnce() -> FieldProblem) -> Option<T> {
        let text = self.given.remove(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.errors.push(name, problem());
        }
        value
    }

    /// `limit` (1 to 200, 50 by default) and `after`.
    pub fn page(&mut self) -> PageRequest {
        let within = |text: &str| text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        let limit = self.one_of("limit", within, || FieldProblem::OutOfRange { min: 1, max: MAX_LIMIT.into() });
        PageRequest { limit: limit.unwrap_or(DEFAULT_LIMIT), after: self.text("after") }
    }

    /// Errors: [`Error::Invalid`] with every problem; what nobody took is unknown.
    pub fn finish(mut self) -> Result<()> {
        for name in self.given.keys() {
            self.errors.push(repeated(name), FieldProblem::UnknownField);
        }
        self.errors.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_is_no_flag_no_number_and_no_word_of_a_list() {
        let given = [("mine", ""), ("limit", ""), ("state", ""), ("after", ""), ("text", "")].map(|(name, text)| (name.to_owned(), text.to_owned()));
        let mut query = Parameters::of(given.into());
        assert!(!query.flag("mine"));
        assert_eq!(query.page(), PageRequest { limit: DEFAULT_LIMIT, after: None });
        assert_eq!(query.choice("state", |text| (text == "queued").then_some(()), || vec!["queued".into()]), None);
        assert_eq!(query.text("text"), None);
        let Err(Error::Invalid(problems)) = query.finish() else { panic!("it must be refused") };
        assert_eq!(problems.iter().map(|each| each.field.as_str()).collect::<Vec<_>>(), ["mine", "limit", "state"]);
    }

    #[test]
    fn a_parameter_that_is_given_twice_is_refused_once() {
        let given = [("limit", "1"), ("after", ""), ("limit", "5"), ("limit", "5"), ("x", "1"), ("x", "1")];
        let mut query = Parameters::of(given.map(|(name, text)| (name.to_owned(), text.to_owned())).into());
        query.page();
        query.text("x");
        let Err(Error::Invalid(problems)) = query.finish() else { panic!("it must be refused") };
        let refused: Vec<_> = problems.into_iter().map(|each| (each.field, each.problem)).collect();
        assert_eq!(refused, ["limit", "x"].map(|name| (name.to_owned(), FieldProblem::Repeated)));
    }
}
