//! Lines of a YAML text: where the parser stopped, and where the value of a field stands.

use domain::{Error, FieldError, Problem};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Members that the name of a field leaves out: `parameters.2.kind.integer.min` is `parameters.2.min`.
const VARIANTS: [&str; 4] = ["kind", "integer", "choice", "text"];
/// By which the walk says that it has arrived.
const HERE: &str = "the field stands here";

/// The line of a text that is no YAML, counted from 1 and never beyond the text. What is opened and not closed is noticed at the word after
/// it, so its own line is the one to mend.
pub fn of_error(text: &str, error: &serde_yaml_ng::Error) -> usize {
    let sentence = error.to_string();
    let opened = sentence.split_once(", while ").map(|(_, context)| context).filter(|context| context.contains("flow") || context.contains("quoted"));
    let opened: Option<usize> = opened.and_then(|context| context.split_once(" at line ")?.1.split(' ').next()?.parse().ok());
    let line = opened.unwrap_or_else(|| error.location().map_or(1, |location| location.line()));
    let last = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).last().map_or(1, |(number, _)| number + 1);
    line.clamp(1, last)
}

/// The line of the field's value, if the text has one. Comments and the order of members do not matter.
fn of_field(text: &str, field: &str) -> Option<u32> {
    let path: Vec<&str> = field.split('.').collect();
    let error = Walk(&path).deserialize(serde_yaml_ng::Deserializer::from_str(text)).err()?;
    let line = error.location().filter(|_| error.to_string().contains(HERE))?.line();
    u32::try_from(line).ok()
}

/// Problems of fields that the text has name their line too.
pub fn with_lines(text: &str, error: Error) -> Error {
    let problems = match error {
        Error::Invalid(problems) => problems,
        other => return other,
    };
    let place = |each: FieldError| match of_field(text, &each.field) {
        Some(row) => FieldError { problem: Problem::InRow { row, cause: Box::new(each.problem) }, ..each },
        None => each,
    };
    Error::Invalid(problems.into_iter().map(place).collect())
}

/// Follows a path through a text and stops at its end with an error, to which the reader adds its place.
struct Walk<'p>(&'p [&'p str]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Walk<'_> {
    fn arrive<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.0.is_empty() { Err(E::custom(HERE)) } else { Ok(()) }
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.0.split_first() else { return Err(A::Error::custom(HERE)) };
        while let Some(name) = map.next_key::<String>()? {
            if name == *first {
                map.next_value_seed(Walk(rest))?;
            } else if VARIANTS.contains(&name.as_str()) {
                map.next_value_seed(Walk(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.0.split_first() else { return Err(A::Error::custom(HERE)) };
        let wanted = first.parse::<usize>().ok();
        for number in 0.. {
            let found =
                if wanted == Some(number) { items.next_element_seed(Walk(rest))?.is_some() } else { items.next_element::<IgnoredAny>()?.is_some() };
            if !found {
                break;
            }
        }
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.arrive()
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.arrive()
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.arrive()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.arrive()
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.arrive()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.arrive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of_error(text: &str) -> usize {
        let error = serde_yaml_ng::from_str::<serde_json::Value>(text).expect_err("no YAML");
        of_error(text, &error)
    }

    #[test]
    fn a_text_that_is_no_yaml_is_wrong_in_one_of_its_lines() {
        assert_eq!(line_of_error("slug: [[[["), 1);
        assert_eq!(line_of_error("slug: [[[[\n"), 1);
        assert_eq!(line_of_error("slug: x\nicon: [a, b\nworkload: notebook\n\n\n"), 2);
        assert_eq!(line_of_error("slug: x\nicon: \"book\n\n"), 2);
        assert_eq!(line_of_error("slug: x\nicon: a: b\nworkload: notebook\n"), 2);
    }

    #[test]
    fn a_field_stands_in_the_line_of_its_value() {
        let text = "# mine\nslug: x\nbase:\n  port: many\nparameters:\n  - key: a\n  - key: b\n    kind: { integer: { min: one } }\n";
        assert_eq!(of_field(text, "slug"), Some(2));
        assert_eq!(of_field(text, "base.port"), Some(4));
        assert_eq!(of_field(text, "parameters.1.key"), Some(7));
        assert_eq!(of_field(text, "parameters.1.min"), Some(8));
        for missing in ["icon", "base.card", "parameters.2.key", "slug.zh", "line 3"] {
            assert_eq!(of_field(text, missing), None, "{missing}");
        }
    }
}
