//! Another size for a lab: share or number of cards, cores, memory, storage, within what the offering lets one choose.
//! Page, API and use case decide by the same function.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Lab, extend::ChangeBasis};
use crate::{
    access::Role,
    approvals::{Policy, Ruling},
    capacity::Pool,
    catalogue::{LabSpec, Offering, Parameter, ParameterInput, ParameterKind, Target},
    error::{Error, FieldErrors, Problem},
    gpu::Card,
    ids::OrderId,
    money::Money,
    pricing::PriceBook,
    quotas::{Amounts, QuotaStatus},
    time::Timestamp,
};

/// The effect of a change of size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resized {
    pub spec: LabSpec,
    pub per_hour_before: Money,
    pub per_hour_after: Money,
    /// The additional cost of the rest of the ordered time; negative if it costs less.
    pub difference: Money,
    /// The additional quota that it takes, item by item.
    pub more: Amounts,
}

/// All that the form needs to compute a [`Resized`] in the browser as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResizeContext {
    pub lab: Lab,
    pub offering: Offering,
    pub book: PriceBook,
    /// GiB of the lab's volume in the cluster, as last reported.
    pub volume_gib: Option<u32>,
    /// `None` for a reader who may not know how the course's quota stands.
    #[serde(default)]
    pub rules: Option<ResizeRules>,
    /// The order that waits for approval to change the lab: a second one cannot be filed.
    #[serde(default)]
    pub pending_change: Option<OrderId>,
    /// Cards that labs can use now, by kind; a kind that the cluster never reported is not there.
    #[serde(default)]
    pub free: Vec<FreeCards>,
    pub now: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeCards {
    pub card: Card,
    pub free: u32,
}

impl From<&Pool> for FreeCards {
    fn from(pool: &Pool) -> Self {
        Self { card: pool.card, free: pool.free() }
    }
}

/// Cards that a change of size takes or gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardChange {
    /// It has as many as it needs.
    None,
    /// It needs so many more; `None` free where that is not known.
    More {
        asked: u32,
        free: Option<u32>,
    },
    /// The same, but at its next start: it holds none now.
    AtStart {
        asked: u32,
        free: Option<u32>,
    },
    Fewer(u32),
}

/// By what it is decided whether a change of size needs approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResizeRules {
    pub policy: Policy,
    pub quota: QuotaStatus,
    pub requester: BTreeSet<Role>,
    /// Stages that the reader decides, so that nobody else has to.
    pub decides: BTreeSet<Role>,
}

impl ResizeContext {
    pub fn preview(&self, input: &ParameterInput) -> Result<Resized, Error> {
        resized(&self.lab, &self.offering, input, self.volume_gib, &self.book, self.now)
    }

    /// The cards of the change, and how many of them are free.
    pub fn cards(&self, wanted: &Resized) -> CardChange {
        let (old, new) = (&self.lab.spec, &wanted.spec);
        let free = self.free.iter().find(|free| free.card == new.card).map(|free| free.free);
        let asked = new.cards();
        if !self.lab.reserved {
            return if asked == 0 { CardChange::None } else { CardChange::AtStart { asked, free } };
        }
        let held = if old.card == new.card { old.cards() } else { 0 };
        match asked.checked_sub(held) {
            Some(0) => CardChange::None,
            Some(asked) => CardChange::More { asked, free },
            None => CardChange::Fewer(held - asked),
        }
    }

    /// What the change must wait for, as far as it is known before it is asked for.
    pub fn waits_for(&self, wanted: &Resized) -> Option<Ruling> {
        let ResizeRules { policy, quota, requester, decides } = self.rules.as_ref().filter(|_| wanted.spec != self.lab.spec)?;
        let on = ChangeBasis { book: &self.book, policy, quota, requester, now: self.now };
        on.ruling(&self.lab, &wanted.spec, self.lab.minutes).ok()?.waits_for_others(decides)
    }
}

impl Target {
    /// Whether it decides about the size of a lab, which may be changed later.
    pub const fn is_size(&self) -> bool {
        matches!(self, Self::Card | Self::CardsPerNode | Self::CpuCores | Self::MemoryGib | Self::StorageGib)
    }

    /// What the spec has now, as it would be typed.
    pub fn value(&self, spec: &LabSpec) -> Option<String> {
        Some(match self {
            Self::Image => spec.image.clone(),
            Self::Card => spec.card.id().to_owned(),
            Self::CardsPerNode => spec.cards_per_node.to_string(),
            Self::Nodes => spec.nodes.to_string(),
            Self::CpuCores => spec.cpu_cores.to_string(),
            Self::MemoryGib => spec.memory_gib.to_string(),
            Self::StorageGib => spec.storage_gib.to_string(),
            Self::Retries => spec.retries.to_string(),
            Self::GitUrl => spec.git_url.clone()?,
            Self::Environment(name) => spec.environment.get(name)?.clone(),
        })
    }
}

/// The parameters of the offering that decide about size.
pub fn size_parameters(offering: &Offering) -> impl Iterator<Item = &Parameter> {
    offering.parameters.iter().filter(|parameter| parameter.target.is_size())
}

/// What the lab has now, by parameter.
pub fn size_values(offering: &Offering, spec: &LabSpec) -> ParameterInput {
    size_parameters(offering).filter_map(|parameter| Some((parameter.key.clone(), parameter.target.value(spec)?))).collect()
}

