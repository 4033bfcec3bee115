//! From the search form's text to the filter that storage understands, and back for a search that was kept.

use domain::{
    Error, Problem,
    audit::{Filter, Outcome, Range, Via},
    error::FieldErrors,
    time::Timestamp,
};

use super::api::Query;

const DAY_EXAMPLE: &str = "2026-11-21";
const DAY_SECONDS: i64 = 86_400;

/// Errors: `Invalid` for a day or an outcome that is none, and for days that end before they begin.
pub fn parse(query: &Query) -> Result<Filter, Error> {
    let mut errors = FieldErrors::default();
    let text = |value: &str| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
    let mut day = |field: &str, value: &str| {
        let value = text(value)?;
        let at = Timestamp::parse_campus_day(&value);
        if at.is_none() {
            errors.push(field, Problem::NotADate { example: DAY_EXAMPLE.into() });
        }
        at
    };
    let from = day("from", &query.from);
    let to = day("to", &query.to).map(|day| day.plus_seconds(DAY_SECONDS));
    if from.zip(to).is_some_and(|(from, to)| to <= from) {
        errors.push("to", Problem::EndsBeforeStart);
    }
    let outcome = word(&mut errors, "outcome", &query.outcome, Outcome::parse, || Outcome::ALL.map(Outcome::as_str).to_vec());
    let via = word(&mut errors, "via", &query.via, Via::parse, || Via::ALL.map(Via::as_str).to_vec());
    let range = word(&mut errors, "range", &query.range, Range::parse, || Range::ALL.map(Range::as_str).to_vec());
    let own_reads = word(&mut errors, "own_reads", &query.own_reads, |text| (text == "true").then_some(true), || vec!["true"]);
    errors.finish()?;
    Ok(Filter {
        person: text(&query.person),
        action: text(&query.action),
        object: text(&query.object),
        outcome,
        via,
        address: text(&query.address),
        text: text(&query.text),
        from,
        to,
        range,
        own_reads: own_reads.unwrap_or_default(),
        not_read_by: None,
    })
}

/// One of a few words, or nothing.
fn word<T>(
    errors: &mut FieldErrors,
    field: &str,
    value: &str,
    parse: impl Fn(&str) -> Option<T>,
    choices: impl Fn() -> Vec<&'static str>,
) -> Option<T> {
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    let parsed = parse(value);
    if parsed.is_none() {
        errors.push(field, Problem::NotOneOf { choices: choices().into_iter().map(ToOwned::to_owned).collect() });
    }
    parsed
}

/// The form's text of a filter: what [`parse`] reads as the same filter. Instants within a day become that day.
pub fn query_of(filter: &Filter) -> Query {
    let Filter { person, action, object, outcome, via, address, text, from, to, range, own_reads, not_read_by: _ } = filter.clone();
    let day = |at: Option<Timestamp>| at.map(|at| at.on_campus().date()).unwrap_or_default();
    Query {
        person: person.unwrap_or_default(),
        action: action.unwrap_or_default(),
        object: object.unwrap_or_default(),
        outcome: outcome.map(Outcome::as_str).unwrap_or_default().to_owned(),
        via: via.map(Via::as_str).unwrap_or_default().to_owned(),
        address: address.unwrap_or_default(),
        text: text.unwrap_or_default(),
        from: day(from),
        // The last instant that is included, not the first that is not.
        to: day(to.map(|to| to.plus_seconds(-1))),
        range: range.map(Range::as_str).unwrap_or_default().to_owned(),
        own_reads: if own_reads { "true".to_owned() } else { String::new() },
        ..Query::default()
    }
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

    #[test]
    fn a_kept_search_reads_back_as_itself() {
        let query = Query {
            person: "li.hua".into(),
            outcome: "refused".into(),
            via: "api".into(),
            range: "week".into(),
            text: "深度 学习".into(),
            from: "2026-11-20".into(),
            to: "2026-11-21".into(),
            own_reads: "true".into(),
            ..Query::default()
        };
        assert_eq!(query_of(&parse(&query).expect("good")), query);
    }

    #[test]
    fn what_is_no_choice_is_said_at_its_field() {
        for (field, query) in
            [("via", Query { via: "post".into(), ..Query::default() }), ("range", Query { range: "ever".into(), ..Query::default() })]
        {
            assert!(matches!(parse(&query), Err(Error::Invalid(problems)) if problems[0].field == field));
        }
    }
}
