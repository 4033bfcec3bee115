//! What an offering must be before anybody orders from it: every limit in one place, for the editor, the files and the API.
//! Fields are named as in the document; parameters by their number: `parameters.2.default`.

use std::collections::BTreeSet;

use crate::{
    catalogue::{LabSpec, Localized, Offering, Parameter, ParameterInput, ParameterKind, Target, check_git_url},
    error::{Error, FieldErrors, Problem},
    gpu::Card,
    images::{self, check_image},
    names,
    secret::{SecretValue, has_secret, has_secret_argument, is_secret, is_secret_name},
    texts,
};

/// Symbols of the sprite that mark an offering.
pub const ICONS: [&str; 7] = ["book", "code", "lab", "batch", "ddp", "serve", "screen"];
/// Units of whole numbers, keys of the locale files.
pub const UNITS: [&str; 7] = ["cards", "nodes", "cores", "GiB", "replicas", "retries", "minutes"];
pub const MAX_PARAMETERS: usize = 30;
pub const MAX_SECRETS: usize = 20;

const NAME_MAX: u32 = 80;
const SUMMARY_MAX: u32 = 300;
const TEXT_MAX: u32 = 500;
const SCRIPT_MAX: u32 = 8_000;
/// Long enough for the key file of a service account.
const SECRET_MAX: u32 = 8_000;
/// A month of 30 days.
const LONGEST: u32 = 43_200;
/// Variables that Lectern sets itself, or that would give a lab more than it ordered.
const RESERVED: [&str; 5] = ["LECTERN_LAB", "LECTERN_COURSE", "NVIDIA_VISIBLE_DEVICES", "LD_PRELOAD", "PATH"];

impl Offering {
    /// Errors: [`Error::Invalid`] with every problem at once.
    pub fn check(&self) -> Result<(), Error> {
        let mut errors = FieldErrors::default();
        if !is_slug(&self.slug) {
            errors.push("slug", if self.slug.is_empty() { Problem::Missing } else { Problem::BadFormat { example: "jupyterlab-slice".into() } });
        }
        named(&mut errors, "name", &self.name);
        localized(&mut errors, "summary", &self.summary, SUMMARY_MAX);
        if !ICONS.contains(&self.icon.as_str()) {
            errors.push("icon", one_of(&ICONS));
        }
        if self.base.workload != self.workload {
            errors.push("base.workload", Problem::NotOneOf { choices: vec![self.workload.as_str().into()] });
        }
        spec(&mut errors, &self.base);
        if let Some(access) = &self.base.app_access {
            let set = self.parameters.iter().filter_map(|parameter| match &parameter.target {
                Target::Environment(name) => Some(name.as_str()),
                _ => None,
            });
            access.check(&self.base, set, &mut errors);
        }
        let (min, default, max) = (self.duration.min, self.duration.default, self.duration.max);
        range(&mut errors, "duration.min", min, 5, LONGEST);
        range(&mut errors, "duration.max", max, min, LONGEST);
        range(&mut errors, "duration.default", default, min, max);
        for tenant in self.audience.tenants.iter().filter(|tenant| tenant.len() > 40 || tenant.is_empty()) {
            errors.push(format!("audience.tenants.{tenant}"), Problem::NoSuch);
        }
        self.check_parameters(&mut errors);
        errors.finish()?;
        // With every part good the defaults must still make a lab.
        let open = self.parameters.iter().any(|parameter| parameter.default.is_none() && !parameter.optional);
        if open { Ok(()) } else { self.resolve(&ParameterInput::new()).map(drop) }
    }

    /// The same with its base as the parameters' defaults make it, so that the catalogue shows what an order gets.
    #[must_use]
    pub fn normalised(mut self) -> Self {
        self.base.separate_secrets();
        let environment = std::mem::take(&mut self.base.environment);
        self.base = LabSpec { environment, git_url: self.base.git_url.take(), ..self.defaults() };
        self
    }

    /// What a lab is made of before anything is typed; parameters that must be typed leave the base as it is.
    pub fn defaults(&self) -> LabSpec {
        let typed = self.parameters.iter().filter_map(|parameter| Some((parameter.key.clone(), parameter.default.clone()?)));
        let optional = |parameter: &Parameter| Parameter { optional: true, ..parameter.clone() };
        let lenient = Self { parameters: self.parameters.iter().map(optional).collect(), ..self.clone() };
        lenient.resolve(&typed.collect()).unwrap_or_else(|_| LabSpec { workload: self.workload, ..self.base.clone() })
    }

