//! Approval policies: ordered rules over the facts of an order; the first that matches decides (C1, D3).
//! A new fact is a field of `Facts` and a `Condition` that reads it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    catalogue::Localized,
    gpu::{Card, CardShare},
    money::Money,
};

/// What a policy may look at.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// With this order the course reaches the part of its budget at which somebody must approve (D4).
    pub budget_asks: bool,
}

/// The typed condition language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    Always,
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// More cards than this, whole-card equivalents.
    CardsOver(CardShare),
    /// More than the course's figure per order (D3).
    OverCardsPerOrder,
    /// With this order, more than the course's figure per day (D3).
    OverStartsPerDay,
    /// More micro-units than this.
    CostOver(i64),
    MinutesOver(u32),
    CardIn(BTreeSet<Card>),
    RequesterHas(Role),
    /// The budget reaches the part at which somebody must approve (D4).
    BudgetAsks,
}

impl Condition {
    pub fn holds(&self, facts: &Facts) -> bool {
        match self {
            Self::Always => true,
            Self::All(parts) => parts.iter().all(|part| part.holds(facts)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(facts)),
            Self::Not(part) => !part.holds(facts),
            Self::CardsOver(cards) => facts.cards > *cards,
            Self::OverCardsPerOrder => facts.cards > facts.cards_per_order,
            Self::OverStartsPerDay => facts.started_today.plus(facts.cards) > facts.starts_per_day,
            Self::CostOver(micros) => facts.cost.micros > *micros,
            Self::MinutesOver(minutes) => facts.minutes > *minutes,
            Self::CardIn(cards) => cards.contains(&facts.card),
            Self::RequesterHas(role) => facts.requester.contains(role),
            Self::BudgetAsks => facts.budget_asks,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Automatic,
    /// One decision by somebody with this role.
    Approval(Role),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub name: Localized,
    pub when: Condition,
    pub then: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub rules: Vec<Rule>,
}

/// What the policy says of an order and by which rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    pub outcome: Outcome,
    /// Name of the rule that matched; `None` when none did.
    pub rule: Option<Localized>,
}

impl Policy {
    /// The first rule that matches decides. When none does a manager decides: a gap in the rules must not give cards away.
    /// Nor may they give away what the budget has somebody asked for.
    pub fn decide(&self, facts: &Facts) -> Ruling {
        let ruling = self.by_rules(facts);
        if facts.budget_asks && ruling.outcome == Outcome::Automatic {
            let rule =
                Localized { zh: "预算用到了要审批的比例".into(), en: "The budget has reached the part that asks for approval".into() };
            return Ruling { outcome: Outcome::Approval(Role::Manager), rule: Some(rule) };
        }
        ruling
    }

    fn by_rules(&self, facts: &Facts) -> Ruling {
        self.rules.iter().find(|rule| rule.when.holds(facts)).map_or(Ruling { outcome: Outcome::Approval(Role::Manager), rule: None }, |rule| {
            Ruling { outcome: rule.then, rule: Some(rule.name.clone()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    fn facts(cards: i64, started: i64) -> Facts {
        Facts {
            card: "a100-80g".parse().expect("a card"),
            cards: CardShare::whole(cards),
            cards_per_order: CardShare::whole(4),
            started_today: CardShare::whole(started),
            starts_per_day: CardShare::whole(12),
            cost: Money::units(10, Currency::Cny),
            minutes: 90,
            requester: [Role::Teacher].into(),
            budget_asks: false,
        }
    }

    fn rule(when: Condition, then: Outcome) -> Rule {
        Rule { name: Localized { zh: format!("{when:?}"), en: format!("{when:?}") }, when, then }
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let policy = Policy {
            rules: vec![
                rule(Condition::OverCardsPerOrder, Outcome::Approval(Role::Manager)),
                rule(Condition::OverStartsPerDay, Outcome::Approval(Role::Manager)),
                rule(Condition::Always, Outcome::Automatic),
            ],
        };
        assert_eq!(policy.decide(&facts(4, 8)).outcome, Outcome::Automatic);
        assert_eq!(policy.decide(&facts(5, 0)).outcome, Outcome::Approval(Role::Manager));
        assert_eq!(policy.decide(&facts(4, 9)).outcome, Outcome::Approval(Role::Manager));
    }

    #[test]
    fn what_the_budget_asks_for_no_rule_gives_away() {
        let policy = Policy { rules: vec![rule(Condition::Always, Outcome::Automatic)] };
        let asks = Facts { budget_asks: true, ..facts(1, 0) };
        assert_eq!(policy.decide(&asks).outcome, Outcome::Approval(Role::Manager));
        let own = Policy { rules: vec![rule(Condition::BudgetAsks, Outcome::Approval(Role::Operator))] };
        assert_eq!(own.decide(&asks).outcome, Outcome::Approval(Role::Operator), "a rule of the college's own decides who");
    }

    #[test]
    fn a_gap_in_the_rules_asks_a_manager() {
        let policy = Policy { rules: vec![] };
        assert_eq!(policy.decide(&facts(1, 0)), Ruling { outcome: Outcome::Approval(Role::Manager), rule: None });
    }
}
