use std::fmt::Write as _;

use super::*;
use crate::{
    catalogue::{AppAccess, ChoiceOption, DurationLimits, LabSpec, Localized, Parameter, ParameterKind, Target, Workload},
    error::Problem,
    ids::{OfferingId, SecretId},
    secret::{Secret, SecretValue},
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
            secrets: BTreeMap::new(),
            retries: 0,
            health_path: Some("/healthz".into()),
            app_access: None,
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
fn a_variable_that_is_secret_by_name_or_value_moves_to_the_secrets() {
    let mut spec = offering().base;
    spec.environment.insert("HF_TOKEN".into(), "hf_123".into());
    spec.environment.insert("DATABASE".into(), "postgres://li:hush@db/course".into());
    spec.environment.insert("WANDB_API_KEY".into(), "***".into());
    let refused = Offering { base: spec.clone(), ..offering() }.check().expect_err("in clear");
    assert_eq!(problems(&refused), [("base.environment".to_owned(), Problem::SecretInClear)]);
    spec.separate_secrets();
    assert_eq!(spec.environment.keys().collect::<Vec<_>>(), ["LESSON"]);
    let typed = |text: &str| SecretValue::Typed(Secret::new(text.to_owned()));
    assert_eq!(spec.secrets["HF_TOKEN"], typed("hf_123"));
    assert_eq!(spec.secrets["DATABASE"], typed("postgres://li:hush@db/course"));
    assert_eq!(spec.secrets["WANDB_API_KEY"], SecretValue::Kept, "a mask is no value");
    assert!(!format!("{spec:?}").contains("hf_123"));
}

#[test]
fn an_order_cannot_type_a_secret_into_a_parameter() {
    let mut changed = offering();
    changed.parameters[2].target = Target::Environment("HF_TOKEN".into());
    let refused = changed.check().expect_err("orders keep their parameters in clear");
    assert_eq!(problems(&refused), [("parameters.2.variable".to_owned(), Problem::SecretInClear)]);
    let input = [("theme".to_owned(), "hf_123".to_owned())].into();
    let refused = changed.resolve(&input).expect_err("also of an offering from before");
    assert_eq!(problems(&refused), [("parameters.theme".to_owned(), Problem::SecretInClear)]);
}

#[test]
fn what_hides_or_reverses_a_text_is_refused_in_every_text() {
    let refused = |field: &str, change: &dyn Fn(&mut Offering)| {
        let mut changed = offering();
        change(&mut changed);
        let error = changed.check().expect_err(field);
        let found = problems(&error);
        let [(at, Problem::Invisible { .. })] = found.as_slice() else { panic!("{field}: {error:?}") };
        assert_eq!(at, field);
    };
    refused("name.en", &|offering| offering.name.en = "A\0B".into());
    refused("name.zh", &|offering| offering.name.zh = "\u{202e}A".into());
    refused("summary.en", &|offering| offering.summary.en = "A\u{1}\u{202e}\u{200b}B".into());
    refused("parameters.0.label.en", &|offering| offering.parameters[0].label.en = "A\u{3164}B".into());
    let help = || Some(Localized { zh: "A\u{200b}B".into(), en: "A".into() });
    refused("parameters.0.help.zh", &|offering| offering.parameters[0].help = help());
    refused("base.command", &|offering| offering.base.command[2] = "a\0b".into());
    refused("base.environment", &|offering| _ = offering.base.environment.insert("NOTE".into(), "a\u{202e}b".into()));
    let mut lines = offering();
    lines.summary.en = "First line\nsecond line\n".into();
    assert_eq!(lines.check(), Ok(()));
}

#[test]
fn a_secret_is_refused_wherever_everybody_could_read_it() {
    let refused = |field: &str, change: &dyn Fn(&mut Offering)| {
        let mut changed = offering();
        change(&mut changed);
        let error = changed.check().expect_err(field);
        assert_eq!(problems(&error), [(field.to_owned(), Problem::SecretInClear)]);
        let kept = without_secrets(fields_of(&changed));
        assert!(kept.values().all(|text| !text.contains("hush")), "{field}: a refused form keeps no secret: {kept:?}");
    };
    let choice = |value: &str| ParameterKind::Choice { options: vec![ChoiceOption { value: value.into(), label: text("One") }] };
    refused("base.command", &|offering| offering.base.command[2] = "HF_TOKEN=hush-1 run".into());
    refused("base.command", &|offering| offering.base.command = vec!["serve".into(), "--token".into(), "hush-1".into()]);
    refused("base.git_url", &|offering| offering.base.git_url = Some("https://example.edu/x.git?token=hush-1".into()));
    refused("base.health_path", &|offering| offering.base.health_path = Some("/health?token=hush-1".into()));
    refused("parameters.2.options", &|offering| offering.parameters[2].kind = choice("Password=hush-1"));
    refused("parameters.2.default", &|offering| offering.parameters[2].default = Some("token=hush-1".into()));
    refused("parameters.2.variable", &|offering| {
        offering.parameters[2].kind = choice("hush-1");
        offering.parameters[2].target = Target::Environment("API_TOKEN_CHOICE".into());
    });
    refused("parameters.2.variable", &|offering| offering.parameters[2].target = Target::Environment("GITHUB_PAT".into()));
    let mut moved = offering().base;
    for (name, value) in [("GITHUB_PAT", "x1"), ("AUTH", "Bearer hf_hush12"), ("X", "glpat-abcdefghij1234567890"), ("AUTH_MODE", "none")] {
        moved.environment.insert(name.into(), value.into());
    }
    moved.separate_secrets();
    assert_eq!(moved.secrets.keys().collect::<Vec<_>>(), ["AUTH", "GITHUB_PAT", "X"]);
    assert_eq!(moved.environment.keys().collect::<Vec<_>>(), ["AUTH_MODE", "LESSON"]);
}

#[test]
fn the_editor_shows_no_secret_and_an_empty_field_keeps_the_stored_one() {
    let mut offering = offering();
    let stored = SecretValue::Stored(SecretId::from_uuid(uuid::Uuid::from_u128(7)));
    offering.base.secrets = [("HF_TOKEN".to_owned(), stored.clone()), ("OTHER".to_owned(), stored)].into();
    let mut fields = fields_of(&offering);
    assert_eq!((fields["base.secrets.0.name"].as_str(), fields["base.secrets.0.value"].as_str()), ("HF_TOKEN", ""));
    fields.insert("base.secrets.1.value".into(), " hush ".into());
    fields.insert("base.secrets.2.name".into(), String::new());
    let read = offering_of(&fields, offering.id, 4).expect("good").base.secrets;
    assert_eq!(read["HF_TOKEN"], SecretValue::Kept);
    assert_eq!(read["OTHER"], SecretValue::Typed(Secret::new(" hush ".to_owned())), "a space may be part of it");

    fields.insert("base.secrets.2.value".into(), "nameless".into());
    fields.insert("base.secrets.1.name".into(), "HF_TOKEN".into());
    let error = offering_of(&fields, offering.id, 4).expect_err("no name, and one name twice");
    let named: Vec<_> = problems(&error).into_iter().collect();
    assert_eq!(named, [("base.secrets.1.name".to_owned(), Problem::Taken), ("base.secrets.2.name".to_owned(), Problem::Missing)]);
    let missing = at_rows(&fields, Error::field("base.secrets.HF_TOKEN", Problem::Missing));
    assert_eq!(problems(&missing), [("base.secrets.0.value".to_owned(), Problem::Missing)]);

    fields.insert("base.environment".into(), "LESSON=1\nHF_TOKEN=hush".into());
    let kept = without_secrets(fields);
    assert!(kept.values().all(|text| !text.contains("hush") && !text.contains("nameless")), "{kept:?}");
    assert_eq!(kept["base.environment"], "LESSON=1\nHF_TOKEN=");
    // What was lost is known by field: row 0 keeps its stored value.
    let again: Vec<_> = typed_again(&kept).collect();
    assert_eq!(again, ["base.environment", "base.secrets.1.value", "base.secrets.2.value"]);
    assert!(must_be_typed_again(&kept, "base.secrets.1.value") && !must_be_typed_again(&kept, "base.secrets.0.value"));
    assert_eq!(typed_again(&without_secrets(fields_of(&offering))).count(), 0, "nothing was typed");
}

#[test]
fn a_bad_name_of_a_secret_is_marked_at_that_name_alone() {
    let wrong = |pairs: &[(&str, &str)]| {
        let mut fields = fields_of(&offering());
        fields.extend(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let error = offering_of(&fields, offering().id, 4).expect_err("bad");
        problems(&error).into_iter().map(|(field, _)| field).collect::<Vec<_>>()
    };
    let row = |number: usize, name: &'static str, value: &'static str| {
        [(format!("base.secrets.{number}.name"), name), (format!("base.secrets.{number}.value"), value)]
    };
    let rows = [row(0, "HF_TOKEN", "a"), row(1, "bad-name", "b"), row(2, "OTHER", "c")].concat();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(wrong(&rows), ["base.secrets.1.name"]);
    // A secret of the environment has no row: its line is at fault.
    assert_eq!(wrong(&[("base.environment", "LESSON=1\nmy-password=hush")]), ["base.environment"]);
    // The same name in both places.
    assert_eq!(wrong(&[("base.environment", "LESSON=1"), ("base.secrets.0.name", "LESSON"), ("base.secrets.0.value", "x")]), ["base.secrets.0.name"]);
}

#[test]
fn versions_say_that_a_secret_changed_and_not_to_what() {
    let stored = |number| SecretValue::Stored(SecretId::from_uuid(uuid::Uuid::from_u128(number)));
    let (mut before, mut after) = (offering(), offering());
    before.base.secrets = [("KEPT".to_owned(), stored(1)), ("NEW".to_owned(), stored(2)), ("GONE".to_owned(), stored(3))].into();
    after.base.secrets = [("KEPT".to_owned(), stored(1)), ("NEW".to_owned(), stored(4)), ("ADDED".to_owned(), stored(5))].into();
    let mask = || Some("***".to_owned());
    let change = |name: &str, before, after| FieldChange { field: format!("base.secrets.{name}"), before, after };
    let expected = [change("ADDED", None, mask()), change("GONE", mask(), None), change("NEW", mask(), mask())];
    assert_eq!(changes(&before, &after), expected);
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

#[test]
fn the_editor_takes_both_fields_of_the_labs_own_secret_or_none() {
    let mut offering = offering();
    let mut fields = fields_of(&offering);
    assert_eq!(fields["base.app_access.variable"], "");
    let field = |name: &str| format!("base.app_access.{name}");
    fields.insert(field("variable"), "JUPYTER_TOKEN".into());
    let missing = offering_of(&fields, offering.id, 3).expect_err("no header");
    assert_eq!(problems(&missing), [(field("header"), Problem::Missing)]);
    fields.insert(field("header"), " Authorization: token {secret} ".into());
    let read = offering_of(&fields, offering.id, 3).expect("good");
    let access = AppAccess { variable: "JUPYTER_TOKEN".into(), header: "Authorization: token {secret}".into() };
    assert_eq!(read.base.app_access, Some(access.clone()));
    assert_eq!(without_secrets(fields_of(&read)), fields_of(&read), "nothing of it is a secret");
    // A variable has one source.
    offering.base.app_access = Some(AppAccess { variable: "THEME".into(), ..access });
    assert_eq!(problems(&offering.check().expect_err("a parameter sets it")), [(field("variable"), Problem::Taken)]);
    let fields: Vec<_> = changes(&read, &offering).into_iter().map(|change| change.field).collect();
    assert!(fields.contains(&field("variable")), "{fields:?}");
}
