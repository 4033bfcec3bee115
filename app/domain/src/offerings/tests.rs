use std::fmt::Write as _;

use super::*;
use crate::{
    catalogue::{ChoiceOption, DurationLimits, LabSpec, Localized, Parameter, ParameterKind, Target, Workload},
    error::Problem,
    ids::OfferingId,
};

fn text(text: &str) -> Localized {
    Localized { zh: text.into(), en: text.into() }
}

fn offering() -> Offering {
    Offering {
        id: OfferingId::from_uuid(uuid::Uuid::from_u128(1)),
        slug: "vscode".into(),
        version: 3,
        name: text("VS Code"),
        summary: text("An editor"),
        icon: "code".into(),
        workload: Workload::CodeEditor,
        audience: Audience { tenants: ["ai".to_owned()].into(), roles: [Role::Teacher].into() },
        base: LabSpec {
            workload: Workload::CodeEditor,
            image: "docker.io/codercom/code-server:4.104.1".into(),
            command: vec!["/bin/sh".into(), "-c".into(), "a \\ b\nc".into()],
            port: 8080,
            card: "a100-80g".parse().expect("a card"),
            cards_per_node: 1,
            nodes: 1,
            cpu_cores: 8,
            memory_gib: 32,
            storage_gib: 20,
            git_url: None,
            environment: [("LESSON".to_owned(), "one=1".to_owned())].into(),
            retries: 0,
            health_path: Some("/healthz".into()),
        },
        duration: DurationLimits { default: 90, min: 30, max: 600 },
        parameters: vec![
            Parameter {
                key: "cpu_cores".into(),
                label: text("CPU"),
                help: Some(text("Whole cores")),
                target: Target::CpuCores,
                kind: ParameterKind::Integer { min: 2, max: 16, step: 2, unit: "cores".into() },
                default: Some("8".into()),
                optional: false,
            },
            Parameter {
                key: "card".into(),
                label: text("Card"),
                help: None,
                target: Target::Card,
                kind: ParameterKind::Choice { options: vec![ChoiceOption { value: "a100-80g".into(), label: text("A100") }] },
                default: Some("a100-80g".into()),
                optional: false,
            },
            Parameter {
                key: "theme".into(),
                label: text("Theme"),
                help: None,
                target: Target::Environment("THEME".into()),
                kind: ParameterKind::Text { max_length: 20 },
                default: None,
                optional: true,
            },
        ],
    }
}

fn problems(error: &Error) -> Vec<(String, Problem)> {
    let Error::Invalid(problems) = error else { panic!("{error:?}") };
    problems.iter().map(|each| (each.field.clone(), each.problem.clone())).collect()
}

#[test]
fn an_offering_goes_through_the_editor_unchanged() {
    let offering = offering();
    assert_eq!(offering.check(), Ok(()));
    assert_eq!(offering_of(&fields_of(&offering), offering.id, 3), Ok(offering));
}

#[test]
fn each_problem_stands_at_its_field_and_all_are_named() {
    let mut fields = fields_of(&offering());
    for (name, value) in [
        ("slug", "New Thing"),
        ("name.en", " "),
        ("base.port", "many"),
        ("base.nodes", "2"),
        ("duration.default", "20"),
        ("base.environment", "lower=1"),
        ("parameters.0.max", "1"),
        ("parameters.1.options", "h200"),
        ("parameters.2.key", "cpu_cores"),
        ("parameters.2.variable", "PATH"),
    ] {
        fields.insert(name.into(), value.into());
    }
    let error = offering_of(&fields, offering().id, 4).expect_err("bad");
    let mut named: Vec<_> = problems(&error).into_iter().map(|(field, _)| field).collect();
    named.sort();
    let expected = [
        "base.environment",
        "base.nodes",
        "base.port",
        "duration.default",
        "name.en",
        "parameters.0.max",
        "parameters.1.options",
        "parameters.2.key",
        "parameters.2.variable",
        "slug",
    ];
    assert_eq!(named, expected);
}

