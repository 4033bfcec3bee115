//! Editing a policy: a draft that everybody who may edit shares, what it would have done to past orders, and the versions that were in force.

use serde::{Deserialize, Serialize};

use crate::{
    approvals::{Facts, Outcome, Policy, Rule},
    catalogue::Localized,
    error::Error,
    ids::{OrderId, TenantId},
    money::{Currency, Money},
    orders::OrderState,
    people::PersonRef,
    time::Timestamp,
};

/// One step of the editor. Rules are named by their number, from 0, in the draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Adds the rule at the end, but before a rule that matches every order, since it would never match after that one.
    Add(Rule),
    Replace(u32, Rule),
    Remove(u32),
    /// Towards the front, by one place.
    Up(u32),
    Down(u32),
    Enable(u32),
    Disable(u32),
    AllowSamePerson,
    ForbidSamePerson,
}

impl Policy {
    /// Index of the first enabled rule that matches every order. Rules after it never match.
    pub fn catch_all(&self) -> Option<usize> {
        self.rules.iter().position(|rule| rule.enabled && rule.when.is_always())
    }

    /// Enabled rules that never match, each with the first rule before it that matches every order that it would match.
    pub fn never_matching(&self) -> Vec<(usize, usize)> {
        let enabled = || self.rules.iter().enumerate().filter(|(_, rule)| rule.enabled);
        let covered_by = |number: usize, rule: &Rule| {
            enabled().take_while(|(before, _)| *before < number).find(|(_, before)| rule.when.implies(&before.when)).map(|(before, _)| before)
        };
        enabled().filter_map(|(number, rule)| Some((number, covered_by(number, rule)?))).collect()
    }

    /// The policy after this step. Errors: [`Error::NotFound`] for a rule that is not there, [`Error::Invalid`] for one that cannot be.
    pub fn edited(&self, edit: &Edit) -> Result<Self, Error> {
        let mut policy = self.clone();
        let there = |number: u32| if (number as usize) < self.rules.len() { Ok(number as usize) } else { Err(Error::NotFound) };
        match edit {
            Edit::Add(rule) => policy.rules.insert(self.catch_all().unwrap_or(self.rules.len()), rule.clone()),
            Edit::Replace(number, rule) => {
                let at = there(*number)?;
                // Whether it is on is another step.
                policy.rules[at] = Rule { enabled: policy.rules[at].enabled, ..rule.clone() };
            }
            Edit::Remove(number) => _ = policy.rules.remove(there(*number)?),
            Edit::Up(number) => {
                let at = there(*number)?;
                policy.rules.swap(at, at.saturating_sub(1));
            }
            Edit::Down(number) => {
                let at = there(*number)?;
                policy.rules.swap(at, (at + 1).min(self.rules.len() - 1));
            }
            Edit::Enable(number) => policy.rules[there(*number)?].enabled = true,
            Edit::Disable(number) => policy.rules[there(*number)?].enabled = false,
            Edit::AllowSamePerson => policy.same_person_twice = true,
            Edit::ForbidSamePerson => policy.same_person_twice = false,
        }
        policy.check()?;
        Ok(policy)
    }
}

/// A tenant's policy as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPolicy {
    pub tenant: TenantId,
    /// Of what is in force; 1 is the first.
    pub version: i64,
    pub policy: Policy,
    pub draft: Option<Policy>,
    /// Counts every step of the editor and every publication, for [`Error::Stale`].
    pub revision: i64,
}

impl StoredPolicy {
    /// What the editor works on.
    pub fn edited(&self) -> &Policy {
        self.draft.as_ref().unwrap_or(&self.policy)
    }
}

/// A version that was in force, or is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVersion {
    pub version: i64,
    pub rules: u32,
    pub published_at: Timestamp,
    /// `None` for the one that the installation began with.
    pub published_by: Option<PersonRef>,
}

/// The policy with all that its page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyView {
    pub stored: StoredPolicy,
    /// Of the price book: what an amount in a rule is counted in.
    pub currency: Currency,
    /// The newest first, 20 at most.
    pub versions: Vec<PolicyVersion>,
    pub dry_run: DryRun,
    /// Whether the reader may change it.
    pub may_write: bool,
}

/// An order of the past, as a dry run needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    pub order: OrderId,
    pub number: i64,
    pub owner: String,
    pub course: String,
    pub offering: Localized,
    pub state: OrderState,
    pub cost: Money,
    pub submitted_at: Timestamp,
    pub facts: Facts,
}

/// Days that a dry run looks back.
pub const DRY_RUN_DAYS: i64 = 90;
/// Most orders that it looks at: the newest.
pub const DRY_RUN_ORDERS: u32 = 20_000;
/// Most differences that it names.
pub const DIFFERENCES: u32 = 50;

