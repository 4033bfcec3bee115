//! The condition language and the policies written in it.

use domain::{
    approvals::{Condition, OrderTest, Policy},
    policy_form::{self, RuleForm},
    rules::MAX_DEPTH,
};
use proptest::{collection::btree_map, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::texts::{config, fields, nasty, near};

/// JSON that looks like a condition, and JSON that does not.
fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        select(&["always", "over_cards_per_order", "over_starts_per_day", "never"][..]).prop_map(|word| json!(word)),
        any::<i64>().prop_map(|number| json!({"cost_over": number})),
        any::<i64>().prop_map(|number| json!({"cards_over": number})),
        any::<u32>().prop_map(|number| json!({"minutes_over": number})),
        nasty().prop_map(|text| json!({"model_in": [text]})),
        near(&["manager", "teacher"]).prop_map(|text| json!({"requester_has": text})),
        near(&["a100-80g"]).prop_map(|text| json!({"card_in": [text]})),
        nasty().prop_map(|text| json!({text: 1})),
        Just(Value::Null),
    ];
    leaf.prop_recursive(8, 200, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(|parts| json!({"all": parts})),
            proptest::collection::vec(inner.clone(), 0..8).prop_map(|parts| json!({"any": parts})),
            inner.clone().prop_map(|part| json!({"not": part})),
            inner.prop_map(|part| json!({"not": part, "all": []})),
        ]
    })
}

/// The fields of the editor with plausible and implausible texts.
fn forms() -> impl Strategy<Value = RuleForm> {
    const NAMES: &[&str] = &[
        "name_zh",
        "name_en",
        "join",
        "cards_is",
        "cards",
        "cost_is",
        "cost",
        "minutes_is",
        "minutes",
        "budget_is",
        "budget",
        "models_is",
        "model_a100-80g",
        "role_is",
        "role",
        "per_order",
        "per_day",
        "then",
        "stage1",
        "stage2",
        "stage3",
        "reason_zh",
        "reason_en",
        "strange",
    ];
    const TEXTS: &[&str] =
        &["over", "within", "under", "at_least", "in", "has", "any", "2", "1/7", "90", "stages", "refuse", "automatic", "manager", "规则"];
    btree_map(select(NAMES).prop_map(str::to_owned), near(TEXTS), 0..24)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_condition_reads_back_as_itself(document in documents()) {
        if let Ok(condition) = serde_json::from_value::<Condition>(document) {
            let written = serde_json::to_value(&condition).expect("it can be written");
            prop_assert_eq!(serde_json::from_value::<Condition>(written).expect("it can be read"), condition.clone());
            let _ = (condition.depth(), condition.tests().len(), condition.is_readable());
        }
    }

    #[test]
    fn a_policy_of_nonsense_is_refused_by_the_field(when in documents(), then in documents(), name in nasty()) {
        let document = json!({"rules": [{"name": {"zh": name, "en": name}, "when": when, "then": then}]});
        if let Ok(policy) = serde_json::from_value::<Policy>(document)
            && let Err(error) = policy.check()
        {
            prop_assert!(fields(&error).iter().all(|field| !field.is_empty()));
        }
    }

    #[test]
    fn the_editor_reads_a_rule_or_says_which_field_is_wrong(form in forms()) {
        match policy_form::parse(&form, None) {
            Ok(rule) => {
                let document = serde_json::to_value(&rule).expect("it can be written");
                prop_assert_eq!(serde_json::from_value::<domain::approvals::Rule>(document).expect("it can be read"), rule);
            }
            Err(error) => prop_assert!(fields(&error).iter().all(|field| field.starts_with("rule.")), "{:?}", error),
        }
    }
}

/// A stack that overflows takes the process with it: the reader itself must end the nesting.
#[test]
fn nesting_without_end_is_refused() {
    for (open, close) in [("{\"not\":", "}"), ("{\"all\":[", "]}"), ("[", "]"), ("{\"not\":{\"all\":[", "]}}")] {
        let text = format!("{}\"always\"{}", open.repeat(100_000), close.repeat(100_000));
        assert!(serde_json::from_str::<Condition>(&text).is_err(), "{open}");
    }
    let deep = |depth: usize| format!("{}\"always\"{}", "{\"not\":".repeat(depth), "}".repeat(depth));
    let condition: Condition = serde_json::from_str(&deep(40)).expect("it can be read");
    assert!(condition.depth() > MAX_DEPTH && !condition.is_readable(), "and is then refused as unreadable");
    let broad: Condition = Condition::Any(vec![Condition::Test(OrderTest::OverCardsPerOrder); 1_000]);
    assert!(!broad.is_readable());
}
