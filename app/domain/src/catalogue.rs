//! Offerings and their typed parameters: one set of rules that checks an order form in the browser and on the server.
//! Another kind of parameter is a variant of `ParameterKind`; what a parameter decides is a variant of `Target`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, FieldErrors, Problem},
    gpu::{Card, CardShare},
    ids::OfferingId,
    images::check_image,
    offerings::Audience,
    secret::{SecretValue, is_secret},
};

/// Content that operators write in both languages (interface texts live in the locale files instead).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Localized {
    pub zh: String,
    pub en: String,
}

impl Localized {
    /// The text for a language tag; Chinese for every tag but English ones.
    pub fn get(&self, language: &str) -> &str {
        if language.starts_with("en") { &self.en } else { &self.zh }
    }
}

/// A published version of an offering (B1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offering {
    pub id: OfferingId,
    /// Part of the URL: `jupyterlab-slice`.
    pub slug: String,
    pub version: u32,
    pub name: Localized,
    pub summary: Localized,
    /// Name of a symbol in the icon sprite.
    pub icon: String,
    pub workload: Workload,
    /// Who sees it and may order it.
    #[serde(default, skip_serializing_if = "Audience::is_everyone")]
    pub audience: Audience,
    /// What every lab of this offering gets before the parameters change it.
    pub base: LabSpec,
    /// Minutes: default, least and most.
    pub duration: DurationLimits,
    pub parameters: Vec<Parameter>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DurationLimits {
    pub default: u32,
    pub min: u32,
    pub max: u32,
}

/// How it runs in Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// A StatefulSet of one, opened in a browser; files survive a stop.
    Notebook,
    /// An indexed Job with a headless Service; every node is a rank.
    DistributedJob,
    /// A Deployment of one, opened in a browser.
    CodeEditor,
    /// A Deployment of one that is reached by SSH: its Service listens on port 22.
    Shell,
    /// A Job of one pod that is tried again when it fails; the lab ends with it.
    BatchJob,
    /// A Deployment behind one address; every node is a replica.
    Inference,
}

/// What an offering is for, as the catalogue sorts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Teaching,
    Training,
    Serving,
}

impl Purpose {
    pub const ALL: [Self; 3] = [Self::Teaching, Self::Training, Self::Serving];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Teaching => "teaching",
            Self::Training => "training",
            Self::Serving => "serving",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }
}

impl Workload {
    pub const ALL: [Self; 6] = [Self::Notebook, Self::CodeEditor, Self::Shell, Self::BatchJob, Self::DistributedJob, Self::Inference];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notebook => "notebook",
            Self::DistributedJob => "distributed_job",
            Self::CodeEditor => "code_editor",
            Self::Shell => "shell",
            Self::BatchJob => "batch_job",
            Self::Inference => "inference",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|workload| workload.as_str() == text)
    }
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Notebook | Self::CodeEditor | Self::Shell => Purpose::Teaching,
            Self::BatchJob | Self::DistributedJob => Purpose::Training,
            Self::Inference => Purpose::Serving,
        }
    }
    /// Whether it may have several nodes: ranks or replicas.
    pub const fn spreads(self) -> bool {
        matches!(self, Self::DistributedJob | Self::Inference)
    }
    /// Whether it ends by itself.
    pub const fn ends(self) -> bool {
        matches!(self, Self::DistributedJob | Self::BatchJob)
    }
    /// Whether it is a Deployment in the cluster.
    pub const fn is_deployment(self) -> bool {
        matches!(self, Self::CodeEditor | Self::Shell | Self::Inference)
    }
}

