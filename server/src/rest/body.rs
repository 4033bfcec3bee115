//! Bodies, read strictly: what is missing, of a wrong type or unknown is a 422 that names the field, all problems at once; what is no
//! JSON, or repeats a member, is a 400. Numbers may come as numbers or as text, since forms and shells make text of them.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use domain::{Error, Problem as FieldProblem, Result, error::FieldErrors};
use http::header;
use serde_json::{Map, Value};

use self::unique::Unique;
use super::problem::Problem;

mod shown;
mod unique;

pub use self::shown::Amount;

/// The body's bytes, whole and not too large.
#[derive(Debug)]
pub struct Raw(Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
                Problem::TooLarge
            } else {
                Problem::Refused(Error::Malformed { reason: "the body could not be read".into() })
            }
        })?;
        let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !bytes.is_empty() && media != "application/json" && !media.ends_with("+json") {
            return Err(Problem::NotJson);
        }
        Ok(Self(bytes))
    }
}

/// The members of a JSON object, taken one by one.
#[derive(Debug)]
pub struct Fields {
    members: Map<String, Value>,
    errors: FieldErrors,
}

impl Fields {
    /// Errors: `Malformed` for what is no JSON object. Nothing at all counts as `{}`.
    pub fn parse(Raw(bytes): &Raw) -> Result<Self> {
        let mut members = if bytes.is_empty() {
            Map::new()
        } else {
            match serde_json::from_slice(bytes) {
                Ok(Unique(Value::Object(members))) => members,
                Ok(_) => return Err(Error::Malformed { reason: "the body must be a JSON object".into() }),
                Err(error) => return Err(Error::Malformed { reason: format!("the body is not JSON: {error}") }),
            }
        };
        let mut errors = FieldErrors::default();
        // As `crate::nul` does for addresses and forms.
        members.retain(|name, value| {
            let refused = name.contains('\0') || holds_nul(value);
            if refused {
                errors.push(repeated(name), FieldProblem::BadFormat { example: "\"text\"".into() });
            }
            !refused
        });
        Ok(Self { members, errors })
    }

    /// Whether the member is there and says something.
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// Whether the member is there, also as `null`.
    pub fn is_named(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    /// Everything that nobody has taken yet, as one document.
    pub fn rest(&mut self) -> Value {
        Value::Object(std::mem::take(&mut self.members))
    }

    /// A text that must be there.
    pub fn text(&mut self, name: &str) -> String {
        match self.take(name) {
            Some(Value::String(text)) => return text,
            Some(_) => self.errors.push(name, FieldProblem::BadFormat { example: "\"text\"".into() }),
            None => self.errors.push(name, FieldProblem::Missing),
        }
        String::new()
    }

    /// A text that may be left out.
    pub fn optional_text(&mut self, name: &str) -> String {
        if !self.has(name) {
            self.members.remove(name);
            return String::new();
        }
        self.text(name)
    }

    /// A text that says nothing when it is left out, also when it is empty.
    pub fn given_text(&mut self, name: &str) -> Option<String> {
        if !self.has(name) {
            // The API shows a missing value as `null`.
            return self.members.remove(name).map(|_| String::new());
        }
        Some(self.text(name))
    }

    /// Optional words: a text with commas, or a list as the API shows them.
    pub fn optional_words(&mut self, name: &str) -> String {
        let Some(Value::Array(items)) = self.members.get(name) else { return self.optional_text(name) };
        let words: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
        // A comma inside a word would split it.
        let words = words.filter(|words| words.iter().all(|word| !word.contains(','))).map(|words| words.join(","));
        self.members.remove(name);
        words.unwrap_or_else(|| {
            self.refuse(name, "[\"teacher\"]");
            String::new()
        })
    }

    /// Words that must be there, for a write that replaces all of them: an empty text or list says that there are none.
    pub fn words(&mut self, name: &str) -> String {
        if !self.has(name) {
            self.members.remove(name);
            self.errors.push(name, FieldProblem::Missing);
            return String::new();
        }
        self.optional_words(name)
    }

    /// A number that must be there, as it would be typed.
    pub fn number(&mut self, name: &str) -> String {
        match self.take(name) {
            Some(Value::String(text)) => return text,
            Some(Value::Number(number)) => return number.to_string(),
            Some(_) => self.no_number(name),
            None => self.errors.push(name, FieldProblem::Missing),
        }
        String::new()
    }

    /// A number that may be left out, as it would be typed. An empty text is no number.
    pub fn optional_number(&mut self, name: &str) -> String {
        match self.take(name) {
            None => return String::new(),
            Some(Value::String(text)) if !text.is_empty() => return text,
            Some(Value::Number(number)) => return number.to_string(),
            Some(_) => self.no_number(name),
        }
        String::new()
    }

    /// Optional percentages: a number, or a text (`50, 80`). An empty text means none, as the API shows it.
    pub fn optional_percentages(&mut self, name: &str) -> String {
        match self.take(name) {
            Some(Value::String(text)) => return text,
            Some(Value::Number(number)) => return number.to_string(),
            Some(_) => self.no_number(name),
            None => {}
        }
        String::new()
    }

    /// Notes that what stands at this name should have been a number.
    pub fn no_number(&mut self, name: &str) {
        self.errors.push(name, FieldProblem::NotANumber);
    }

    /// A value of any form; `None` when it is not there.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        let value = self.take(name);
        if value.is_none() {
            self.errors.push(name, FieldProblem::Missing);
        }
        value
    }

