//! What people decide, ask and answer about an order, step by step, and what an approver may change of it (C2, C4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    approvals::Ruling,
    catalogue::{LabSpec, Offering, Parameter, ParameterInput, ParameterKind, Target},
    error::{Error, Problem},
    gpu::Card,
    ids::{DecisionId, OrderId, UserId},
    money::Money,
    orders::Order,
    people::PersonRef,
    pricing::{Estimate, PriceBook},
    quotas::Amounts,
    time::Timestamp,
};

/// Longest reason, question or answer, in characters.
pub const TEXT_MAX: u32 = 500;

/// The kind of a step in the decision on an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Approve,
    /// Approved with changes that cost no more: it stands.
    Change,
    /// Changes that cost more: the requester must agree.
    Propose,
    /// The requester agreed.
    Accept,
    /// The requester declined: the order returns to the approver who proposed.
    Decline,
    /// The approver who proposed, or another one, took the changes back.
    Withdraw,
    Reject,
    Ask,
    Answer,
    /// Nobody decided in time.
    Expire,
    /// The order ended before its lab ran: cancelled by a person, or by a job when there was no more use for it.
    Cancel,
}

impl Step {
    pub const ALL: [Self; 11] = [
        Self::Approve,
        Self::Change,
        Self::Propose,
        Self::Accept,
        Self::Decline,
        Self::Withdraw,
        Self::Reject,
        Self::Ask,
        Self::Answer,
        Self::Expire,
        Self::Cancel,
    ];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Change => "change",
            Self::Propose => "propose",
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Withdraw => "withdraw",
            Self::Reject => "reject",
            Self::Ask => "ask",
            Self::Answer => "answer",
            Self::Expire => "expire",
            Self::Cancel => "cancel",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == text)
    }
}

/// One step, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub id: DecisionId,
    pub order: OrderId,
    /// Number of the stage it belongs to, from 0.
    pub stage: u32,
    /// The role in which an approver acted; `None` for the requester and for time.
    pub role: Option<Role>,
    /// `None` for time.
    pub by: Option<PersonRef>,
    /// The absent approver, if a stand-in acted.
    #[serde(default)]
    pub on_behalf_of: Option<PersonRef>,
    pub at: Timestamp,
    pub step: Step,
    /// Reason, question or answer; may be empty.
    pub text: String,
    pub changes: Vec<Change>,
}

/// One thing that an approver changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub what: Changed,
    pub before: String,
    pub after: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    Card,
    CardsPerNode,
    Nodes,
    CpuCores,
    MemoryGib,
    StorageGib,
    Minutes,
    /// As shown: `¥820.80`.
    Cost,
}

/// The changes as the approver typed them; an empty field keeps the requested value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeForm {
    /// Only parameters that [`changeable`] names.
    #[serde(default)]
    pub parameters: ParameterInput,
    #[serde(default)]
    pub duration_minutes: String,
}

impl ChangeForm {
    pub fn is_empty(&self) -> bool {
        self.duration_minutes.trim().is_empty() && self.parameters.values().all(|text| text.trim().is_empty())
    }
}

/// The parameters of an offering that an approver may change: how much of what hardware. What runs on it is the requester's own affair.
pub fn changeable(offering: &Offering) -> impl Iterator<Item = &Parameter> {
    offering.parameters.iter().filter(|parameter| changed_by(&parameter.target).is_some())
}

const fn changed_by(target: &Target) -> Option<Changed> {
    Some(match target {
        Target::Card => Changed::Card,
        Target::CardsPerNode => Changed::CardsPerNode,
        Target::Nodes => Changed::Nodes,
        Target::CpuCores => Changed::CpuCores,
        Target::MemoryGib => Changed::MemoryGib,
        Target::StorageGib => Changed::StorageGib,
        Target::Image | Target::GitUrl | Target::Retries | Target::Environment(_) => return None,
    })
}

/// An order as it would be with the changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    pub parameters: ParameterInput,
    pub spec: LabSpec,
    pub minutes: u32,
    pub estimate: Estimate,
}