/// What a lab is made of: the offering's base with the order's parameters applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabSpec {
    pub workload: Workload,
    pub image: String,
    /// Empty: the image's own.
    #[serde(default)]
    pub command: Vec<String>,
    /// Port that the lab answers on.
    pub port: u16,
    pub card: Card,
    /// Cards (or slices) for each node.
    pub cards_per_node: u32,
    pub nodes: u32,
    /// Whole cores for each node.
    pub cpu_cores: u32,
    /// GiB for each node.
    pub memory_gib: u32,
    /// GiB of the persistent volume, one for the lab; 0 for none.
    pub storage_gib: u32,
    /// Cloned into the lab at its first start.
    #[serde(default)]
    pub git_url: Option<String>,
    /// Variables that everybody may read. What is secret is refused here and belongs into `secrets`.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Variables whose values are stored encrypted, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretValue>,
    /// How often a batch job is tried again after a failure.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// Path of an HTTP check on `port` that says the lab answers; without one an open port is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_path: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl LabSpec {
    /// Moves variables that are secret by name or value from `environment` to `secrets`, as if they had been typed there.
    pub fn separate_secrets(&mut self) {
        for (name, value) in std::mem::take(&mut self.environment) {
            if is_secret(&name, &value) {
                self.secrets.entry(name).or_insert_with(|| SecretValue::typed(&value));
            } else {
                self.environment.insert(name, value);
            }
        }
    }

    /// All cards of the lab.
    pub const fn cards(&self) -> u32 {
        self.cards_per_node * self.nodes
    }
    /// Whole-card equivalents of the lab (D3).
    pub fn card_share(&self) -> CardShare {
        self.card.share().times(i64::from(self.cards()))
    }
    pub const fn total_cpu_cores(&self) -> u32 {
        self.cpu_cores * self.nodes
    }
    pub const fn total_memory_gib(&self) -> u32 {
        self.memory_gib * self.nodes
    }
}

/// One field of the order form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Field name and key in the API: lower case, `_`.
    pub key: String,
    pub label: Localized,
    #[serde(default)]
    pub help: Option<Localized>,
    pub target: Target,
    pub kind: ParameterKind,
    /// As it would be typed; `None` makes the parameter required unless it is an optional text.
    #[serde(default)]
    pub default: Option<String>,
    #[serde(default)]
    pub optional: bool,
}

