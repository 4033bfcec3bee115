//! Quotas and budgets of courses (D2, D3, D4): limits, amounts used and held, and by how much an order exceeds them.

mod ahead;
mod forms;

use serde::{Deserialize, Serialize};

pub use self::{
    ahead::{Booking, Ending},
    forms::{BudgetForm, QuotaForm, cards, whole, whole_units},
};
use crate::{catalogue::LabSpec, error::Error, gpu::CardShare, ids::CourseId, money::Money, time::Timestamp};

/// Amounts of everything a quota limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// Whole-card equivalents.
    pub cards: CardShare,
    pub cpu_cores: i64,
    pub memory_gib: i64,
    pub storage_gib: i64,
    /// Labs that run or are about to.
    pub running_labs: i64,
}

impl Amounts {
    /// What a lab of this spec takes while it runs.
    pub fn running(spec: &LabSpec) -> Self {
        Self {
            cards: spec.card_share(),
            cpu_cores: spec.total_cpu_cores().into(),
            memory_gib: spec.total_memory_gib().into(),
            storage_gib: spec.storage_gib.into(),
            running_labs: 1,
        }
    }
    /// What it keeps while it is stopped: its volume.
    pub fn stopped(spec: &LabSpec) -> Self {
        Self { storage_gib: spec.storage_gib.into(), ..Self::default() }
    }
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            cards: self.cards.plus(other.cards),
            cpu_cores: self.cpu_cores.saturating_add(other.cpu_cores),
            memory_gib: self.memory_gib.saturating_add(other.memory_gib),
            storage_gib: self.storage_gib.saturating_add(other.storage_gib),
            running_labs: self.running_labs.saturating_add(other.running_labs),
        }
    }
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            cards: self.cards.minus(other.cards),
            cpu_cores: self.cpu_cores.saturating_sub(other.cpu_cores),
            memory_gib: self.memory_gib.saturating_sub(other.memory_gib),
            storage_gib: self.storage_gib.saturating_sub(other.storage_gib),
            running_labs: self.running_labs.saturating_sub(other.running_labs),
        }
    }
    pub fn get(&self, item: Item) -> i64 {
        match item {
            Item::Cards => self.cards.parts(),
            Item::CpuCores => self.cpu_cores,
            Item::MemoryGib => self.memory_gib,
            Item::StorageGib => self.storage_gib,
            Item::RunningLabs => self.running_labs,
        }
    }
}

/// One limited thing. `Cards` counts in 1/840ths of a card (see [`CardShare`]), the others in whole units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    Cards,
    CpuCores,
    MemoryGib,
    StorageGib,
    RunningLabs,
}

impl Item {
    pub const ALL: [Self; 5] = [Self::Cards, Self::CpuCores, Self::MemoryGib, Self::StorageGib, Self::RunningLabs];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cards => "cards",
            Self::CpuCores => "cpu_cores",
            Self::MemoryGib => "memory_gib",
            Self::StorageGib => "storage_gib",
            Self::RunningLabs => "running_labs",
        }
    }
    /// The amount as people write it: cards as `2` or `1/7`, the rest as they are.
    pub fn show(self, amount: i64) -> String {
        match self {
            Self::Cards => CardShare::from_parts(amount).to_string(),
            _ => amount.to_string(),
        }
    }
}

/// By how much one item is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortfall {
    pub item: Item,
    pub limit: i64,
    /// Used and held before this order.
    pub in_use: i64,
    pub asked: i64,
    /// `in_use + asked - limit`; always above zero.
    pub over: i64,
}

