//! Offerings and their typed parameters: one set of rules that checks an order form in the browser and on the server.

mod app_access;
mod lab_spec;
mod parameter;
#[cfg(test)]
mod tests;
mod workload;

use serde::{Deserialize, Serialize};

pub(crate) use self::parameter::{apply, check_git_url};
pub use self::{
    app_access::{AppAccess, HEADER_EXAMPLE, VARIABLE_EXAMPLE},
    lab_spec::LabSpec,
    parameter::{ChoiceOption, Parameter, ParameterInput, ParameterKind, Target},
    workload::{Entrance, Purpose, Workload},
};
use crate::{
    error::{Error, FieldErrors, Problem},
    ids::OfferingId,
    offerings::Audience,
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
    /// The specification of its labs before parameters are applied.
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
            // The default of an offering from before the rule for secrets: everybody reads it in the catalogue anyway.
            let is_default = parameter.default.as_deref() == Some(text);
            let checked = if is_default { parameter.check_form(text) } else { parameter.check(text) };
            match checked {
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
