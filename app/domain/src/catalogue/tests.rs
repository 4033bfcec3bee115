use std::collections::BTreeMap;

use super::{parameter::GIT_EXAMPLE, *};

fn offering() -> Offering {
    let text = |text: &str| Localized { zh: text.into(), en: text.into() };
    Offering {
        id: OfferingId::from_uuid(uuid::Uuid::from_u128(1)),
        slug: "jupyterlab".into(),
        version: 1,
        name: text("JupyterLab"),
        summary: text("A notebook"),
        icon: "notebook".into(),
        workload: Workload::Notebook,
        audience: Audience::default(),
        base: LabSpec {
            workload: Workload::Notebook,
            image: "jupyter/base".into(),
            command: vec![],
            port: 8888,
            card: "a100-80g".parse().expect("a card"),
            cards_per_node: 1,
            nodes: 1,
            cpu_cores: 8,
            memory_gib: 32,
            storage_gib: 20,
            git_url: None,
            environment: BTreeMap::new(),
            secrets: BTreeMap::new(),
            retries: 0,
            health_path: None,
            app_access: None,
        },
        duration: DurationLimits { default: 90, min: 30, max: 600 },
        parameters: vec![
            Parameter {
                key: "cards".into(),
                label: text("Cards"),
                help: None,
                target: Target::CardsPerNode,
                kind: ParameterKind::Integer { min: 1, max: 8, step: 1, unit: "cards".into() },
                default: Some("2".into()),
                optional: false,
            },
            Parameter {
                key: "git_url".into(),
                label: text("Code"),
                help: None,
                target: Target::GitUrl,
                kind: ParameterKind::GitUrl,
                default: None,
                optional: true,
            },
        ],
    }
}

fn input(pairs: &[(&str, &str)]) -> ParameterInput {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn defaults_fill_what_was_not_typed() {
    let spec = offering().resolve(&input(&[("cards", " ")])).expect("good input");
    assert_eq!((spec.cards(), spec.git_url), (2, None));
}

#[test]
fn every_problem_is_named_at_once() {
    let error = offering().resolve(&input(&[("cards", "9"), ("git_url", "file:///etc/passwd"), ("colour", "red")])).expect_err("bad input");
    let Error::Invalid(problems) = error else { panic!("{error:?}") };
    let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["parameters.colour", "parameters.cards", "parameters.git_url"]);
    assert_eq!(problems[1].problem, Problem::OutOfRange { min: 1, max: 8 });
}

#[test]
fn an_image_that_no_runtime_pulls_is_refused_when_it_is_ordered_and_offered() {
    let mut offering = offering();
    let text = |text: &str| Localized { zh: text.into(), en: text.into() };
    let kind = ParameterKind::Text { max_length: 100 };
    let image = Parameter { key: "image".into(), label: text("Image"), help: None, target: Target::Image, kind, default: None, optional: true };
    offering.parameters.push(image);
    offering.icon = "book".into();
    assert_eq!(offering.check(), Ok(()));
    let typed = |image: &str| offering.resolve(&input(&[("image", image)]));
    assert_eq!(typed("docker.io/library/python:3.12").map(|spec| spec.image), Ok("docker.io/library/python:3.12".into()));
    let bad = Problem::BadFormat { example: crate::images::EXAMPLE.into() };
    for image in ["-x", "file:///etc/passwd", "x y", "python:latest;id"] {
        assert_eq!(typed(image), Err(Error::field("parameters.image", bad.clone())), "{image}");
        let mut offered = offering.clone();
        offered.parameters[2].default = Some(image.into());
        assert_eq!(offered.check(), Err(Error::field("parameters.2.default", bad.clone())), "{image}");
        let base = LabSpec { image: image.into(), ..offering.base.clone() };
        assert_eq!(Offering { base, ..offering.clone() }.check(), Err(Error::field("base.image", bad.clone())), "{image}");
    }
}

#[test]
fn a_git_url_with_credentials_or_shell_signs_is_refused() {
    for bad in ["https://user:pass@host/x", "https://host/$(id)", "http://host/x", "https:///x", "https://host"] {
        assert!(check_git_url(bad).is_err(), "{bad}");
    }
    assert_eq!(check_git_url(GIT_EXAMPLE), Ok(()));
}

#[test]
fn a_secret_is_not_typed_into_an_order_and_an_offering_from_before_goes_on() {
    let url = "https://git.example.edu/course.git?private_token=abc12345";
    let mut offering = offering();
    let refused = Error::field("parameters.git_url", Problem::SecretInClear);
    assert_eq!(offering.resolve(&input(&[("git_url", url)])), Err(refused));
    offering.parameters[1].default = Some(url.into());
    assert_eq!(offering.resolve(&input(&[])).map(|spec| spec.git_url), Ok(Some(url.into())), "its default was read by everybody already");
    assert_eq!(offering.resolve(&input(&[("git_url", url)])).map(|spec| spec.git_url), Ok(Some(url.into())), "as the form sends it");
    offering.icon = "book".into();
    assert_eq!(offering.check(), Err(Error::field("parameters.1.default", Problem::SecretInClear)), "a new version is held to the rule");
}
