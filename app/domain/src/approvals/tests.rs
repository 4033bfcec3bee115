use super::*;
use crate::money::Currency;

fn facts(cards: i64, started: i64) -> Facts {
    Facts {
        card: "a100-80g".parse().expect("a card"),
        cards: CardShare::whole(cards),
        cards_per_order: CardShare::whole(4),
        started_today: CardShare::whole(started),
        starts_per_day: CardShare::whole(12),
        cost: Money::units(10, Currency::Cny),
        minutes: 90,
        requester: [Role::Teacher].into(),
        budget_left_percent: 50,
        budget_asks: false,
    }
}

fn manager() -> Outcome {
    Outcome::Stages(vec![Role::Manager])
}

fn rule(when: impl Into<Condition>, then: Outcome) -> Rule {
    let when = when.into();
    Rule::new(Localized { zh: format!("{when:?}"), en: format!("{when:?}") }, when, then)
}

#[test]
fn the_first_rule_that_matches_decides() {
    let policy = Policy::new(vec![
        rule(OrderTest::OverCardsPerOrder, manager()),
        rule(OrderTest::OverStartsPerDay, manager()),
        rule(Condition::Always, Outcome::Automatic),
    ]);
    assert_eq!(policy.decide(&facts(4, 8)).outcome, Outcome::Automatic);
    assert_eq!(policy.decide(&facts(5, 0)).outcome, manager());
    assert_eq!(policy.decide(&facts(4, 9)).outcome, manager());
}

#[test]
fn what_the_budget_asks_for_no_rule_gives_away() {
    let policy = Policy::new(vec![rule(Condition::Always, Outcome::Automatic)]);
    let asks = Facts { budget_asks: true, ..facts(1, 0) };
    assert_eq!(policy.decide(&asks).outcome, manager());
    let own = Policy::new(vec![rule(Condition::Always, Outcome::Stages(vec![Role::Operator]))]);
    assert_eq!(own.decide(&asks).outcome, Outcome::Stages(vec![Role::Operator]), "a rule that asks already stands");
}

#[test]
fn the_figures_per_order_and_day_ask_whatever_the_rules_say() {
    // The rules of these limits were deleted, or come after a rule that approves everything.
    for rules in [
        vec![rule(Condition::Always, Outcome::Automatic)],
        vec![rule(Condition::Always, Outcome::Automatic), rule(OrderTest::OverCardsPerOrder, manager())],
        vec![rule(OrderTest::CardsOver(CardShare::whole(1)), Outcome::Automatic), rule(Condition::Always, Outcome::Automatic)],
    ] {
        let policy = Policy::new(rules);
        assert_eq!(policy.decide(&facts(4, 8)).outcome, Outcome::Automatic, "just within");
        for over in [facts(5, 0), facts(4, 9), facts(1, 12)] {
            let ruling = policy.decide(&over);
            assert_eq!(ruling.outcome, manager(), "{over:?}");
            assert!(ruling.rule.is_some_and(|rule| rule.en.starts_with("More cards than the course may")), "and says why");
        }
    }
    let refuse = Outcome::Refuse(Localized { zh: "不行".into(), en: "No".into() });
    assert_eq!(Policy::new(vec![rule(Condition::Always, refuse.clone())]).decide(&facts(5, 0)).outcome, refuse, "a refusal stands");
}

#[test]
fn a_gap_in_the_rules_asks_a_manager_and_a_rule_that_is_off_is_a_gap() {
    let mut off = rule(Condition::Always, Outcome::Automatic);
    off.enabled = false;
    let ruling = Policy::new(vec![off]).decide(&facts(1, 0));
    assert_eq!((ruling.outcome, ruling.rule), (manager(), None));
}

#[test]
fn every_fact_can_be_asked_for() {
    let facts = facts(4, 0);
    let yes = [
        OrderTest::CardsOver(CardShare::whole(3)),
        OrderTest::CostOver(9_999_999),
        OrderTest::MinutesOver(89),
        OrderTest::CardIn(["a100-80g".parse().expect("a card")].into()),
        OrderTest::ModelIn(["a100-80g".to_owned()].into()),
        OrderTest::RequesterHas(Role::Teacher),
        OrderTest::BudgetLeftUnder(51),
    ];
    let no = [
        OrderTest::CardsOver(CardShare::whole(4)),
        OrderTest::OverCardsPerOrder,
        OrderTest::OverStartsPerDay,
        OrderTest::CostOver(10_000_000),
        OrderTest::MinutesOver(90),
        OrderTest::CardIn(["h100-80g".parse().expect("a card")].into()),
        OrderTest::ModelIn(["h100-80g".to_owned()].into()),
        OrderTest::RequesterHas(Role::Manager),
        OrderTest::BudgetLeftUnder(50),
    ];
    assert!(yes.iter().all(|test| test.holds(&facts)), "{yes:?}");
    assert!(!no.iter().any(|test| test.holds(&facts)), "{no:?}");
}

