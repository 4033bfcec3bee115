//! Approval policies: ordered rules over the facts of an order; the first that matches decides (C1, D3).
//! A new fact is a field of [`Facts`], a [`OrderTest`] that reads it, a field of the editor's form (`policy_form.rs`) and its words.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    access::Role,
    catalogue::{LabSpec, Localized},
    error::{Error, FieldErrors, Problem},
    gpu::{Card, CardShare},
    money::{self, Money},
    names,
    quotas::QuotaStatus,
    rules::{self, Test},
    texts,
};

/// The facts that a policy may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub card: Card,
    /// Cards of the order, whole-card equivalents.
    pub cards: CardShare,
    pub cards_per_order: CardShare,
    /// Started today by the course, without this order.
    pub started_today: CardShare,
    pub starts_per_day: CardShare,
    pub cost: Money,
    pub minutes: u32,
    pub requester: BTreeSet<Role>,
    /// Percent of the course's budget that is left after this order; negative when it does not fit.
    pub budget_left_percent: i64,
    /// With this order the course reaches the part of its budget at which somebody must approve (D4).
    #[serde(default)]
    pub budget_asks: bool,
}

impl Facts {
    /// `quota`: without this order's own hold.
    pub fn of(spec: &LabSpec, minutes: u32, cost: Money, quota: &QuotaStatus, requester: &BTreeSet<Role>) -> Self {
        let limit = quota.budget.limit.micros;
        let left = quota.budget.left().minus(cost).micros;
        Self {
            card: spec.card,
            cards: spec.card_share(),
            cards_per_order: quota.cards_per_order,
            started_today: quota.started_today,
            starts_per_day: quota.starts_per_day,
            cost,
            minutes,
            requester: requester.clone(),
            budget_asks: quota.budget_asks(cost),
            budget_left_percent: if limit > 0 { i64::try_from(i128::from(left) * 100 / i128::from(limit)).unwrap_or(i64::MIN) } else { 0 },
        }
    }
}

impl Facts {
    /// Why an approval is needed regardless of the policy's rules: the course's limits per order and per day (D3), or the part of its
    /// budget above which orders need approval (D4). Rules can ask more people or refuse; no rule can approve such an order automatically.
    pub fn asks(&self) -> Option<Localized> {
        let text = |zh: &str, en: &str| Some(Localized { zh: zh.into(), en: en.into() });
        if self.budget_asks {
            return text("预算用到了要审批的比例", "The budget has reached the part that asks for approval");
        }
        if OrderTest::OverCardsPerOrder.holds(self) {
            return text("超过课程单笔订单的卡数", "More cards than the course may have in one order");
        }
        if OrderTest::OverStartsPerDay.holds(self) {
            return text("超过课程一天可以启动的卡数", "More cards than the course may start in a day");
        }
        None
    }
}

/// What a rule may ask of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderTest {
    /// More cards than this, whole-card equivalents.
    CardsOver(CardShare),
    /// More than the course's figure per order (D3).
    OverCardsPerOrder,
    /// With this order, more than the course's figure per day (D3).
    OverStartsPerDay,
    /// More micro-units than this.
    CostOver(i64),
    MinutesOver(u32),
    /// One of these kinds, whole or a share.
    CardIn(BTreeSet<Card>),
    /// A card of one of these models, whole or any share of it: `a100-80g`.
    ModelIn(BTreeSet<String>),
    RequesterHas(Role),
    /// Less of the course's budget left after this order than so many percent.
    BudgetLeftUnder(u32),
}

impl Test for OrderTest {
    type Facts = Facts;
    fn holds(&self, facts: &Facts) -> bool {
        match self {
            Self::CardsOver(cards) => facts.cards > *cards,
            Self::OverCardsPerOrder => facts.cards > facts.cards_per_order,
            Self::OverStartsPerDay => facts.started_today.plus(facts.cards) > facts.starts_per_day,
            Self::CostOver(micros) => facts.cost.micros > *micros,
            Self::MinutesOver(minutes) => facts.minutes > *minutes,
            Self::CardIn(cards) => cards.contains(&facts.card),
            Self::ModelIn(models) => models.contains(facts.card.kind().model),
            Self::RequesterHas(role) => facts.requester.contains(role),
            Self::BudgetLeftUnder(percent) => facts.budget_left_percent < i64::from(*percent),
        }
    }