/// Changes that wait for the requester's yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub to: Changes,
    /// What the policy asks for with the changes.
    pub ruling: Ruling,
    pub by: UserId,
    /// The absent approver, if a stand-in proposes.
    #[serde(default)]
    pub on_behalf_of: Option<UserId>,
    pub at: Timestamp,
    /// Why; may be empty.
    pub text: String,
}

impl Changes {
    /// The order with what was typed, by the version of the offering that it was made from.
    ///
    /// Errors: [`Error::Invalid`] per field (`parameters.cards`, `duration_minutes`), [`Error::PriceMissing`].
    pub fn of(order: &Order, offering: &Offering, book: &PriceBook, form: &ChangeForm, now: Timestamp) -> Result<Self, Error> {
        let mut errors = crate::error::FieldErrors::default();
        let mut parameters = order.parameters.clone();
        for (key, text) in form.parameters.iter().filter(|(_, text)| !text.trim().is_empty()) {
            if changeable(offering).any(|parameter| &parameter.key == key) {
                parameters.insert(key.clone(), text.trim().to_owned());
            } else {
                errors.push(format!("parameters.{key}"), Problem::UnknownField);
            }
        }
        let typed = form.duration_minutes.trim();
        let minutes = match typed.parse::<u32>() {
            _ if typed.is_empty() => Some(order.minutes),
            Ok(minutes) => errors.take(offering.check_duration(minutes))?,
            Err(_) => {
                errors.push("duration_minutes", Problem::NotANumber);
                None
            }
        };
        let spec = errors.take(offering.resolve(&parameters))?;
        errors.finish()?;
        let (Some(spec), Some(minutes)) = (spec, minutes) else { return Err(Error::Invalid(Vec::new())) };
        let estimate = book.estimate(&spec, minutes, order.span(now).from)?;
        Ok(Self { parameters, spec, minutes, estimate })
    }

    /// The quota that the changed order takes while its lab runs.
    pub fn amounts(&self) -> Amounts {
        Amounts::running(&self.spec)
    }

    /// Whether the requester must agree first.
    pub fn costs_more(&self, order: &Order) -> bool {
        self.estimate.total.micros > order.estimate.total.micros
    }

    /// The differences, with the cost last; empty if there are none.
    pub fn list(&self, order: &Order) -> Vec<Change> {
        let (before, after) = (&order.spec, &self.spec);
        let pairs = [
            (Changed::Card, before.card.id().to_owned(), after.card.id().to_owned()),
            (Changed::CardsPerNode, before.cards_per_node.to_string(), after.cards_per_node.to_string()),
            (Changed::Nodes, before.nodes.to_string(), after.nodes.to_string()),
            (Changed::CpuCores, before.cpu_cores.to_string(), after.cpu_cores.to_string()),
            (Changed::MemoryGib, before.memory_gib.to_string(), after.memory_gib.to_string()),
            (Changed::StorageGib, before.storage_gib.to_string(), after.storage_gib.to_string()),
            (Changed::Minutes, order.minutes.to_string(), self.minutes.to_string()),
        ];
        let mut list: Vec<_> =
            pairs.into_iter().filter(|(_, before, after)| before != after).map(|(what, before, after)| Change { what, before, after }).collect();
        if !list.is_empty() {
            let shown = |money: Money| money.to_string();
            list.push(Change { what: Changed::Cost, before: shown(order.estimate.total), after: shown(self.estimate.total) });
        }
        list
    }

    /// The order with the changes in it.
    #[must_use]
    pub fn applied(self, mut order: Order) -> Order {
        let Self { parameters, spec, minutes, estimate } = self;
        order.parameters = parameters;
        order.spec = spec;
        order.minutes = minutes;
        order.estimate = estimate;
        order
    }
}

/// A cheaper way to meet the same request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cheaper {
    /// What to type into the changes to get it.
    pub parameters: ParameterInput,
    pub card: Card,
    pub cards: u32,
    pub total: Money,
    pub saves: Money,
    /// Whole percent of the asked total, rounded down.
    pub percent: u32,
}