/// A course's limits with what is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaStatus {
    pub course: CourseId,
    pub limits: Amounts,
    /// By labs that exist.
    pub used: Amounts,
    /// By orders that wait for a decision or a card.
    pub held: Amounts,
    pub budget: BudgetStatus,
    /// Whole-card equivalents started today on campus time (D3).
    pub started_today: CardShare,
    pub starts_per_day: CardShare,
    pub cards_per_order: CardShare,
    /// Orders for lessons that are to come, by time; what is due is in `held` as well.
    #[serde(default)]
    pub booked: Vec<Booking>,
    /// Labs by their planned end; only where lessons are ordered.
    #[serde(default)]
    pub ends: Vec<Ending>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetStatus {
    pub limit: Money,
    /// Term and thresholds.
    pub terms: BudgetTerms,
    /// Metered so far, in the term, with credits and charges; below zero where more was credited.
    pub spent: Money,
    /// The rest of what live orders were estimated at.
    pub held: Money,
}

/// What happens when a part of the budget is spent or held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetAction {
    /// Tells teachers and managers, once.
    Notify,
    /// Orders beyond it need an approval, whatever the policy says.
    Approve,
    /// Orders beyond it are refused.
    Block,
}

impl BudgetAction {
    pub const ALL: [Self; 3] = [Self::Notify, Self::Approve, Self::Block];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::Approve => "approve",
            Self::Block => "block",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Threshold {
    /// Of the amount, 1 to 200.
    pub percent: u32,
    pub action: BudgetAction,
}

/// For when a budget is, and what happens at which part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetTerms {
    /// Counts what is used from here; `None` from the beginning.
    pub from: Option<Timestamp>,
    /// Grants nothing from here on; `None` has no end.
    pub to: Option<Timestamp>,
    pub thresholds: Vec<Threshold>,
}

impl Default for BudgetTerms {
    /// No term, and the last yuan is the last.
    fn default() -> Self {
        Self { from: None, to: None, thresholds: vec![Threshold { percent: 100, action: BudgetAction::Block }] }
    }
}

impl BudgetTerms {
    pub fn lowest(&self, action: BudgetAction) -> Option<u32> {
        self.thresholds.iter().filter(|each| each.action == action).map(|each| each.percent).min()
    }
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.to.is_none_or(|to| now < to)
    }
    /// The thresholds of these actions stay as they are in `before`.
    #[must_use]
    pub fn keeping(mut self, actions: &[BudgetAction], before: &Self) -> Self {
        self.thresholds.retain(|each| !actions.contains(&each.action));
        self.thresholds.extend(before.thresholds.iter().filter(|each| actions.contains(&each.action)));
        self.thresholds.sort_unstable();
        self
    }
}

impl BudgetStatus {
    /// So much of the amount.
    pub fn share(&self, percent: u32) -> Money {
        let micros = i128::from(self.limit.micros) * i128::from(percent) / 100;
        Money::new(i64::try_from(micros).unwrap_or(i64::MAX), self.limit.currency)
    }
    /// Percentages whose people are to be told.
    pub fn reached(&self) -> Vec<u32> {
        let taken = self.spent.plus(self.held).micros;
        let notify = self.terms.thresholds.iter().filter(|each| each.action == BudgetAction::Notify);
        notify.map(|each| each.percent).filter(|percent| taken > 0 && taken >= self.share(*percent).micros).collect()
    }
    pub fn left(&self) -> Money {
        self.limit.minus(self.spent).minus(self.held)
    }
}

impl QuotaStatus {
    pub fn in_use(&self) -> Amounts {
        self.used.plus(self.held)
    }

    /// Adds an order that was decided a moment ago and is in no sum yet. `starts`: at once, so that its cards count for the day.
    pub fn hold(&mut self, asked: Amounts, total: Money, starts: bool) {
        self.held = self.held.plus(asked);
        self.budget.held = self.budget.held.plus(total);
        if starts {
            self.started_today = self.started_today.plus(asked.cards);
        }
    }