    /// Every lab runs for some minutes. It may cost nothing, with a discount of 100 percent, and need no card.
    fn is_always(&self) -> bool {
        *self == Self::MinutesOver(0)
    }

    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::CardsOver(cards), Self::CardsOver(fewer)) => cards >= fewer,
            (Self::CostOver(micros), Self::CostOver(less)) => micros >= less,
            (Self::MinutesOver(minutes), Self::MinutesOver(fewer)) => minutes >= fewer,
            (Self::CardIn(cards), Self::CardIn(more)) => cards.is_subset(more),
            (Self::ModelIn(models), Self::ModelIn(more)) => models.is_subset(more),
            (Self::BudgetLeftUnder(percent), Self::BudgetLeftUnder(more)) => percent <= more,
            _ => self == other,
        }
    }
}

pub type Condition = rules::Condition<OrderTest>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Automatic,
    /// Decisions by somebody with each of these roles, one after the other. The administrator stands for the budget owner: it is they
    /// who set a course's budget. Documents from before there were stages say `{"approval": "manager"}`.
    #[serde(alias = "approval", deserialize_with = "one_or_many")]
    Stages(Vec<Role>),
    /// Refused at once, with what the requester is told.
    Refuse(Localized),
}

fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Role>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(Role),
        Many(Vec<Role>),
    }
    Ok(match Either::deserialize(from)? {
        Either::One(role) => vec![role],
        Either::Many(roles) => roles,
    })
}

impl Outcome {
    /// The roles that must agree, in order; empty for an automatic one.
    pub fn stages(&self) -> &[Role] {
        match self {
            Self::Stages(roles) => roles,
            Self::Automatic | Self::Refuse(_) => &[],
        }
    }
}

/// Roles that a stage may ask for, in the order in which a form offers them.
pub const APPROVERS: [Role; 3] = [Role::Manager, Role::Administrator, Role::Operator];
/// Most stages of a rule.
pub const STAGES_MAX: usize = 3;
/// Most rules of a policy.
pub const RULES_MAX: u32 = 50;
/// Most cards and minutes that a rule compares with; costs have the bound of all amounts.
pub const CARDS_MAX: i64 = 10_000;
pub const MINUTES_MAX: u32 = 1_000_000;
/// Longest name of a rule, in characters.
pub const NAME_MAX: u32 = 80;
/// Longest reason of a refusal, in characters.
pub const REASON_MAX: u32 = 300;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub name: Localized,
    pub when: Condition,
    pub then: Outcome,
    /// A rule that is off stays in its place and matches nothing.
    #[serde(default = "on")]
    pub enabled: bool,
}

const fn on() -> bool {
    true
}

impl Rule {
    /// A rule that is in force.
    pub const fn new(name: Localized, when: Condition, then: Outcome) -> Self {
        Self { name, when, then, enabled: true }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub rules: Vec<Rule>,
    /// Whether somebody with two roles may decide two stages of one order. Off unless said otherwise: two stages mean two people.
    #[serde(default)]
    pub same_person_twice: bool,
}

/// The policy's decision on an order, with the rule that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    pub outcome: Outcome,
    /// Name of the rule that matched; `None` when none did.
    pub rule: Option<Localized>,
    /// As [`Policy::same_person_twice`] stood then.
    #[serde(default)]
    pub same_person_twice: bool,
    /// The facts that the policy read, so that another policy can be tried on them. `None` in orders from before it was kept.
    #[serde(default)]
    pub facts: Option<Facts>,
}

impl Ruling {
    /// Itself where it asks somebody who decides none of `decides`, by its first stage.
    pub fn waits_for_others(self, decides: &BTreeSet<Role>) -> Option<Self> {
        let first = match &self.outcome {
            Outcome::Automatic | Outcome::Refuse(_) => return None,
            Outcome::Stages(stages) => *stages.first().unwrap_or(&Role::Manager),
        };
        (!decides.contains(&first)).then_some(self)
    }

    /// A ruling by itself.
    pub const fn new(outcome: Outcome, rule: Option<Localized>) -> Self {
        Self { outcome, rule, same_person_twice: false, facts: None }
    }
}

impl Policy {
    pub const fn new(rules: Vec<Rule>) -> Self {
        Self { rules, same_person_twice: false }
    }

