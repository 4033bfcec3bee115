//! Order parameters, and the editor's fields of an offering.

use domain::{
    catalogue::{Localized, Offering, Parameter, ParameterKind, Target},
    ids::OfferingId,
    offerings::{Fields, fields_of, offering_of},
};
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::select,
};

use crate::texts::{config, fields, nasty, near};

fn parameter(key: &str, target: Target, kind: ParameterKind) -> Parameter {
    let label = Localized { zh: key.into(), en: key.into() };
    Parameter { key: key.into(), label, help: None, target, kind, default: None, optional: true }
}

/// An offering with a parameter of each kind.
fn offering() -> Offering {
    let document = serde_json::json!({
        "id": "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e", "slug": "jupyterlab", "version": 1,
        "name": {"zh": "笔记本", "en": "Notebook"}, "summary": {"zh": "一个笔记本", "en": "A notebook"}, "icon": "notebook", "workload": "notebook",
        "base": {"workload": "notebook", "image": "jupyter/base:1", "port": 8888, "card": "a100-80g", "cards_per_node": 1, "nodes": 1,
            "cpu_cores": 8, "memory_gib": 32, "storage_gib": 20},
        "duration": {"default": 90, "min": 30, "max": 600}, "parameters": [],
    });
    let mut offering: Offering = serde_json::from_value(document).expect("an offering");
    let option = |value: &str| domain::catalogue::ChoiceOption { value: value.into(), label: Localized { zh: value.into(), en: value.into() } };
    offering.parameters = vec![
        parameter("cards", Target::CardsPerNode, ParameterKind::Integer { min: 1, max: 8, step: 2, unit: "cards".into() }),
        parameter("zero_step", Target::Nodes, ParameterKind::Integer { min: 0, max: u32::MAX, step: 0, unit: "nodes".into() }),
        parameter("card", Target::Card, ParameterKind::Choice { options: vec![option("a100-80g"), option("h100-80g")] }),
        parameter("lesson", Target::Environment("LESSON".into()), ParameterKind::Text { max_length: 20 }),
        parameter("git_url", Target::GitUrl, ParameterKind::GitUrl),
    ];
    offering
}

const VALUES: &[&str] = &["3", "4", "4294967295", "a100-80g", "lesson-1", "https://git.example.edu/course/lesson-1.git", "https://u:p@host/x"];
const FIELDS: &[&str] = &[
    "slug",
    "name.zh",
    "base.image",
    "base.command",
    "base.port",
    "base.card",
    "base.environment",
    "duration.min",
    "workload",
    "parameters.0.key",
    "parameters.0.kind",
    "parameters.0.min",
    "parameters.0.options",
    "parameters.0.target",
    "parameters.0.default",
    "parameters.0.label.zh",
    "parameters.99999999999999999999.key",
    "parameters.18446744073709551615.key",
    "parameters.40.key",
    "parameters..key",
    "audience.tenants.x",
    "audience.roles.teacher",
    "strange",
];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn parameters_become_a_lab_or_name_themselves(
        input in btree_map(prop_oneof![4 => select(&["cards", "zero_step", "card", "lesson", "git_url"][..]).prop_map(str::to_owned), 1 => nasty()], near(VALUES), 0..6),
    ) {
        match offering().resolve(&input) {
            Ok(spec) => {
                prop_assert!((1..=8).contains(&spec.cards_per_node) && spec.cards_per_node % 2 == 1, "{:?}", input);
                prop_assert!(spec.environment.get("LESSON").is_none_or(|text| text.chars().count() <= 20 && !text.chars().any(char::is_control)));
                prop_assert!(spec.git_url.as_ref().is_none_or(|url| url.starts_with("https://") && !url.contains(['@', ' ', '\n', '$', '`'])));
            }
            Err(error) => prop_assert!(fields(&error).iter().all(|field| field.starts_with("parameters.")), "{:?}", error),
        }
    }

    #[test]
    fn a_duration_is_within_the_offerings_limits(minutes in any::<u32>()) {
        prop_assert_eq!(offering().check_duration(minutes).is_ok(), (30..=600).contains(&minutes));
    }

    #[test]
    fn the_editor_reads_an_offering_or_names_fields(changed in vec((select(FIELDS), near(&["8", "notebook", "integer", "a=b", "x | y | z", "cards", "on"])), 0..6)) {
        let mut typed = fields_of(&offering());
        typed.extend(changed.into_iter().map(|(field, text)| (field.to_owned(), text)));
        match offering_of(&typed, OfferingId::from_uuid(uuid::Uuid::nil()), 1) {
            // What the editor shows of it is the same offering.
            Ok(read) => prop_assert_eq!(offering_of(&fields_of(&read), read.id, read.version), Ok(read)),
            Err(error) => prop_assert!(fields(&error).iter().all(|field| !field.is_empty())),
        }
    }

    #[test]
    fn any_fields_at_all_are_an_error_with_names(typed in btree_map(nasty(), nasty(), 0..10)) {
        let typed: Fields = typed;
        let error = offering_of(&typed, OfferingId::from_uuid(uuid::Uuid::nil()), 1).expect_err("nothing that is required is there");
        prop_assert!(fields(&error).contains(&"slug"));
    }
}

/// One row with an enormous number makes no more rows than the editor has.
#[test]
fn a_row_number_makes_no_rows() {
    let typed = Fields::from([("parameters.18446744073709551615.key".to_owned(), "x".to_owned())]);
    assert!(domain::offerings::rows(&typed) <= 2 * domain::offerings::MAX_PARAMETERS + 1);
}