#[test]
fn documents_from_before_there_were_stages_still_load() {
    let old = r#"{"rules":[
        {"name":{"zh":"大","en":"Big"},"when":{"any":["over_cards_per_order",{"cards_over":840},{"not":{"requester_has":"teacher"}}]},"then":{"approval":"manager"}},
        {"name":{"zh":"其余","en":"Rest"},"when":"always","then":"automatic"}]}"#;
    let policy: Policy = serde_json::from_str(old).expect("an old policy");
    assert_eq!(policy.rules[0].then, manager());
    assert!(policy.rules[0].enabled && !policy.same_person_twice);
    assert_eq!(policy.decide(&facts(2, 0)).outcome, manager());
    let ruling: Ruling = serde_json::from_str(r#"{"outcome":{"approval":"manager"},"rule":null}"#).expect("an old ruling");
    assert_eq!(ruling, Ruling::new(manager(), None));
    let now = serde_json::to_string(&policy).expect("text");
    assert!(now.contains(r#""then":{"stages":["manager"]}"#), "{now}");
    assert_eq!(serde_json::from_str::<Policy>(&now).expect("the same"), policy);
}

#[test]
fn a_policy_that_nobody_can_carry_out_is_refused_with_every_problem() {
    let mut bad = rule(OrderTest::ModelIn(["abacus".to_owned()].into()), Outcome::Stages(vec![Role::Teacher]));
    bad.name.en = " ".into();
    let none = rule(OrderTest::BudgetLeftUnder(101), Outcome::Stages(vec![]));
    let silent = rule(Condition::Always, Outcome::Refuse(Localized { zh: "不行".into(), en: String::new() }));
    let Err(Error::Invalid(problems)) = Policy::new(vec![bad, none, silent]).check() else { panic!("it must be refused") };
    let fields: Vec<_> = problems.iter().map(|each| each.field.as_str()).collect();
    assert_eq!(fields, ["rules[0].name_en", "rules[0].when", "rules[0].stages", "rules[1].when", "rules[1].stages", "rules[2].reason_en"]);
    let mut hidden = rule(Condition::Always, Outcome::Refuse(Localized { zh: "不\u{202e}行".into(), en: "No\nlabs".into() }));
    hidden.name.zh = "大\u{3164}".into();
    let Err(Error::Invalid(problems)) = Policy::new(vec![hidden]).check() else { panic!("it must be refused") };
    let fields: Vec<_> = problems.iter().map(|each| each.field.as_str()).collect();
    assert_eq!(fields, ["rules[0].name_zh", "rules[0].reason_zh"], "a reason may have two lines");
}

#[test]
fn a_rule_compares_with_numbers_within_bounds_only() {
    let problems = |test: OrderTest| rule(test, manager()).problems();
    for good in [
        OrderTest::CardsOver(CardShare::ZERO),
        OrderTest::CardsOver(CardShare::whole(CARDS_MAX)),
        OrderTest::CostOver(0),
        OrderTest::CostOver(money::MAX_MICROS),
        OrderTest::MinutesOver(MINUTES_MAX),
        OrderTest::BudgetLeftUnder(100),
    ] {
        assert!(problems(good.clone()).is_empty(), "{good:?}");
    }
    for bad in [
        OrderTest::CardsOver(CardShare::from_parts(-1)),
        OrderTest::CardsOver(CardShare::from_parts(CardShare::whole(CARDS_MAX).parts() + 1)),
        OrderTest::CardsOver(CardShare::from_parts(i64::MAX)),
        OrderTest::CostOver(-1),
        OrderTest::CostOver(money::MAX_MICROS + 1),
        OrderTest::MinutesOver(MINUTES_MAX + 1),
        OrderTest::MinutesOver(u32::MAX),
        OrderTest::BudgetLeftUnder(101),
    ] {
        let nested = Condition::All(vec![Condition::Not(Box::new(bad.clone().into())), Condition::Always]);
        for found in [problems(bad.clone()), rule(nested, manager()).problems()] {
            assert!(matches!(found.as_slice(), [("when", Problem::OutOfRange { min: 0, .. })]), "{bad:?}: {found:?}");
        }
    }
}
