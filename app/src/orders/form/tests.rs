use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Error, FieldError, Problem,
    access::Role,
    approvals::{Condition, Outcome, Policy, Rule},
    catalogue::{DurationLimits, LabSpec, Localized, Offering, Parameter, ParameterKind, Target, Workload},
    courses::CourseRef,
    gpu::{Card, CardShare},
    ids::NotAnId,
    money::{Currency, Money},
    orders::{
        OrderContext,
        class::{LESSONS, Span, before},
    },
    pricing::{Meter, Price, PriceBook},
    quotas::{Amounts, Booking, BudgetStatus, QuotaStatus},
    time::Timestamp,
};
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use super::{
    leave::Leaving,
    quota_day_text,
    state::{FormState, control},
};
use crate::{flash::Flash, language::Language};

fn words(text: &str) -> Localized {
    Localized { zh: text.into(), en: text.into() }
}

fn id<T: std::str::FromStr<Err = NotAnId>>(number: u8) -> T {
    format!("00000000-0000-7000-8000-0000000000{number:02}").parse().expect("an id")
}

fn card() -> Card {
    "a100-80g".parse().expect("a card of the list")
}

fn offering() -> Offering {
    Offering {
        id: id(1),
        slug: "lab".into(),
        version: 1,
        name: words("Lab"),
        summary: words("A lab"),
        icon: "lab".into(),
        workload: Workload::Notebook,
        audience: domain::offerings::Audience::default(),
        base: LabSpec {
            workload: Workload::Notebook,
            image: "lab:1".into(),
            command: Vec::new(),
            port: 8888,
            card: card(),
            cards_per_node: 1,
            nodes: 1,
            cpu_cores: 4,
            memory_gib: 16,
            storage_gib: 0,
            git_url: None,
            environment: std::collections::BTreeMap::new(),
            secrets: std::collections::BTreeMap::new(),
            retries: 0,
            health_path: None,
            app_access: None,
        },
        duration: DurationLimits { default: 90, min: 30, max: 480 },
        parameters: vec![Parameter {
            key: "cards".into(),
            label: words("Cards"),
            help: None,
            target: Target::CardsPerNode,
            kind: ParameterKind::Integer { min: 1, max: 8, step: 1, unit: "cards".into() },
            default: Some("1".into()),
            optional: false,
        }],
    }
}

fn quota() -> QuotaStatus {
    let yuan = |units| Money::units(units, Currency::Cny);
    QuotaStatus {
        course: id(2),
        limits: Amounts { cards: CardShare::whole(4), cpu_cores: 100, memory_gib: 100, storage_gib: 100, running_labs: 5 },
        used: Amounts::default(),
        held: Amounts::default(),
        budget: BudgetStatus { limit: yuan(1_000), terms: domain::quotas::BudgetTerms::default(), spent: yuan(0), held: yuan(0) },
        started_today: CardShare::ZERO,
        starts_per_day: CardShare::whole(12),
        cards_per_order: CardShare::whole(4),
        booked: Vec::new(),
        ends: Vec::new(),
    }
}

fn context() -> OrderContext {
    let from = Timestamp::from_seconds(0);
    let price = |meter, unit_micros| Price::new(meter, unit_micros, from);
    OrderContext {
        offering: offering(),
        courses: vec![(CourseRef { id: quota().course, code: "CV2402".into(), name: "Vision".into() }, quota())],
        book: PriceBook {
            id: id(3),
            currency: Currency::Cny,
            prices: vec![price(Meter::CardHour(card()), 5_400_000), price(Meter::CpuCoreHour, 50_000), price(Meter::MemoryGibHour, 10_000)],
            discounts: Vec::new(),
        },
        policy: Policy::new(vec![Rule::new(words("Small"), Condition::Always, Outcome::Automatic)]),
        supplies: Vec::new(),
        requester: BTreeSet::from([Role::Teacher]),
        requester_in: BTreeMap::new(),
        students: BTreeMap::new(),
        now: Timestamp::from_seconds(1_000),
    }
}

fn state(last_try: &Flash, query: &ParamsMap) -> (Owner, FormState) {
    let owner = Owner::new();
    let state = owner.with(|| FormState::new(context(), last_try, query));
    (owner, state)
}

#[test]
fn the_form_starts_with_the_offerings_defaults() {
    let (_owner, state) = state(&Flash::default(), &ParamsMap::new());
    let form = state.typed.get_untracked();
    assert_eq!((form.course.as_str(), form.duration_minutes.as_str()), ("CV2402", "90"));
    assert_eq!(form.parameters["cards"], "1");
    let preview = state.preview.get_untracked().expect("the defaults are in order");
    assert_eq!(preview.estimate.per_hour, Money::new(5_400_000 + 4 * 50_000 + 16 * 10_000, Currency::Cny));
}