    /// Notes that what [`Self::value`] gave does not fit.
    pub fn refuse(&mut self, name: &str, example: &str) {
        self.errors.push(name, FieldProblem::BadFormat { example: example.into() });
    }

    /// Notes that nobody knows this member of an object.
    pub fn unknown(&mut self, name: &str) {
        self.errors.push(repeated(name), FieldProblem::UnknownField);
    }

    /// A whole number that may be left out.
    pub fn optional_integer(&mut self, name: &str) -> Option<i64> {
        let value = self.take(name)?;
        let number = match &value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_i64(),
        };
        if number.is_none() {
            self.no_number(name);
        }
        number
    }

    /// `true` or `false`; `false` when it is left out.
    pub fn optional_flag(&mut self, name: &str) -> bool {
        match self.take(name) {
            None => false,
            Some(Value::Bool(flag)) => flag,
            Some(_) => {
                self.errors.push(name, FieldProblem::NotABoolean);
                false
            }
        }
    }

    /// An object of texts and numbers, which may be left out.
    pub fn parameters(&mut self, name: &str) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        match self.take(name) {
            None => {}
            Some(Value::Object(members)) => {
                for (key, value) in members {
                    match value {
                        Value::Null => {}
                        Value::String(text) => _ = out.insert(key, text),
                        Value::Number(number) => _ = out.insert(key, number.to_string()),
                        _ => self.errors.push(format!("{name}.{key}"), FieldProblem::BadFormat { example: "\"text\"".into() }),
                    }
                }
            }
            Some(_) => self.errors.push(name, FieldProblem::BadFormat { example: "{\"storage_gib\": 100}".into() }),
        }
        out
    }

    /// Errors: [`Error::Invalid`] with every problem; what nobody took is unknown.
    pub fn finish(mut self) -> Result<()> {
        for name in self.members.keys() {
            self.errors.push(repeated(name), FieldProblem::UnknownField);
        }
        self.errors.finish()
    }
}

/// A name that somebody else made, as an error gives it back: not longer than is of use, and never nothing.
pub(super) fn repeated(name: &str) -> String {
    match name.replace('\0', "\u{fffd}") {
        name if name.is_empty() => "\"\"".to_owned(),
        name => name.chars().take(100).collect(),
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &'static str) -> Fields {
        Fields::parse(&Raw(Bytes::from_static(json.as_bytes()))).unwrap()
    }

    #[test]
    fn numbers_come_as_numbers_or_as_text() {
        let mut body = fields(r#"{"a": 120, "b": "90", "p": {"x": 2, "y": "z", "n": null}}"#);
        assert_eq!((body.number("a").as_str(), body.number("b").as_str()), ("120", "90"));
        let expected = [("x", "2"), ("y", "z")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(body.parameters("p"), BTreeMap::from(expected));
        body.finish().unwrap();
    }

    #[test]
    fn words_come_as_text_or_as_a_list() {
        let mut body = fields(r#"{"a": "x, y", "b": ["x", "y"], "c": [], "d": [1], "e": ["x,y"]}"#);
        assert_eq!(["a", "b", "c", "d", "e", "f"].map(|name| body.optional_words(name)), ["x, y", "x,y", "", "", "", ""]);
        let Err(Error::Invalid(problems)) = body.finish() else { panic!("it must be refused") };
        assert_eq!(problems.iter().map(|each| each.field.as_str()).collect::<Vec<_>>(), ["d", "e"]);
    }

    #[test]
    fn words_that_must_be_there_may_be_none() {
        let mut body = fields(r#"{"a": "", "b": [], "c": ["x"], "d": null}"#);
        assert_eq!(["a", "b", "c", "d", "e"].map(|name| body.words(name)), ["", "", "x", "", ""]);
        let missing = |field: &str| domain::FieldError { field: field.into(), problem: FieldProblem::Missing };
        assert_eq!(body.finish(), Err(Error::Invalid(vec![missing("d"), missing("e")])));
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let mut body = fields(r#"{"a": true, "c": [1], "p": 5, "zz": 1}"#);
        body.number("a");
        body.text("b");
        body.text("c");
        body.parameters("p");
        let Err(Error::Invalid(problems)) = body.finish() else { panic!("it must be refused") };
        let named: Vec<_> = problems.iter().map(|each| each.field.as_str()).collect();
        assert_eq!(named, ["a", "b", "c", "p", "zz"]);
    }

    #[test]
    fn nothing_at_all_is_no_number() {
        let mut body = fields(r#"{"a": "", "b": null, "c": [1], "d": " 7"}"#);
        assert_eq!(["a", "b", "c", "d"].map(|name| body.optional_number(name)), ["", "", "", " 7"]);
        let Err(Error::Invalid(problems)) = body.finish() else { panic!("it must be refused") };
        assert_eq!(problems.iter().map(|each| each.field.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn a_text_with_a_nul_is_named() {
        let body = fields(r#"{"a": "x\u0000", "b": [{"c\u0000": 1}], "d": "good"}"#);
        let Err(Error::Invalid(problems)) = body.finish() else { panic!("it must be refused") };
        assert_eq!(problems.iter().map(|each| each.field.as_str()).collect::<Vec<_>>(), ["a", "b", "d"], "the last is merely unknown");
    }

    #[test]
    fn what_is_no_object_is_malformed() {
        for bad in ["[]", "{", "1", "null x"] {
            let parsed = Fields::parse(&Raw(Bytes::from_static(bad.as_bytes())));
            assert!(matches!(parsed, Err(Error::Malformed { .. })), "{bad}");
        }
    }
}
