//! The typed parameters of an offering: one field of the order form each. Another kind of parameter is a variant of [`ParameterKind`];
//! what a parameter decides is a variant of [`Target`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{LabSpec, Localized};
use crate::{
    error::Problem,
    images::check_image,
    secret::{has_secret, is_known_secret},
};

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

/// The property of a lab that a parameter sets.
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

pub(super) const GIT_EXAMPLE: &str = "https://git.example.edu/course/lesson-1.git";

impl Parameter {
    /// The variable that people type a text into: it must not be a secret, since orders keep their parameters in clear.
    pub fn typed_variable(&self) -> Option<&str> {
        match (&self.target, &self.kind) {
            (Target::Environment(name), ParameterKind::Text { .. }) => Some(name),
            _ => None,
        }
    }

    /// The variable whose values everybody may read, typed or chosen from a list.
    pub(crate) fn open_variable(&self) -> Option<&str> {
        match (&self.target, &self.kind) {
            (Target::Environment(name), ParameterKind::Text { .. } | ParameterKind::Choice { .. }) => Some(name),
            _ => None,
        }
    }

    /// Whether this text is a value of the parameter and no secret.
    pub fn check(&self, text: &str) -> Result<(), Problem> {
        let is_secret = match self.typed_variable() {
            Some(name) => is_known_secret(name, text),
            None => self.kind == ParameterKind::GitUrl && has_secret(text),
        };
        if is_secret { Err(Problem::SecretInClear) } else { self.check_form(text) }
    }

    /// Whether this text is a value of the parameter.
    pub(super) fn check_form(&self, text: &str) -> Result<(), Problem> {
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
