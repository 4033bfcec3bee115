use std::collections::BTreeSet;

use uuid::Uuid;

use super::*;
use crate::{
    approvals::Outcome,
    catalogue::{ChoiceOption, DurationLimits, Localized, Workload},
    ids::{CourseId, OfferingId, PriceBookId, TenantId},
    money::Currency,
    orders::OrderState,
    pricing::{Meter, Price},
};

fn words(text: &str) -> Localized {
    Localized { zh: text.into(), en: text.into() }
}

/// Cards of three kinds, one to eight of them on each of one node.
fn offering(workload: Workload) -> Offering {
    let spec = LabSpec {
        workload,
        image: "image".into(),
        command: vec![],
        port: 80,
        card: "a100-80g".parse().expect("a card"),
        cards_per_node: 8,
        nodes: 1,
        cpu_cores: 0,
        memory_gib: 0,
        storage_gib: 0,
        git_url: None,
        environment: BTreeMap::new(),
        secrets: BTreeMap::new(),
        retries: 0,
        health_path: None,
        app_access: None,
    };
    let parameter = |key: &str, target, kind, default: &str| Parameter {
        key: key.into(),
        label: words(key),
        help: None,
        target,
        kind,
        default: Some(default.into()),
        optional: false,
    };
    let options = ["a100-80g", "h100-80g", "v100-32g", "mi250"].map(|card| ChoiceOption { value: card.into(), label: words(card) });
    Offering {
        id: OfferingId::from_uuid(Uuid::from_u128(1)),
        slug: "train".into(),
        version: 1,
        name: words("Train"),
        summary: words("Train"),
        audience: crate::offerings::Audience::default(),
        icon: "ddp".into(),
        workload,
        base: spec,
        duration: DurationLimits { default: 60, min: 30, max: 600 },
        parameters: vec![
            parameter("card", Target::Card, ParameterKind::Choice { options: options.to_vec() }, "a100-80g"),
            parameter("cards", Target::CardsPerNode, ParameterKind::Integer { min: 1, max: 8, step: 1, unit: "cards".into() }, "8"),
            parameter("image", Target::Image, ParameterKind::Text { max_length: 100 }, "image"),
        ],
    }
}

fn book() -> PriceBook {
    let price = |card: &str, fen: i64| Price::new(Meter::CardHour(card.parse().expect("a card")), fen * 10_000, Timestamp::from_seconds(0));
    PriceBook {
        prices: vec![price("a100-80g", 540), price("h100-80g", 980), price("v100-32g", 260), price("mi250", 100)],
        ..PriceBook::empty(PriceBookId::from_uuid(Uuid::from_u128(2)), Currency::Cny)
    }
}

fn order(offering: &Offering, cards: u32) -> Order {
    let parameters = ParameterInput::from([("cards".to_owned(), cards.to_string())]);
    let spec = offering.resolve(&parameters).expect("a spec");
    let now = Timestamp::from_seconds(100);
    Order {
        id: OrderId::from_uuid(Uuid::from_u128(3)),
        number: 1_001,
        tenant: TenantId::from_uuid(Uuid::from_u128(4)),
        course: CourseId::from_uuid(Uuid::from_u128(5)),
        owner: UserId::from_uuid(Uuid::from_u128(6)),
        offering: offering.id,
        offering_version: 1,
        offering_name: offering.name.clone(),
        parameters,
        estimate: book().estimate(&spec, 60, now).expect("prices"),
        spec,
        minutes: 60,
        purpose: String::new(),
        state: OrderState::PendingApproval,
        ruling: Ruling::new(Outcome::Stages(vec![Role::Manager, Role::Operator]), None),
        submitted_at: now,
        expires_at: now.plus_minutes(60),
        decided_at: None,
        decided_by: None,
        reason: None,
        queued_at: None,
        stage: 0,
        barred: BTreeSet::new(),
        proposal: None,
        starts_at: None,
        seat: None,
        class: None,
        change: None,
        version: 1,
    }
}

fn changes(order: &Order, offering: &Offering, fields: &[(&str, &str)], minutes: &str) -> Result<Changes, Error> {
    let parameters = fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let form = ChangeForm { parameters, duration_minutes: minutes.into() };
    Changes::of(order, offering, &book(), &form, Timestamp::from_seconds(200))
}

#[test]
fn fewer_cards_and_less_time_cost_less_and_are_listed() {
    let offering = offering(Workload::Notebook);
    let asked = order(&offering, 4);
    let less = changes(&asked, &offering, &[("cards", "2")], "30").expect("changes");
    assert!(!less.costs_more(&asked));
    let listed: Vec<_> = less.list(&asked).into_iter().map(|each| (each.what, each.before, each.after)).collect();
    let expected = [(Changed::CardsPerNode, "4", "2"), (Changed::Minutes, "60", "30"), (Changed::Cost, "¥21.60", "¥5.40")];
    assert_eq!(listed, expected.map(|(what, before, after)| (what, before.to_owned(), after.to_owned())));
    let more = changes(&asked, &offering, &[("card", "h100-80g")], "").expect("changes");
    assert!(more.costs_more(&asked));
    assert_eq!(changes(&asked, &offering, &[("cards", " ")], "").expect("nothing").list(&asked), []);
}

#[test]
fn what_runs_on_the_cards_is_not_the_approvers_to_change() {
    let offering = offering(Workload::Notebook);
    let asked = order(&offering, 4);
    let Err(Error::Invalid(problems)) = changes(&asked, &offering, &[("image", "mine"), ("cards", "9")], "7") else { panic!("it must be refused") };
    let fields: Vec<_> = problems.iter().map(|each| each.field.as_str()).collect();
    assert_eq!(fields, ["parameters.image", "duration_minutes", "parameters.cards"]);
}

#[test]
fn fewer_and_faster_cards_may_be_the_cheaper_way() {
    let job = offering(Workload::DistributedJob);
    // Eight A100 are 2,496 TFLOPS; three H100 are 2,967. An MI250 would be cheaper still and needs another image; a V100 has too little memory.
    let found = cheaper(&order(&job, 8), &job, &book(), |_| true, Timestamp::from_seconds(200)).expect("a cheaper way");
    assert_eq!((found.card.id(), found.cards, found.total.to_string().as_str()), ("h100-80g", 3, "¥29.40"));
    assert_eq!((found.saves.to_string().as_str(), found.percent), ("¥13.80", 31));
    assert_eq!(found.parameters, BTreeMap::from([("card".into(), "h100-80g".into()), ("cards".into(), "3".into())]));
    // A model that is spread over eight cards of a notebook does not fit on three.
    let notebook = offering(Workload::Notebook);
    assert_eq!(cheaper(&order(&notebook, 8), &notebook, &book(), |_| true, Timestamp::from_seconds(200)), None);
    assert_eq!(cheaper(&order(&job, 1), &job, &book(), |_| true, Timestamp::from_seconds(200)), None);
}

#[test]
fn stages_wait_one_after_the_other() {
    let offering = offering(Workload::Notebook);
    let mut order = order(&offering, 1);
    assert_eq!((order.awaits(), order.is_last_stage()), (Some(Role::Manager), false));
    order.stage = 1;
    assert_eq!((order.awaits(), order.is_last_stage()), (Some(Role::Operator), true));
    order.state = OrderState::Approved;
    assert_eq!(order.awaits(), None);
}

#[test]
fn step_names_read_back() {
    for step in Step::ALL {
        assert_eq!(Step::parse(step.as_str()), Some(step));
    }
}
