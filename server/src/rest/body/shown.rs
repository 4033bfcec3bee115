//! Values in the form in which the API shows them. A program reads a value, changes one thing and writes everything back, so a write takes
//! what the read gives. Members that the write cannot change must be as they are; those that are only measured are ignored.

use domain::{Error, Problem as FieldProblem};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Fields;

/// Members that change without a write.
const MEASURED: [&str; 6] = ["used", "held", "spent", "left", "started_today", "last_sign_in_at"];

/// An amount as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    pub micros: i64,
    pub currency: String,
}

impl Amount {
    /// As people type it: `5.400000`.
    pub fn decimal(&self) -> String {
        Self::decimal_of(self.micros)
    }

    /// Millionths as a decimal.
    pub fn decimal_of(micros: i64) -> String {
        let (sign, micros) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
        format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }

    /// Errors: `Invalid` at `field` for another currency than this ISO code.
    pub fn must_be_in(&self, currency: &str, field: &str) -> Result<(), Error> {
        if self.currency == currency {
            return Ok(());
        }
        Err(Error::field(format!("{field}.currency"), FieldProblem::NotOneOf { choices: vec![currency.to_owned()] }))
    }
}

impl Fields {
    /// Whether there are members that nobody has taken.
    pub fn has_more(&self) -> bool {
        !self.members.is_empty()
    }

    /// Drops members that say nothing to a write: ids, times, names of people.
    pub fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.members.remove(*name);
        }
    }

    /// Drops the members that are as `shown`; [`Fields::finish`] refuses the others.
    pub fn unchanged(&mut self, shown: &impl Serialize) {
        let Ok(Value::Object(shown)) = serde_json::to_value(shown) else { return };
        self.members.retain(|name, sent| !shown.get(name).is_some_and(|shown| MEASURED.contains(&name.as_str()) || same(sent, shown)));
    }

    /// An object of its own, to be given back to [`Fields::absorb`].
    pub fn nested(&mut self, name: &str) -> Option<Self> {
        if !self.members.get(name).is_some_and(Value::is_object) {
            return None;
        }
        let Some(Value::Object(members)) = self.members.remove(name) else { return None };
        Some(Self { members, errors: domain::error::FieldErrors::default() })
    }

    /// Takes over the problems of a nested object; what nobody took of it is unknown.
    pub fn absorb(&mut self, name: &str, nested: Option<Self>) {
        if let Some(Err(Error::Invalid(problems))) = nested.map(Self::finish) {
            for each in problems {
                self.errors.push(format!("{name}.{}", each.field), each.problem);
            }
        }
    }

    /// A text at `name`, or else at `shown`, which is its name in answers.
    pub fn text_as(&mut self, name: &str, shown: &str) -> String {
        if self.has(name) || !self.has(shown) {
            self.members.retain(|member, value| member != shown || !value.is_null());
            return self.optional_text(name);
        }
        self.members.remove(name);
        self.optional_text(shown)
    }

    /// An amount of money that may be left out.
    pub fn optional_money(&mut self, name: &str) -> Option<Amount> {
        let value = self.take(name)?;
        let amount = value
            .as_object()
            .filter(|members| members.len() == 2)
            .and_then(|members| Some(Amount { micros: members.get("micros")?.as_i64()?, currency: members.get("currency")?.as_str()?.to_owned() }));
        if amount.is_none() {
            self.refuse(name, r#"{"micros": 5400000, "currency": "CNY"}"#);
        }
        amount
    }

    /// Objects of exactly these members, all of them texts; `None` if there is no list.
    pub fn rows<const N: usize>(&mut self, name: &str, members: [&str; N], example: &str) -> Option<Vec<[String; N]>> {
        let row = |item: &Value| {
            let object = item.as_object().filter(|object| object.len() == N)?;
            let texts = members.map(|member| match object.get(member)? {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            });
            texts.iter().all(Option::is_some).then(|| texts.map(Option::unwrap_or_default))
        };
        let value = self.take(name)?;
        let rows = value.as_array().and_then(|items| items.iter().map(row).collect::<Option<Vec<_>>>());
        if rows.is_none() {
            self.refuse(name, example);
        }
        rows
    }

    /// Replaces objects in a list by their ids, for [`Fields::optional_words`].
    pub fn ids_in(&mut self, name: &str) {
        if let Some(Value::Array(items)) = self.members.get_mut(name) {
            for item in items {
                if let Some(id) = item.get("id").filter(|id| id.is_string()).cloned() {
                    *item = id;
                }
            }
        }
    }
}