/// How many orders go which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub automatic: u32,
    pub asked: u32,
    pub refused: u32,
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Automatic => self.automatic += 1,
            Outcome::Stages(_) => self.asked += 1,
            Outcome::Refuse(_) => self.refused += 1,
        }
    }
}

/// An order that the edited policy would treat otherwise than the one in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub order: OrderId,
    pub number: i64,
    pub owner: String,
    pub course: String,
    pub offering: Localized,
    pub cost: Money,
    pub submitted_at: Timestamp,
    /// What became of it.
    pub state: OrderState,
    pub now: Outcome,
    pub then: Outcome,
}

/// What an edited policy would have done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryRun {
    pub orders: u32,
    pub now: Tally,
    pub then: Tally,
    /// How many orders each rule of the edited policy matched; the last is what no rule matched.
    pub matched: Vec<u32>,
    /// How many differ in all.
    pub different: u32,
    /// Rejected by a person then, and automatic with the edited policy.
    pub rejected_then_automatic: u32,
    /// The newest first, [`DIFFERENCES`] at most.
    pub differences: Vec<Difference>,
}

/// Tries `edited` beside `in_force` on past orders, the newest first.
pub fn dry_run(in_force: &Policy, edited: &Policy, past: impl IntoIterator<Item = Past>) -> DryRun {
    let mut run = DryRun { matched: vec![0; edited.rules.len() + 1], ..DryRun::default() };
    for past in past {
        let (now, then) = (in_force.decide(&past.facts).outcome, edited.decide(&past.facts).outcome);
        run.orders += 1;
        run.now.count(&now);
        run.then.count(&then);
        let rule = edited.matching(&past.facts).unwrap_or(edited.rules.len());
        if let Some(count) = run.matched.get_mut(rule) {
            *count += 1;
        }
        if now == then {
            continue;
        }
        run.different += 1;
        run.rejected_then_automatic += u32::from(past.state == OrderState::Rejected && then == Outcome::Automatic);
        if run.differences.len() < DIFFERENCES as usize {
            let Past { order, number, owner, course, offering, state, cost, submitted_at, facts: _ } = past;
            run.differences.push(Difference { order, number, owner, course, offering, cost, submitted_at, state, now, then });
        }
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::Role,
        approvals::{Condition, OrderTest},
        gpu::CardShare,
    };

    fn rule(name: &str, when: Condition, then: Outcome) -> Rule {
        Rule::new(Localized { zh: name.into(), en: name.into() }, when, then)
    }

    fn past(number: i64, cards: i64, state: OrderState) -> Past {
        let cost = Money::units(cards, Currency::Cny);
        Past {
            order: OrderId::from_uuid(uuid::Uuid::from_u128(u128::from(number.unsigned_abs()))),
            number,
            owner: "li".into(),
            course: "CV1".into(),
            offering: Localized { zh: "本".into(), en: "Notebook".into() },
            state,
            cost,
            submitted_at: Timestamp::from_seconds(number),
            facts: Facts {
                card: "a100-80g".parse().expect("a card"),
                cards: CardShare::whole(cards),
                cards_per_order: CardShare::whole(4),
                started_today: CardShare::ZERO,
                starts_per_day: CardShare::whole(12),
                cost,
                minutes: 60,
                requester: [Role::Teacher].into(),
                budget_left_percent: 50,
                budget_asks: false,
            },
        }
    }

    #[test]
    fn each_step_of_the_editor_changes_one_thing() {
        let names =
            |policy: &Policy| policy.rules.iter().map(|rule| format!("{}{}", rule.name.en, if rule.enabled { "" } else { "-" })).collect::<Vec<_>>();
        let mut policy = Policy::default();
        let big = || OrderTest::CardsOver(CardShare::WHOLE).into();
        for name in ["a", "b", "c"] {
            policy = policy.edited(&Edit::Add(rule(name, big(), Outcome::Automatic))).expect("added");
        }
        let steps = [
            (Edit::Up(2), vec!["a", "c", "b"]),
            (Edit::Up(0), vec!["a", "c", "b"]),
            (Edit::Down(0), vec!["c", "a", "b"]),
            (Edit::Down(2), vec!["c", "a", "b"]),
            (Edit::Disable(1), vec!["c", "a-", "b"]),
            (Edit::Replace(1, rule("d", big(), Outcome::Automatic)), vec!["c", "d-", "b"]),
            (Edit::Enable(1), vec!["c", "d", "b"]),
            (Edit::Remove(0), vec!["d", "b"]),
        ];
        for (step, expected) in steps {
            policy = policy.edited(&step).expect("a step");
            assert_eq!(names(&policy), expected, "{step:?}");
        }
        assert!(policy.edited(&Edit::AllowSamePerson).expect("a step").same_person_twice);
        assert_eq!(policy.edited(&Edit::Remove(2)), Err(Error::NotFound));
    }

    #[test]
    fn a_new_rule_goes_before_the_one_that_matches_everything() {
        let big = |name| rule(name, OrderTest::CardsOver(CardShare::WHOLE).into(), Outcome::Stages(vec![Role::Manager]));
        let long = |name| rule(name, OrderTest::MinutesOver(120).into(), Outcome::Stages(vec![Role::Manager]));
        let rest = rule("rest", Condition::All(vec![Condition::Always]), Outcome::Automatic);
        let policy = Policy::new(vec![big("first"), rest]);
        assert_eq!(policy.catch_all(), Some(1));
        let edited = policy.edited(&Edit::Add(long("new"))).expect("added");
        assert_eq!(edited.rules.iter().map(|rule| rule.name.en.as_str()).collect::<Vec<_>>(), ["first", "new", "rest"]);
        // A disabled rule that matches everything does not matter.
        let off = policy.edited(&Edit::Disable(1)).expect("off").edited(&Edit::Add(long("new"))).expect("added");
        assert_eq!((off.catch_all(), off.rules[2].name.en.as_str()), (None, "new"));
        assert!(policy.never_matching().is_empty() && off.never_matching().is_empty());
        // The rule for everything moves to the front; the last rule is off.
        let hidden = edited.edited(&Edit::Up(2)).and_then(|policy| policy.edited(&Edit::Up(1))).and_then(|policy| policy.edited(&Edit::Disable(2)));
        assert_eq!(hidden.expect("steps").never_matching(), [(1, 0)]);
    }

    #[test]
    fn a_rule_behind_a_wider_one_never_matches() {
        let never = |conditions: &[Condition]| {
            let rules = conditions.iter().map(|when| rule("a rule", when.clone(), Outcome::Automatic)).collect();
            Policy::new(rules).never_matching()
        };
        let cards = |whole: i64| Condition::from(OrderTest::CardsOver(CardShare::whole(whole)));
        let minutes = |minutes: u32| Condition::from(OrderTest::MinutesOver(minutes));
        let cost = |micros: i64| Condition::from(OrderTest::CostOver(micros));
        assert_eq!(never(&[cards(1), cards(6)]), [(1, 0)]);
        assert!(never(&[cards(6), cards(1)]).is_empty());
        assert_eq!(never(&[cards(1), minutes(60), Condition::All(vec![cards(2), minutes(30)])]), [(2, 0)]);
        assert_eq!(never(&[minutes(0), cards(1)]), [(1, 0)], "every lab runs for some minutes");
        assert_eq!(never(&[cost(0), cost(5), cards(1)]), [(1, 0)], "a lab may cost nothing");
        assert!(never(&[cards(0), cost(5)]).is_empty(), "a lab may have no card");
        let either = Condition::Any(vec![cards(1), Condition::Not(Box::new(cards(1)))]);
        assert_eq!(never(&[either, minutes(60)]), [(1, 0)]);
        let within = |whole: i64| Condition::Not(Box::new(cards(whole)));
        assert_eq!(never(&[within(6), within(1), within(8)]), [(1, 0)]);
    }

    #[test]
    fn a_dry_run_counts_both_policies_and_names_what_differs() {
        let manager = || Outcome::Stages(vec![Role::Manager]);
        let now = Policy::new(vec![
            rule("big", OrderTest::CardsOver(CardShare::WHOLE).into(), manager()),
            rule("rest", Condition::Always, Outcome::Automatic),
        ]);
        let edited = now.edited(&Edit::Replace(0, rule("big", OrderTest::CardsOver(CardShare::whole(2)).into(), manager()))).expect("a step");
        let orders = [past(3, 3, OrderState::Approved), past(2, 2, OrderState::Rejected), past(1, 1, OrderState::Fulfilled)];
        let run = dry_run(&now, &edited, orders);
        assert_eq!(run.now, Tally { automatic: 1, asked: 2, refused: 0 });
        assert_eq!(run.then, Tally { automatic: 2, asked: 1, refused: 0 });
        assert_eq!((run.orders, run.different, run.rejected_then_automatic, run.matched.clone()), (3, 1, 1, vec![1, 2, 0]));
        assert_eq!(run.differences.iter().map(|each| each.number).collect::<Vec<_>>(), [2]);
    }
}