    fn check_parameters(&self, errors: &mut FieldErrors) {
        if self.parameters.len() > MAX_PARAMETERS {
            errors.push("parameters", Problem::TooLong { max: u32::try_from(MAX_PARAMETERS).unwrap_or(u32::MAX) });
        }
        let (mut keys, mut targets) = (BTreeSet::new(), BTreeSet::new());
        for (number, parameter) in self.parameters.iter().enumerate() {
            let field = |name: &str| format!("parameters.{number}.{name}");
            if !is_key(&parameter.key) {
                errors.push(field("key"), Problem::BadFormat { example: "cpu_cores".into() });
            } else if !keys.insert(parameter.key.as_str()) {
                errors.push(field("key"), Problem::Taken);
            }
            // Two parameters for one thing: the later one would silently win.
            if !targets.insert(format!("{:?}", parameter.target)) {
                errors.push(field("target"), Problem::Taken);
            }
            named(errors, &field("label"), &parameter.label);
            if let Some(help) = &parameter.help {
                localized(errors, &field("help"), help, SUMMARY_MAX);
            }
            if let Target::Environment(name) = &parameter.target
                && !is_variable(name)
            {
                errors.push(field("variable"), Problem::BadFormat { example: "LESSON_NAME".into() });
            }
            if parameter.open_variable().is_some_and(is_secret_name) {
                errors.push(field("variable"), Problem::SecretInClear);
            }
            self.check_kind(errors, number, parameter);
        }
    }

    fn check_kind(&self, errors: &mut FieldErrors, number: usize, parameter: &Parameter) {
        let field = |name: &str| format!("parameters.{number}.{name}");
        let fitting = fitting(&parameter.target);
        if !fitting.contains(&parameter.kind.as_str()) {
            errors.push(field("kind"), one_of(fitting));
            return;
        }
        let before = errors.len();
        match &parameter.kind {
            ParameterKind::Integer { min, max, step, unit } => {
                let (least, most) = self.limits(&parameter.target);
                range(errors, &field("min"), *min, least, most);
                range(errors, &field("max"), *max, *min, most);
                range(errors, &field("step"), *step, 1, most.max(1));
                if !UNITS.contains(&unit.as_str()) {
                    errors.push(field("unit"), one_of(&UNITS));
                }
            }
            ParameterKind::Choice { options } => {
                if options.is_empty() {
                    errors.push(field("options"), Problem::Missing);
                }
                let mut values = BTreeSet::new();
                for option in options {
                    let good = match parameter.target {
                        Target::Card => option.value.parse::<Card>().is_ok(),
                        Target::Image => check_image(&option.value).is_ok(),
                        _ => !option.value.is_empty() && !option.value.contains('|') && !option.value.chars().any(char::is_control),
                    };
                    if !good {
                        let example = if parameter.target == Target::Card { "a100-80g" } else { images::EXAMPLE };
                        errors.push(field("options"), Problem::BadFormat { example: example.into() });
                    } else if matches!(parameter.target, Target::Environment(_)) && has_secret(&option.value) {
                        errors.push(field("options"), Problem::SecretInClear);
                    } else if !values.insert(option.value.as_str()) {
                        errors.push(field("options"), Problem::Taken);
                    }
                    named(errors, &field("options"), &option.label);
                }
            }
            ParameterKind::Text { max_length } => range(errors, &field("max_length"), *max_length, 1, SCRIPT_MAX),
            ParameterKind::GitUrl => {}
        }
        if errors.len() == before
            && let Some(default) = &parameter.default
            && let Err(problem) = parameter.check(default)
        {
            errors.push(field("default"), problem);
        }
    }

    /// Least and most of what a whole number may decide.
    fn limits(&self, target: &Target) -> (u32, u32) {
        match target {
            Target::CardsPerNode => (0, 16),
            Target::Nodes => (1, if self.workload.spreads() { 64 } else { 1 }),
            Target::CpuCores => (1, 256),
            Target::MemoryGib => (1, 4_096),
            Target::StorageGib => (0, 65_536),
            Target::Retries => (0, 10),
            _ => (0, 1_000_000_000),
        }
    }
}

impl ParameterKind {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Integer { .. } => "integer",
            Self::Choice { .. } => "choice",
            Self::Text { .. } => "text",
            Self::GitUrl => "git_url",
        }
    }
}

/// The kinds of parameter that can decide it.
const fn fitting(target: &Target) -> &'static [&'static str] {
    match target {
        Target::Image => &["choice", "text"],
        Target::Card => &["choice"],
        Target::GitUrl => &["git_url"],
        Target::Environment(_) => &["text", "choice", "integer"],
        _ => &["integer"],
    }
}