fn same(sent: &Value, shown: &Value) -> bool {
    let settled = |members: &Map<String, Value>| members.keys().filter(|name| !MEASURED.contains(&name.as_str())).count();
    match (sent, shown) {
        // Some writers of JSON make `8` of `8.0`.
        (Value::Number(sent), Value::Number(shown)) => sent == shown || shown.is_f64() && sent.as_f64() == shown.as_f64(),
        (Value::Array(sent), Value::Array(shown)) => sent.len() == shown.len() && sent.iter().zip(shown).all(|(sent, shown)| same(sent, shown)),
        (Value::Object(sent), Value::Object(shown)) => {
            let is_same =
                |(name, sent): (&String, &Value)| MEASURED.contains(&name.as_str()) || shown.get(name).is_some_and(|shown| same(sent, shown));
            settled(sent) == settled(shown) && sent.iter().all(is_same)
        }
        _ => sent == shown,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::rest::body::Raw;

    fn fields(json: &Value) -> Fields {
        Fields::parse(&Raw(Bytes::from(json.to_string()))).unwrap()
    }

    #[test]
    fn what_is_shown_and_cannot_be_set_must_be_as_it_is() {
        let shown = json!({ "id": 7, "quota": { "limits": { "cards": 8.0 }, "used": { "cards": 1.5 } }, "spent": 5 });
        let finished = |sent: Value| {
            let mut body = fields(&sent);
            body.unchanged(&shown);
            body.finish()
        };
        assert_eq!(finished(shown.clone()), Ok(()));
        assert_eq!(finished(json!({ "quota": { "limits": { "cards": 8 }, "used": { "cards": 3 } }, "spent": 6 })), Ok(()), "measured since");
        for changed in [
            json!({ "id": 8 }),
            json!({ "id": null }),
            json!({ "quota": { "limits": { "cards": 9.0 } } }),
            json!({ "quota": { "limits": {} } }),
            json!({ "quota": { "limits": { "cards": 8.0 }, "more": 1 } }),
            json!({ "left": 1 }),
        ] {
            let name = changed.as_object().unwrap().keys().next().unwrap().clone();
            assert_eq!(finished(changed), Err(Error::field(name, FieldProblem::UnknownField)));
        }
    }

    #[test]
    fn amounts_lists_and_ids_are_read_as_they_are_shown() {
        let mut body = fields(&json!({
            "a": { "micros": -5_400_001, "currency": "CNY" }, "b": { "micros": 1.5, "currency": "CNY" }, "c": [{ "percent": 80, "action": "notify" }],
            "d": [{ "percent": 80 }], "e": [{ "id": "x", "name": "y" }, "z"], "shown": "text", "n": { "x": 1, "y": 2 },
        }));
        let amount = body.optional_money("a").unwrap();
        assert_eq!((amount.decimal().as_str(), amount.currency.as_str()), ("-5.400001", "CNY"));
        assert!(amount.must_be_in("USD", "a").is_err() && amount.must_be_in("CNY", "a").is_ok());
        assert_eq!((body.optional_money("b"), body.optional_money("zz")), (None, None));
        assert_eq!(body.rows("c", ["percent", "action"], "x"), Some(vec![["80".to_owned(), "notify".to_owned()]]));
        assert_eq!(body.rows("d", ["percent", "action"], "x"), None);
        body.ids_in("e");
        assert_eq!((body.optional_words("e").as_str(), body.text_as("name", "shown").as_str()), ("x,z", "text"));
        let mut nested = body.nested("n");
        assert_eq!(nested.as_mut().map(|nested| nested.number("x")), Some("1".to_owned()));
        body.absorb("n", nested);
        let Err(Error::Invalid(problems)) = body.finish() else { panic!("it must be refused") };
        assert_eq!(problems.iter().map(|each| each.field.as_str()).collect::<Vec<_>>(), ["b", "d", "n.y"]);
    }
}