/// What a parameter decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Image,
    Card,
    CardsPerNode,
    Nodes,
    CpuCores,
    MemoryGib,
    StorageGib,
    GitUrl,
    Retries,
    /// An environment variable of that name.
    Environment(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ParameterKind {
    Integer {
        min: u32,
        max: u32,
        #[serde(default = "one")]
        step: u32,
        /// `GiB`, `cores`, `cards`, `nodes`: a key of the locale files.
        unit: String,
    },
    Choice {
        options: Vec<ChoiceOption>,
    },
    Text {
        max_length: u32,
    },
    /// An https URL without credentials.
    GitUrl,
}

const fn one() -> u32 {
    1
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceOption {
    pub value: String,
    pub label: Localized,
}

/// Parameters as they come from a form or a JSON body: key to typed text.
pub type ParameterInput = BTreeMap<String, String>;

const GIT_EXAMPLE: &str = "https://git.example.edu/course/lesson-1.git";

impl Offering {
    /// Checks the parameters and the duration and gives what the lab will be made of.
    ///
    /// Errors: [`Error::Invalid`] with one entry per problem, all of them at once; unknown keys are problems too (B2).
    pub fn resolve(&self, input: &ParameterInput) -> Result<LabSpec, Error> {
        let mut errors = FieldErrors::default();
        let mut spec = self.base.clone();
        spec.workload = self.workload;
        for key in input.keys() {
            if !self.parameters.iter().any(|parameter| &parameter.key == key) {
                errors.push(format!("parameters.{key}"), Problem::UnknownField);
            }
        }
        for parameter in &self.parameters {
            let typed = input.get(&parameter.key).map(|text| text.trim()).filter(|text| !text.is_empty());
            let Some(text) = typed.or(parameter.default.as_deref()) else {
                if !parameter.optional {
                    errors.push(format!("parameters.{}", parameter.key), Problem::Missing);
                }
                continue;
            };
            match parameter.check(text) {
                Ok(()) => apply(&mut spec, &parameter.target, text),
                Err(problem) => errors.push(format!("parameters.{}", parameter.key), problem),
            }
        }
        errors.finish()?;
        Ok(spec)
    }

    /// Minutes within the offering's limits.
    pub fn check_duration(&self, minutes: u32) -> Result<u32, Error> {
        let DurationLimits { min, max, .. } = self.duration;
        if (min..=max).contains(&minutes) {
            Ok(minutes)
        } else {
            Err(Error::field("duration_minutes", Problem::OutOfRange { min: min.into(), max: max.into() }))
        }
    }
}

impl Parameter {
    /// The variable that people type a text into: it must not be a secret, since orders keep their parameters in clear. What is chosen
    /// from a list that the catalogue shows is none.
    pub fn typed_variable(&self) -> Option<&str> {
        match (&self.target, &self.kind) {
            (Target::Environment(name), ParameterKind::Text { .. }) => Some(name),
            _ => None,
        }
    }

    /// Whether this text is a value of the parameter.
    pub fn check(&self, text: &str) -> Result<(), Problem> {
        if self.typed_variable().is_some_and(|name| is_secret(name, text)) {
            return Err(Problem::SecretInClear);
        }
        match &self.kind {
            ParameterKind::Integer { min, max, step, .. } => {
                let number: i64 = text.parse().map_err(|_| Problem::NotANumber)?;
                let (min, max, step) = (i64::from(*min), i64::from(*max), i64::from((*step).max(1)));
                if number < min || number > max {
                    Err(Problem::OutOfRange { min, max })
                } else if (number - min) % step != 0 {
                    Err(Problem::OffStep { step })
                } else {
                    Ok(())
                }
            }
            ParameterKind::Choice { options } => {
                if options.iter().any(|option| option.value == text) {
                    Ok(())
                } else {
                    Err(Problem::NotOneOf { choices: options.iter().map(|option| option.value.clone()).collect() })
                }
            }
            ParameterKind::Text { max_length } => {
                if text.chars().count() > *max_length as usize {
                    Err(Problem::TooLong { max: *max_length })
                } else if text.chars().any(char::is_control) {
                    Err(Problem::BadFormat { example: "lesson-1".into() })
                } else if self.target == Target::Image {
                    check_image(text)
                } else {
                    Ok(())
                }
            }
            ParameterKind::GitUrl => check_git_url(text),
        }
    }
}

pub(crate) fn check_git_url(text: &str) -> Result<(), Problem> {
    let bad = || Problem::BadFormat { example: GIT_EXAMPLE.into() };
    if text.len() > 500 {
        return Err(Problem::TooLong { max: 500 });
    }
    let rest = text.strip_prefix("https://").ok_or_else(bad)?;
    let (host, path) = rest.split_once('/').ok_or_else(bad)?;
    let host_ok = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'));
    let path_ok =
        !path.is_empty() && path.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '@' | '"' | '\'' | '`' | '$' | ';' | '\\' | '<' | '>'));
    if host_ok && path_ok { Ok(()) } else { Err(bad()) }
}

/// Writes a checked value into the spec.
pub(crate) fn apply(spec: &mut LabSpec, target: &Target, text: &str) {
    let number = || text.parse::<u32>().unwrap_or_default();
    match target {
        Target::Image => text.clone_into(&mut spec.image),
        Target::Card => {
            if let Ok(card) = text.parse() {
                spec.card = card;
            }
        }
        Target::CardsPerNode => spec.cards_per_node = number(),
        Target::Nodes => spec.nodes = number(),
        Target::CpuCores => spec.cpu_cores = number(),
        Target::MemoryGib => spec.memory_gib = number(),
        Target::StorageGib => spec.storage_gib = number(),
        Target::Retries => spec.retries = number(),
        Target::GitUrl => spec.git_url = Some(text.to_owned()),
        Target::Environment(name) => {
            spec.environment.insert(name.clone(), text.to_owned());
        }
    }
}

/// An offering as the catalogue shows it, with the price of its defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferingCard {
    pub offering: Offering,
    /// Per hour with the default parameters; `None` when the price book lacks a price.
    pub per_hour: Option<crate::money::Money>,
    /// The parts of `per_hour`: the lines of the estimate with the default parameters; empty when a price is lacking.
    pub parts: Vec<crate::pricing::EstimateLine>,
    /// Cards of the default kind free in the cluster now; `None` when the cluster has not reported.
    pub cards_free: Option<u32>,
}

impl OfferingCard {
    /// As one of many: without the parameters, which only its own page and the form show and which are half of what it weighs.
    #[must_use]
    pub fn tile(mut self) -> Self {
        self.offering.parameters = Vec::new();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