#[test]
fn what_was_typed_comes_back_with_the_problem_on_its_field() {
    let error = Error::Invalid(vec![FieldError { field: "parameters.cards".into(), problem: Problem::NotANumber }]);
    let last_try = Flash {
        values: [("parameters.cards", "two"), ("duration_minutes", "45"), ("course", "CV2402"), ("purpose", "Lesson 7")]
            .map(|(field, text)| (field.to_owned(), text.to_owned()))
            .into(),
        error: Some(error),
    };
    let (_owner, state) = state(&last_try, &ParamsMap::new());
    let form = state.typed.get_untracked();
    assert_eq!(form.parameters["cards"], "two");
    assert_eq!((form.duration_minutes.as_str(), form.purpose.as_str()), ("45", "Lesson 7"));
    let messages = state.messages(Language::en);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!((messages[0].field.as_str(), messages[0].label.as_str()), ("parameters[cards]", "Cards"));
}

#[test]
fn the_address_fills_the_form() {
    let query: ParamsMap =
        [("duration_minutes", "120"), ("parameters[cards]", "2")].map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    let (_owner, state) = state(&Flash::default(), &query);
    let preview = state.preview.get_untracked().expect("in order");
    assert_eq!((preview.spec.cards(), preview.estimate.minutes), (2, 120));
}

#[test]
fn a_problem_waits_until_the_field_is_left_or_the_form_is_sent() {
    let (owner, state) = state(&Flash::default(), &ParamsMap::new());
    owner.with(|| {
        let shown = state.error("duration_minutes");
        state.put("duration_minutes", "5".into());
        assert_eq!(shown.get_untracked(), None, "still typing");
        state.touch("duration_minutes");
        assert!(shown.get_untracked().is_some());
        state.put("duration_minutes", "50".into());
        assert_eq!(shown.get_untracked(), None, "mended");
    });
    assert!(!state.check_before_sending());
    state.put("duration_minutes", String::new());
    assert!(state.check_before_sending(), "nothing is sent that is known to be wrong");
    assert_eq!(state.messages(Language::zh_CN).len(), 1);
}

#[test]
fn a_field_that_is_left_by_a_press_shows_its_problem_after_the_release() {
    let (owner, state) = state(&Flash::default(), &ParamsMap::new());
    owner.with(|| {
        let leaving = Leaving::new(state);
        let shown = state.error("duration_minutes");
        state.put("duration_minutes", "5".into());
        leaving.press();
        leaving.leave("duration_minutes".into());
        assert_eq!(shown.get_untracked(), None, "nothing moves below the pointer");
        leaving.settle();
        assert!(shown.get_untracked().is_some());
    });
}

#[test]
fn over_quota_shows_before_sending_and_the_servers_word_stands_until_something_changes() {
    let (_owner, state) = state(&Flash::default(), &ParamsMap::new());
    state.put("parameters.cards", "8".into());
    let refusal = state.preview.get_untracked().expect("a price all the same").refusal;
    assert!(matches!(refusal, Some(Error::OverQuota(_))), "{refusal:?}");
    state.refused(Error::OverQuota(Vec::new()));
    assert!(state.refusal().is_some());
    state.put("parameters.cards", "2".into());
    assert_eq!(state.refusal(), None);
}

#[test]
fn a_field_of_the_map_has_its_brackets() {
    assert_eq!(control("parameters.cpu"), "parameters[cpu]");
    assert_eq!(control("course"), "course");
}

#[test]
fn the_quota_of_lessons_names_the_day_that_it_is_of() {
    let mut context = context();
    let bell = Timestamp::parse_campus_day("1970-01-12").expect("a day").plus_minutes(10 * 60);
    let span = Span { from: before(bell), to: bell.plus_minutes(90) };
    let amounts = Amounts { cards: CardShare::whole(2), ..Amounts::default() };
    context.courses[0].1.booked = vec![Booking { span, amounts, starting: CardShare::whole(2) }];
    let owner = Owner::new();
    let state = owner.with(|| FormState::new(context, &Flash::default(), &ParamsMap::new()));
    assert_eq!(state.preview.get_untracked().expect("in order").quota_at, None, "at once: as it is now");
    for (field, text) in [("when", LESSONS), ("first_day", "1970-01-05"), ("bell", "10:00"), ("weeks", "3")] {
        state.put(field, text.into());
    }
    let preview = state.preview.get_untracked().expect("in order");
    assert_eq!((preview.quota.held.cards, preview.quota_at), (CardShare::whole(2), Some(before(bell))), "the lesson that leaves least");
    assert!(quota_day_text(Language::en, before(bell)).contains("1970-01-12"));
    assert!(quota_day_text(Language::zh_CN, before(bell)).contains("1970-01-12"));
}