#[test]
fn an_empty_row_is_left_out_and_the_others_keep_their_numbers() {
    let mut fields = fields_of(&offering());
    fields.retain(|name, _| !name.starts_with("parameters.0."));
    fields.insert("parameters.1.default".into(), "mi250".into());
    let error = offering_of(&fields, offering().id, 4).expect_err("not among the options");
    assert_eq!(problems(&error), [("parameters.1.default".to_owned(), Problem::NotOneOf { choices: vec!["a100-80g".into()] })]);
    fields.insert("parameters.1.default".into(), "a100-80g".into());
    let keys: Vec<_> = offering_of(&fields, offering().id, 4).expect("good").parameters.into_iter().map(|each| each.key).collect();
    assert_eq!(keys, ["card", "theme"]);
}

#[test]
fn the_base_follows_the_defaults_of_the_parameters() {
    let mut changed = offering();
    changed.parameters[0].default = Some("16".into());
    assert_eq!(changed.normalised().base.cpu_cores, 16);
}

#[test]
fn a_change_names_the_field_before_and_after() {
    let mut after = offering();
    after.version = 4;
    after.base.memory_gib = 24;
    after.parameters.remove(2);
    if let ParameterKind::Integer { max, .. } = &mut after.parameters[0].kind {
        *max = 32;
    }
    after.audience.roles.insert(Role::Manager);
    let shown: Vec<_> = changes(&offering(), &after)
        .into_iter()
        .map(|change| format!("{}: {} -> {}", change.field, change.before.unwrap_or_default(), change.after.unwrap_or_default()))
        .collect();
    let expected = [
        "audience.roles.manager:  -> manager",
        "base.memory_gib: 32 -> 24",
        "parameters.cpu_cores.max: 16 -> 32",
        "parameters.theme.key: theme -> ",
        "parameters.theme.label.en: Theme -> ",
        "parameters.theme.label.zh: Theme -> ",
        "parameters.theme.max_length: 20 -> ",
        "parameters.theme.optional: true -> ",
        "parameters.theme.target.environment: THEME -> ",
    ];
    assert_eq!(shown, expected);
    assert_eq!(changes(&after, &after), []);
}

#[test]
fn an_audience_is_a_tenant_and_a_role() {
    let audience = offering().audience;
    let teacher = BTreeSet::from([Role::Teacher]);
    assert!(audience.admits(Some("ai"), &teacher));
    assert!(!audience.admits(Some("software"), &teacher));
    assert!(!audience.admits(None, &teacher));
    assert!(!audience.admits(Some("ai"), &[Role::Manager].into()));
    assert!(Audience::default().admits(None, &BTreeSet::new()));
}

#[test]
fn the_transition_table_allows_these_and_nothing_else() {
    let mut table = String::new();
    for state in VersionState::ALL {
        for event in [VersionEvent::Edit, VersionEvent::Publish, VersionEvent::Retire, VersionEvent::Restore] {
            if let Ok(next) = state.after(event) {
                writeln!(table, "{} + {} = {}", state.as_str(), event.as_str(), next.as_str()).expect("a string takes it");
            }
        }
    }
    assert_eq!(table, "draft + edit = draft\ndraft + publish = published\npublished + retire = retired\nretired + restore = published\n");
}

#[test]
fn secrets_are_not_shown() {
    let mut spec = offering().base;
    spec.environment.insert("HF_TOKEN".into(), "hf_123".into());
    let shown = spec.without_secrets();
    assert_eq!((shown.environment["HF_TOKEN"].as_str(), shown.environment["LESSON"].as_str()), ("***", "one=1"));
}

#[test]
fn a_number_too_large_is_told_the_range_of_its_field() {
    let mut fields = fields_of(&offering());
    for (name, text) in [("base.memory_gib", "99999999999"), ("base.storage_gib", "4294967295"), ("base.port", "70000")] {
        fields.insert(name.into(), text.into());
    }
    let error = offering_of(&fields, offering().id, 4).expect_err("too large");
    let range = |min, max| Problem::OutOfRange { min, max };
    for wanted in [("base.memory_gib", range(1, 4_096)), ("base.storage_gib", range(0, 65_536)), ("base.port", range(1, 65_535))] {
        assert!(problems(&error).contains(&(wanted.0.to_owned(), wanted.1.clone())), "{wanted:?} in {error:?}");
    }
}
