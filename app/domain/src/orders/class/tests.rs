use super::*;

fn now() -> Timestamp {
    at("2026-11-23T09:00:00+08:00")
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a time")
}

fn lessons(first_day: &str, bell: &str, weeks: &str) -> ClassForm {
    ClassForm { first_day: first_day.into(), bell: bell.into(), weeks: weeks.into(), ..ClassForm::default() }
}

fn problems(form: &ClassForm, students: u32) -> Vec<(String, Problem)> {
    let Err(Error::Invalid(problems)) = form.plan(students, now()) else { panic!("{form:?} is in order") };
    problems.into_iter().map(|each| (each.field, each.problem)).collect()
}

#[test]
fn an_empty_form_is_one_lab_at_once() {
    for form in [ClassForm::default(), ClassForm { seats: ONE.into(), when: NOW.into(), weeks: "9".into(), ..ClassForm::default() }] {
        let plan = form.plan(30, now()).expect("in order");
        assert_eq!((plan.orders(), plan.starts(), plan.ordered(90), form.is_plain()), (1, vec![None], 90, true));
    }
}

#[test]
fn lessons_come_up_ten_minutes_before_the_bell_every_week() {
    let form = lessons("2026-12-25", "8:20", "3");
    let plan = form.plan(0, now()).expect("in order");
    // Over the end of the year, at the same hour: there is no summer time on campus.
    let expected = ["2026-12-25T00:10:00Z", "2027-01-01T00:10:00Z", "2027-01-08T00:10:00Z"].map(|text| Some(at(text)));
    assert_eq!(plan.starts(), expected);
    assert_eq!((plan.ordered(90), plan.orders(), form.is_plain()), (100, 3, false));
    let summer = lessons("2027-06-01", "23:59:00", "").plan(0, now()).expect("in order");
    assert_eq!(summer.bells, [at("2027-06-01T15:59:00Z")]);
}

#[test]
fn a_lesson_that_begins_in_five_minutes_can_be_ordered_and_one_that_has_begun_cannot() {
    assert!(lessons("2026-11-23", "09:05", "1").plan(0, now()).is_ok());
    assert_eq!(problems(&lessons("2026-11-23", "09:00", "1"), 0), [("bell".into(), Problem::InThePast { now: now() })]);
    assert_eq!(problems(&lessons("2026-11-20", "10:00", "1"), 0), [("first_day".into(), Problem::InThePast { now: now() })]);
    assert_eq!(problems(&lessons("2027-11-25", "10:00", "1"), 0), [("first_day".into(), Problem::TooFarAhead { days: 366 })]);
}

#[test]
fn seats_are_the_roster_or_a_number() {
    let seats = |seats: &str, count: &str| ClassForm { seats: seats.into(), seat_count: count.into(), ..ClassForm::default() };
    assert_eq!(seats(ROSTER, "").plan(27, now()).map(|plan| (plan.seats, plan.by_roster)), Ok((27, true)));
    assert_eq!(seats(COUNTED, "30").plan(27, now()).map(|plan| (plan.seats, plan.by_roster)), Ok((30, false)));
    assert_eq!(seats("30", "").plan(0, now()).map(|plan| plan.seats), Ok(30), "as the API says it");
    assert_eq!(problems(&seats(ROSTER, ""), 0), [("seats".into(), Problem::EmptyRoster)]);
    assert_eq!(problems(&seats(COUNTED, ""), 0), [("seat_count".into(), Problem::Missing)]);
    assert_eq!(problems(&seats(COUNTED, "61"), 0), [("seat_count".into(), Problem::OutOfRange { min: 1, max: 60 })]);
    assert_eq!(problems(&seats("0", ""), 0), [("seats".into(), Problem::OutOfRange { min: 1, max: 60 })]);
    assert_eq!(problems(&seats("all", ""), 0), [("seats".into(), Problem::NotANumber)]);
}

#[test]
fn two_hundred_orders_are_the_most() {
    let form = |weeks: &str| ClassForm { seats: "20".into(), ..lessons("2026-12-01", "08:20", weeks) };
    assert_eq!(form("10").plan(0, now()).map(|plan| plan.orders()), Ok(200));
    assert_eq!(problems(&form("11"), 0), [("seats".into(), Problem::TooManyOrders { orders: 220, max: 200 })]);
    assert_eq!(problems(&form("21"), 0), [("weeks".into(), Problem::OutOfRange { min: 1, max: 20 })]);
}

#[test]
fn every_field_says_what_is_wrong_with_it() {
    let form = ClassForm { when: LESSONS.into(), ..ClassForm::default() };
    assert_eq!(problems(&form, 0), [("first_day".into(), Problem::Missing), ("bell".into(), Problem::Missing)]);
    let form = ClassForm { when: "soon".into(), ..lessons("2026-02-30", "24:00", "some") };
    let fields: Vec<_> = problems(&form, 0).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["when", "first_day", "bell", "weeks"]);
    for bell in ["8", "8:2", "08:60", "08:20:61", "08:20:00:00", "+8:20", "08:２0", ":20"] {
        assert_eq!(problems(&lessons("2026-12-01", bell, "1"), 0).len(), 1, "{bell}");
    }
}

#[test]
fn spans_that_touch_do_not_overlap() {
    let span = |from, to| Span { from: Timestamp::from_seconds(from), to: Timestamp::from_seconds(to) };
    assert!(!span(0, 10).overlaps(&span(10, 20)) && span(0, 11).overlaps(&span(10, 20)) && span(12, 13).overlaps(&span(10, 20)));
    let late = Span::of(Some(Timestamp::from_seconds(0)), 10, Timestamp::from_seconds(60));
    assert_eq!(late, span(60, 600), "what is late ends when it was to end");
}