fn spec(errors: &mut FieldErrors, spec: &LabSpec) {
    if let Err(problem) = check_image(&spec.image) {
        errors.push("base.image", problem);
    }
    if spec.command.len() > 20 || spec.command.iter().any(|argument| argument.len() > SCRIPT_MAX as usize) {
        errors.push("base.command", Problem::TooLong { max: SCRIPT_MAX });
    } else if has_secret_argument(&spec.command) {
        errors.push("base.command", Problem::SecretInClear);
    }
    if let Some(problem) = spec.command.iter().find_map(|argument| texts::check(argument, u32::MAX).err()) {
        errors.push("base.command", problem);
    }
    if let Some(problem) = spec.environment.values().find_map(|value| texts::check(value, u32::MAX).err()) {
        errors.push("base.environment", problem);
    }
    if spec.port == 0 {
        errors.push("base.port", Problem::OutOfRange { min: 1, max: u16::MAX.into() });
    }
    range(errors, "base.cards_per_node", spec.cards_per_node, 0, 16);
    range(errors, "base.nodes", spec.nodes, 1, if spec.workload.spreads() { 64 } else { 1 });
    range(errors, "base.cpu_cores", spec.cpu_cores, 1, 256);
    range(errors, "base.memory_gib", spec.memory_gib, 1, 4_096);
    range(errors, "base.storage_gib", spec.storage_gib, 0, 65_536);
    range(errors, "base.retries", spec.retries, 0, 10);
    if let Some(url) = &spec.git_url {
        let checked = if has_secret(url) { Err(Problem::SecretInClear) } else { check_git_url(url) };
        if let Err(problem) = checked {
            errors.push("base.git_url", problem);
        }
    }
    if let Some(path) = &spec.health_path
        && (!path.starts_with('/') || path.len() > 200 || path.chars().any(|c| !c.is_ascii_graphic()))
    {
        errors.push("base.health_path", Problem::BadFormat { example: "/health".into() });
    } else if spec.health_path.as_deref().is_some_and(has_secret) {
        errors.push("base.health_path", Problem::SecretInClear);
    }
    if spec.environment.iter().any(|(name, value)| !is_variable(name) || value.chars().count() > TEXT_MAX as usize) {
        errors.push("base.environment", Problem::BadFormat { example: "LESSON_NAME=lesson-1".into() });
    }
    if spec.environment.iter().any(|(name, value)| is_secret(name, value)) {
        errors.push("base.environment", Problem::SecretInClear);
    }
    secrets(errors, spec);
}

fn secrets(errors: &mut FieldErrors, spec: &LabSpec) {
    if spec.secrets.len() > MAX_SECRETS {
        errors.push("base.secrets", Problem::TooMany { max: u32::try_from(MAX_SECRETS).unwrap_or(u32::MAX) });
    }
    for (name, value) in &spec.secrets {
        let field = || format!("base.secrets.{name}");
        if !is_variable(name) {
            errors.push(field(), Problem::BadFormat { example: "HF_TOKEN".into() });
        } else if spec.environment.contains_key(name) {
            errors.push(field(), Problem::Taken);
        }
        if let SecretValue::Typed(typed) = value {
            if typed.expose().chars().count() > SECRET_MAX as usize {
                errors.push(field(), Problem::TooLong { max: SECRET_MAX });
            } else if typed.expose().contains('\0') {
                errors.push(field(), Problem::BadFormat { example: "hf_…".into() });
            }
        }
    }
}

fn localized(errors: &mut FieldErrors, field: &str, text: &Localized, max: u32) {
    for (language, text) in [("zh", &text.zh), ("en", &text.en)] {
        if let Err(problem) = texts::check_some(text, max) {
            errors.push(format!("{field}.{language}"), problem);
        }
    }
}

/// The same for a name or a label.
fn named(errors: &mut FieldErrors, field: &str, name: &Localized) {
    for (language, name) in [("zh", &name.zh), ("en", &name.en)] {
        if let Err(problem) = names::check_written(name, NAME_MAX) {
            errors.push(format!("{field}.{language}"), problem);
        }
    }
}

fn range(errors: &mut FieldErrors, field: &str, value: u32, min: u32, max: u32) {
    if !(min..=max.max(min)).contains(&value) {
        errors.push(field, Problem::OutOfRange { min: min.into(), max: max.max(min).into() });
    }
}

fn one_of(choices: &[&str]) -> Problem {
    Problem::NotOneOf { choices: choices.iter().map(|choice| (*choice).to_owned()).collect() }
}

/// Part of URLs; `new` is the page that makes one.
fn is_slug(text: &str) -> bool {
    let signs = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (3..=40).contains(&text.len())
        && text.chars().all(signs)
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && !["new", "preview"].contains(&text)
}

fn is_key(text: &str) -> bool {
    let signs = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (1..=40).contains(&text.len()) && text.chars().all(signs) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

pub(crate) fn is_variable(text: &str) -> bool {
    let signs = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    (1..=60).contains(&text.len()) && text.chars().all(signs) && !text.starts_with(|c: char| c.is_ascii_digit()) && !RESERVED.contains(&text)
}