    /// Whether `asked` fits. Errors: [`Error::OverQuota`] with every item that is over.
    pub fn check_amounts(&self, asked: &Amounts) -> Result<(), Error> {
        let in_use = self.in_use();
        let short: Vec<_> = Item::ALL
            .into_iter()
            .filter_map(|item| {
                let (limit, in_use, asked) = (self.limits.get(item), in_use.get(item), asked.get(item));
                let over = in_use.saturating_add(asked).saturating_sub(limit);
                (asked > 0 && over > 0).then_some(Shortfall { item, limit, in_use, asked, over })
            })
            .collect();
        if short.is_empty() { Ok(()) } else { Err(Error::OverQuota(short)) }
    }

    /// Whether the budget bears `asked` at `now`. Without a threshold that blocks it bears anything; outside of its term nothing.
    ///
    /// Errors: [`Error::OverBudget`].
    pub fn check_budget(&self, asked: Money, now: Timestamp) -> Result<(), Error> {
        let Some(percent) = self.budget.terms.lowest(BudgetAction::Block) else { return Ok(()) };
        let bearable = if self.budget.terms.holds_at(now) { self.budget.share(percent) } else { Money::zero(self.budget.limit.currency) };
        let left = bearable.minus(self.budget.spent).minus(self.budget.held);
        let over = asked.minus(left);
        if over.micros > 0 && asked.micros > 0 { Err(Error::OverBudget { left, asked, over }) } else { Ok(()) }
    }

    /// Whether an order of `asked` reaches a threshold at which somebody must approve.
    pub fn budget_asks(&self, asked: Money) -> bool {
        let Some(percent) = self.budget.terms.lowest(BudgetAction::Approve) else { return false };
        self.budget.spent.plus(self.budget.held).plus(asked).micros > self.budget.share(percent).micros
    }
}

/// What operators set for a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaSettings {
    pub limits: Amounts,
    pub budget: Money,
    /// D3: 4 by default; more asks for approval.
    pub cards_per_order: CardShare,
    /// D3: 12 by default, per course and campus day; more asks for approval.
    pub starts_per_day: CardShare,
}

impl QuotaSettings {
    /// The reference values of D2 and D3. A job of eight ranks with 16 cores each needs more than 100 cores: operators raise the limit for
    /// its course.
    pub fn reference(budget: Money) -> Self {
        Self {
            limits: Amounts { cards: CardShare::whole(32), cpu_cores: 100, memory_gib: 4_096, storage_gib: 10_240, running_labs: 60 },
            budget,
            cards_per_order: CardShare::whole(4),
            starts_per_day: CardShare::whole(12),
        }
    }
}