/// The cheapest of what the offering allows that still meets what was asked: as much memory on each card, and together as much compute by
/// the makers' figures ([`crate::gpu::figures`]). A notebook keeps its total memory as well, since one model may be spread over its cards;
/// the processes of a distributed job each hold all of it. Cards of another maker need another image and are left out.
///
/// `there`: whether the cluster has such cards; what nobody has would queue for ever.
///
/// `None` when nothing allowed is cheaper.
pub fn cheaper(order: &Order, offering: &Offering, book: &PriceBook, there: impl Fn(Card) -> bool, now: Timestamp) -> Option<Cheaper> {
    let card = offering.parameters.iter().find(|parameter| parameter.target == Target::Card);
    let cards = match card.map(|parameter| (&parameter.key, &parameter.kind)) {
        Some((key, ParameterKind::Choice { options })) => options.iter().filter_map(|option| Some((Some(key), option.value.parse().ok()?))).collect(),
        _ => vec![(None, order.spec.card)],
    };
    let counted = offering.parameters.iter().find(|parameter| matches!(parameter.target, Target::CardsPerNode | Target::Nodes));
    let counts: Vec<(Option<&String>, u32)> = match counted.map(|parameter| (&parameter.key, &parameter.kind)) {
        Some((key, ParameterKind::Integer { min, max, step, .. })) => {
            (*min..=*max).step_by((*step).max(1) as usize).take(256).map(|count| (Some(key), count)).collect()
        }
        _ => vec![(None, 0)],
    };
    let mut best: Option<(Changes, ParameterInput)> = None;
    for (card_key, card) in cards.into_iter().filter(|(_, card)| there(*card)) {
        for (count_key, count) in &counts {
            let mut typed = BTreeMap::new();
            typed.extend(card_key.map(|key: &String| (key.clone(), Card::id(card).to_owned())));
            typed.extend(count_key.map(|key| (key.clone(), count.to_string())));
            let form = ChangeForm { parameters: typed, duration_minutes: String::new() };
            let Ok(changes) = Changes::of(order, offering, book, &form, now) else { continue };
            let limit = best.as_ref().map_or(order.estimate.total.micros, |(best, _)| best.estimate.total.micros);
            if changes.estimate.total.micros < limit && meets(&changes.spec, &order.spec) {
                best = Some((changes, form.parameters));
            }
        }
    }
    let (changes, parameters) = best?;
    let (asked, total) = (order.estimate.total, changes.estimate.total);
    let saves = asked.minus(total);
    let percent = u32::try_from(i128::from(saves.micros) * 100 / i128::from(asked.micros.max(1))).unwrap_or_default();
    Some(Cheaper { parameters, card: changes.spec.card, cards: changes.spec.cards(), total, saves, percent })
}

/// Whether `other` does all that `asked` does, by the cards alone.
fn meets(other: &LabSpec, asked: &LabSpec) -> bool {
    let (this, that) = (other.card.kind(), asked.card.kind());
    let compute = |spec: &LabSpec| u64::from(crate::gpu::figures(spec.card).tensor_gflops) * u64::from(spec.cards());
    let memory = |spec: &LabSpec| u64::from(spec.card.kind().memory_gb) * u64::from(spec.cards());
    let spread = asked.workload == crate::catalogue::Workload::Notebook;
    this.vendor == that.vendor && this.memory_gb >= that.memory_gb && compute(other) >= compute(asked) && (!spread || memory(other) >= memory(asked))
}

/// Most orders of one bulk decision.
pub const BULK_MAX: u32 = 50;

/// The result for one order of a bulk decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkRow {
    pub order: OrderId,
    /// `None` for an order that the caller may not know of.
    pub number: Option<i64>,
    /// Its state afterwards; still pending when another stage waits. `None` when it was refused.
    pub state: Option<crate::orders::OrderState>,
    /// When its lab comes up; `None` for at once, or when it was refused.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// Why nothing was done.
    pub error: Option<Error>,
}

/// What many decisions would mean together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkSummary {
    /// Those that the caller may decide now.
    pub orders: Vec<crate::orders::OrderView>,
    /// `None` when there are none.
    pub total: Option<Money>,
    /// Whole-card equivalents.
    pub cards: crate::gpu::CardShare,
}

#[cfg(test)]
mod tests;
