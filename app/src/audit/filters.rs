//! From the search form's text to the filter that storage understands.

use domain::{
    Error, Problem,
    audit::{Filter, Outcome},
    error::FieldErrors,
    time::Timestamp,
};

use super::api::Query;

const DAY_EXAMPLE: &str = "2026-11-21";
const DAY_SECONDS: i64 = 86_400;

/// Errors: `Invalid` for a day or an outcome that is none.
pub fn parse(query: &Query) -> Result<Filter, Error> {
    let mut errors = FieldErrors::default();
    let text = |value: &str| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
    let mut day = |field: &str, value: &str| {
        let value = text(value)?;
        let at = Timestamp::parse_rfc3339(&format!("{value}T00:00:00+08:00")).filter(|at| at.on_campus().date() == value);
        if at.is_none() {
            errors.push(field, Problem::NotADate { example: DAY_EXAMPLE.into() });
        }
        at
    };
    let from = day("from", &query.from);
    let to = day("to", &query.to).map(|day| day.plus_seconds(DAY_SECONDS));
    let outcome = text(&query.outcome).and_then(|value| {
        let outcome = Outcome::parse(&value);
        if outcome.is_none() {
            errors.push("outcome", Problem::NotOneOf { choices: Outcome::ALL.iter().map(|outcome| outcome.as_str().to_owned()).collect() });
        }
        outcome
    });
    errors.finish()?;
    Ok(Filter { person: text(&query.person), action: text(&query.action), object: text(&query.object), outcome, text: text(&query.text), from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_campus_day_and_the_last_one_is_included() {
        let query = Query { from: "2026-11-21".into(), to: "2026-11-21".into(), ..Query::default() };
        let filter = parse(&query).expect("good days");
        assert_eq!(filter.from.map(Timestamp::to_rfc3339).as_deref(), Some("2026-11-20T16:00:00Z"));
        assert_eq!(filter.to.map(Timestamp::to_rfc3339).as_deref(), Some("2026-11-21T16:00:00Z"));
    }

    #[test]
    fn what_is_no_day_is_said_at_its_field() {
        for bad in ["yesterday", "2026-02-30", "2026-13-01"] {
            let error = parse(&Query { from: bad.into(), ..Query::default() }).expect_err(bad);
            assert_eq!(error, Error::field("from", Problem::NotADate { example: DAY_EXAMPLE.into() }));
        }
    }
}