    /// Number of the first rule that matches.
    pub fn matching(&self, facts: &Facts) -> Option<usize> {
        self.rules.iter().position(|rule| rule.enabled && rule.when.holds(facts))
    }

    /// The first rule that matches decides. When none does a manager decides: a gap in the rules must not give cards away. No rule can
    /// waive an approval that the course's own limits require (see [`Facts::asks`]).
    pub fn decide(&self, facts: &Facts) -> Ruling {
        let rule = self.matching(facts).and_then(|number| self.rules.get(number));
        let mut outcome = rule.map_or_else(|| Outcome::Stages(vec![Role::Manager]), |rule| rule.then.clone());
        let mut name = rule.map(|rule| rule.name.clone());
        if outcome == Outcome::Automatic
            && let Some(reason) = facts.asks()
        {
            outcome = Outcome::Stages(vec![Role::Manager]);
            name = Some(reason);
        }
        Ruling { outcome, rule: name, same_person_twice: self.same_person_twice, facts: Some(facts.clone()) }
    }

    /// Errors: [`Error::Invalid`] with every problem; fields are `rules[2].name`, `rules[2].then`, …
    pub fn check(&self) -> Result<(), Error> {
        let mut errors = FieldErrors::default();
        if self.rules.len() > RULES_MAX as usize {
            errors.push("rules", Problem::OutOfRange { min: 0, max: RULES_MAX.into() });
        }
        for (number, rule) in self.rules.iter().enumerate() {
            for (field, problem) in rule.problems() {
                errors.push(format!("rules[{number}].{field}"), problem);
            }
        }
        errors.finish()
    }
}

impl Rule {
    /// What is wrong with it, by field.
    pub fn problems(&self) -> Vec<(&'static str, Problem)> {
        let mut problems = Vec::new();
        for (field, text) in [("name_zh", &self.name.zh), ("name_en", &self.name.en)] {
            problems.extend(names::check_written(text, NAME_MAX).err().map(|problem| (field, problem)));
        }
        if !self.when.is_readable() {
            problems.push(("when", Problem::OutOfRange { min: 1, max: rules::MAX_TESTS.into() }));
        }
        for test in self.when.tests() {
            match test {
                OrderTest::ModelIn(models) if models.iter().any(|model| !Card::all().any(|card| card.kind().model == model)) => {
                    problems.push(("when", Problem::NotOneOf { choices: models_known() }));
                }
                OrderTest::CardsOver(cards) if !(CardShare::ZERO..=CardShare::whole(CARDS_MAX)).contains(cards) => {
                    problems.push(("when", Problem::OutOfRange { min: 0, max: CardShare::whole(CARDS_MAX).parts() }));
                }
                OrderTest::MinutesOver(minutes) if *minutes > MINUTES_MAX => {
                    problems.push(("when", Problem::OutOfRange { min: 0, max: MINUTES_MAX.into() }));
                }
                OrderTest::CostOver(micros) if !(0..=money::MAX_MICROS).contains(micros) => {
                    problems.push(("when", Problem::OutOfRange { min: 0, max: money::MAX_UNITS }));
                }
                OrderTest::BudgetLeftUnder(percent) if *percent > 100 => problems.push(("when", Problem::OutOfRange { min: 0, max: 100 })),
                _ => {}
            }
        }
        match &self.then {
            Outcome::Automatic => {}
            Outcome::Stages(roles) => {
                if roles.is_empty() || roles.len() > STAGES_MAX {
                    problems.push(("stages", Problem::OutOfRange { min: 1, max: 3 }));
                }
                if roles.iter().any(|role| !APPROVERS.contains(role)) {
                    problems.push(("stages", Problem::NotOneOf { choices: APPROVERS.map(|role| role.as_str().to_owned()).to_vec() }));
                }
            }
            Outcome::Refuse(reason) => {
                for (field, text) in [("reason_zh", &reason.zh), ("reason_en", &reason.en)] {
                    problems.extend(texts::check_some(text, REASON_MAX).err().map(|problem| (field, problem)));
                }
            }
        }
        problems
    }
}

/// Every model of card once, in the order of the table.
pub fn models_known() -> Vec<String> {
    let mut models: Vec<String> = Vec::new();
    for card in Card::all() {
        let model = card.kind().model;
        if !models.iter().any(|known| known == model) {
            models.push(model.to_owned());
        }
    }
    models
}

#[cfg(test)]
mod tests;