/// What is used or held beyond new limits. Errors: [`Error::LimitBelowUse`] with each.
pub fn check_limits(limits: &Amounts, in_use: &Amounts) -> Result<(), Error> {
    let below: Vec<_> = Item::ALL
        .into_iter()
        .filter_map(|item| {
            let (limit, in_use) = (limits.get(item), in_use.get(item));
            (in_use > limit).then_some(Shortfall { item, limit, in_use, asked: 0, over: in_use - limit })
        })
        .collect();
    if below.is_empty() { Ok(()) } else { Err(Error::LimitBelowUse(below)) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::money::Currency;

    pub(crate) fn status() -> QuotaStatus {
        let yuan = |units| Money::units(units, Currency::Cny);
        QuotaStatus {
            course: CourseId::from_uuid(uuid::Uuid::from_u128(1)),
            limits: Amounts { cards: CardShare::whole(4), cpu_cores: 100, memory_gib: 100, storage_gib: 100, running_labs: 5 },
            used: Amounts { cards: CardShare::whole(2), ..Amounts::default() },
            held: Amounts { cards: CardShare::whole(1), ..Amounts::default() },
            budget: BudgetStatus { limit: yuan(100), terms: BudgetTerms::default(), spent: yuan(30), held: yuan(50) },
            started_today: CardShare::ZERO,
            starts_per_day: CardShare::whole(12),
            cards_per_order: CardShare::whole(4),
            booked: Vec::new(),
            ends: Vec::new(),
        }
    }

    #[test]
    fn the_reference_values_are_those_that_were_asked_for() {
        let reference = QuotaSettings::reference(Money::units(0, Currency::Cny));
        assert_eq!((reference.limits.cpu_cores, reference.limits.cards), (100, CardShare::whole(32)));
        assert_eq!((reference.cards_per_order, reference.starts_per_day), (CardShare::whole(4), CardShare::whole(12)));
    }

    #[test]
    fn over_quota_says_by_how_much() {
        let asked = Amounts { cards: CardShare::whole(2), cpu_cores: 100, ..Amounts::default() };
        let error = status().check_amounts(&asked).expect_err("one card too many");
        assert_eq!(error, Error::OverQuota(vec![Shortfall { item: Item::Cards, limit: 4 * 840, in_use: 3 * 840, asked: 2 * 840, over: 840 }]));
    }

    #[test]
    fn the_last_yuan_can_be_spent_and_not_one_more() {
        let yuan = |units| Money::units(units, Currency::Cny);
        let now = Timestamp::from_seconds(1_000);
        assert_eq!(status().check_budget(yuan(20), now), Ok(()));
        assert_eq!(status().check_budget(yuan(21), now), Err(Error::OverBudget { left: yuan(20), asked: yuan(21), over: yuan(1) }));
    }

    #[test]
    fn thresholds_of_some_actions_are_kept() {
        let threshold = |percent, action| Threshold { percent, action };
        let terms = |thresholds: &[Threshold]| BudgetTerms { thresholds: thresholds.to_vec(), ..BudgetTerms::default() };
        let (told, asked, blocked) = (threshold(50, BudgetAction::Notify), threshold(90, BudgetAction::Approve), threshold(100, BudgetAction::Block));
        let before = terms(&[told, asked, blocked]);
        let later = threshold(80, BudgetAction::Notify);
        assert_eq!(terms(&[later]).keeping(&[BudgetAction::Approve, BudgetAction::Block], &before), terms(&[later, asked, blocked]));
        assert_eq!(terms(&[later]).keeping(&[BudgetAction::Notify], &before), terms(&[told]));
        assert_eq!(terms(&[]).keeping(&BudgetAction::ALL, &before), before);
        assert_eq!(terms(&[later]).keeping(&[], &before), terms(&[later]));
    }

    #[test]
    fn thresholds_tell_ask_and_block_each_at_its_part() {
        let yuan = |units| Money::units(units, Currency::Cny);
        let form = BudgetForm { amount: "100".into(), notify: "50, 80%".into(), approve: "90".into(), block: "110".into(), ..BudgetForm::default() };
        let mut status = status();
        (status.budget.limit, status.budget.terms) = form.check(Currency::Cny).expect("a budget");
        assert_eq!(status.budget.reached(), [50, 80]);
        assert!(!status.budget_asks(yuan(10)) && status.budget_asks(yuan(11)));
        let now = Timestamp::from_seconds(1_000);
        assert_eq!(status.check_budget(yuan(30), now), Ok(()));
        assert!(status.check_budget(yuan(31), now).is_err());
        status.budget.terms.to = Some(now);
        assert!(status.check_budget(yuan(1), now).is_err(), "nothing after the term");
        status.budget.terms.thresholds.retain(|each| each.action != BudgetAction::Block);
        assert_eq!(status.check_budget(yuan(9_000), now), Ok(()), "nothing blocks");
    }

    #[test]
    fn a_limit_below_use_says_by_how_much() {
        let in_use = Amounts { cards: CardShare::whole(3), running_labs: 2, ..Amounts::default() };
        let limits = Amounts { cards: CardShare::whole(2), running_labs: 2, ..Amounts::default() };
        let short = Shortfall { item: Item::Cards, limit: 2 * 840, in_use: 3 * 840, asked: 0, over: 840 };
        assert_eq!(check_limits(&limits, &in_use), Err(Error::LimitBelowUse(vec![short])));
    }
}