/// What a request that waited still adds: a parameter that others have changed since it was filed is only raised. `seen`: what the lab had
/// then.
pub fn still_asked(spec: &LabSpec, offering: &Offering, asked: &ParameterInput, seen: &ParameterInput) -> ParameterInput {
    let current = size_values(offering, spec);
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let adds = |key: &str, wanted: &str| match (current.get(key), seen.get(key)) {
        (Some(current), Some(seen)) if current != seen => number(wanted) > number(current),
        _ => true,
    };
    asked.iter().filter(|(key, wanted)| adds(key, wanted)).map(|(key, wanted)| (key.clone(), wanted.clone())).collect()
}

/// What the lab would be. What is not typed stays as it is, and only what changes must fit the offering of today.
///
/// `volume_gib`: GiB of the volume in the cluster. If the volume did not grow as ordered, the lab may go back to that size.
///
/// Errors: `Invalid` per field: unknown parameters, values that the offering does not allow, another model of card, less storage than
/// there is; `PriceMissing`.
pub fn resized(
    lab: &Lab,
    offering: &Offering,
    input: &ParameterInput,
    volume_gib: Option<u32>,
    book: &PriceBook,
    now: Timestamp,
) -> Result<Resized, Error> {
    let spec = new_spec(&lab.spec, offering, input, volume_gib)?;
    let before = book.estimate(&lab.spec, lab.minutes_left(now), now)?;
    let after = book.estimate(&spec, lab.minutes_left(now), now)?;
    Ok(Resized {
        more: more(&lab.spec, &spec),
        per_hour_before: before.per_hour,
        per_hour_after: after.per_hour,
        difference: after.total.minus(before.total),
        spec,
    })
}

/// The smallest storage that the lab can have: volumes never shrink.
fn least_storage(old: &LabSpec, volume_gib: Option<u32>) -> u32 {
    volume_gib.map_or(old.storage_gib, |there| there.min(old.storage_gib))
}

/// Checks that the text is a storage size for this parameter. The range in the error is the range for this lab.
fn check_storage(parameter: &Parameter, text: &str, least: u32) -> Result<(), Problem> {
    let most = match &parameter.kind {
        ParameterKind::Integer { max, .. } => *max,
        ParameterKind::Choice { options } => options.iter().filter_map(|option| option.value.parse().ok()).max().unwrap_or(least),
        _ => u32::MAX,
    };
    match text.parse::<u32>() {
        // The current size is always valid, even if the offering no longer allows it.
        Ok(gib) if gib == least => return Ok(()),
        Ok(gib) if gib < least => return Err(Problem::OutOfRange { min: least.into(), max: most.max(least).into() }),
        _ => {}
    }
    parameter.check(text).map_err(|problem| match problem {
        Problem::OutOfRange { min, max } => Problem::OutOfRange { min: min.max(least.into()), max: max.max(least.into()) },
        other => other,
    })
}

fn new_spec(old: &LabSpec, offering: &Offering, input: &ParameterInput, volume_gib: Option<u32>) -> Result<LabSpec, Error> {
    let known: BTreeMap<_, _> = size_parameters(offering).map(|parameter| (parameter.key.as_str(), parameter)).collect();
    let mut errors = FieldErrors::default();
    let mut spec = old.clone();
    for (key, text) in input {
        let field = || format!("parameters.{key}");
        let text = text.trim();
        let Some(parameter) = known.get(key.as_str()) else {
            errors.push(field(), Problem::UnknownField);
            continue;
        };
        if text.is_empty() || parameter.target.value(old).as_deref() == Some(text) {
            continue;
        }
        let checked = match parameter.target {
            Target::StorageGib => check_storage(parameter, text, least_storage(old, volume_gib)),
            _ => parameter.check(text),
        };
        if let Err(problem) = checked {
            errors.push(field(), problem);
            continue;
        }
        crate::catalogue::apply(&mut spec, &parameter.target, text);
        if spec.card.kind().model != old.card.kind().model {
            let same = |id: &str| id.parse::<crate::gpu::Card>().is_ok_and(|card| card.kind().model == old.card.kind().model);
            errors.push(
                field(),
                Problem::NotOneOf { choices: crate::gpu::Card::all().map(|card| card.id().to_owned()).filter(|id| same(id)).collect() },
            );
            spec.card = old.card;
        }
    }
    errors.finish()?;
    // A lab without a volume cannot be given one under the files that it has.
    if old.storage_gib == 0 && spec.storage_gib > 0 {
        return Err(Error::field(storage_field(offering), Problem::OutOfRange { min: 0, max: 0 }));
    }
    Ok(spec)
}

/// The form's field for storage.
pub fn storage_field(offering: &Offering) -> String {
    let key = size_parameters(offering).find(|parameter| parameter.target == Target::StorageGib).map_or("storage_gib", |parameter| &parameter.key);
    format!("parameters.{key}")
}

/// Item by item, what the new size takes in addition; below zero where it takes less. Not another lab.
fn more(old: &LabSpec, new: &LabSpec) -> Amounts {
    let (old, new) = (Amounts::running(old), Amounts::running(new));
    Amounts {
        cards: new.cards.minus(old.cards),
        cpu_cores: new.cpu_cores - old.cpu_cores,
        memory_gib: new.memory_gib - old.memory_gib,
        storage_gib: new.storage_gib - old.storage_gib,
        running_labs: 0,
    }
}
