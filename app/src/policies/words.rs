//! Conditions and outcomes as sentences in both languages.

use domain::{
    approvals::{Condition, OrderTest, Outcome},
    gpu::{Card, CardShare},
    money::{Currency, Money},
    rules,
};

use crate::{
    i18n::td_string,
    language::{self, Language},
    orders::words::{duration_text, role_text, stages_text},
};

/// The parts of a condition, each a phrase, and the word between them.
pub fn phrases(language: Language, currency: Currency, when: &Condition) -> (Vec<String>, &'static str) {
    let and = td_string!(language, policies.all_of);
    match when {
        rules::Condition::All(parts) => (parts.iter().map(|part| phrase(language, currency, part)).collect(), and),
        rules::Condition::Any(parts) => (parts.iter().map(|part| phrase(language, currency, part)).collect(), td_string!(language, policies.any_of)),
        other => (vec![phrase(language, currency, other)], and),
    }
}

/// All of a condition in one phrase.
pub fn phrase(language: Language, currency: Currency, when: &Condition) -> String {
    match when {
        rules::Condition::Always => td_string!(language, policies.always).to_owned(),
        rules::Condition::Test(test) => test_text(language, currency, test, Sense::Yes),
        rules::Condition::Not(inner) => match inner.as_ref() {
            rules::Condition::Test(test) => test_text(language, currency, test, Sense::No),
            other => td_string!(language, policies.not_of, what = phrase(language, currency, other)).to_string(),
        },
        rules::Condition::All(_) | rules::Condition::Any(_) => {
            let (parts, word) = phrases(language, currency, when);
            let space = if language == Language::en { " " } else { "" };
            format!("({})", parts.join(&format!("{space}{word}{space}")))
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sense {
    Yes,
    No,
}

fn test_text(language: Language, currency: Currency, test: &OrderTest, sense: Sense) -> String {
    let yes = sense == Sense::Yes;
    match test {
        OrderTest::CardsOver(cards) if yes && *cards == CardShare::WHOLE => td_string!(language, policies.cards_over_one).to_owned(),
        OrderTest::CardsOver(cards) if yes => td_string!(language, policies.cards_over, cards = cards.to_string()).to_string(),
        OrderTest::CardsOver(cards) => td_string!(language, policies.cards_within, cards = cards.to_string()).to_string(),
        OrderTest::OverCardsPerOrder if yes => td_string!(language, policies.per_order_over).to_owned(),
        OrderTest::OverCardsPerOrder => td_string!(language, policies.per_order_within).to_owned(),
        OrderTest::OverStartsPerDay if yes => td_string!(language, policies.per_day_over).to_owned(),
        OrderTest::OverStartsPerDay => td_string!(language, policies.per_day_within).to_owned(),
        OrderTest::CostOver(micros) => {
            let cost = Money::new(*micros, currency).to_string();
            if yes {
                td_string!(language, policies.cost_over, cost = cost).to_string()
            } else {
                td_string!(language, policies.cost_within, cost = cost).to_string()
            }
        }
        OrderTest::MinutesOver(minutes) => {
            let duration = duration_text(language, *minutes);
            if yes {
                td_string!(language, policies.minutes_over, duration = duration).to_string()
            } else {
                td_string!(language, policies.minutes_within, duration = duration).to_string()
            }
        }
        OrderTest::CardIn(cards) => in_text(language, cards.iter().map(|card| card.name().to_owned()).collect(), sense),
        OrderTest::ModelIn(models) => in_text(language, models.iter().map(|model| model_text(model)).collect(), sense),
        OrderTest::RequesterHas(role) if yes => td_string!(language, policies.role_has, role = role_text(language, *role)).to_string(),
        OrderTest::RequesterHas(role) => td_string!(language, policies.role_has_not, role = role_text(language, *role)).to_string(),
        OrderTest::BudgetLeftUnder(percent) if yes => td_string!(language, policies.budget_under, percent = *percent).to_string(),
        OrderTest::BudgetLeftUnder(percent) => td_string!(language, policies.budget_at_least, percent = *percent).to_string(),
    }
}

fn in_text(language: Language, names: Vec<String>, sense: Sense) -> String {
    let cards = names.join(td_string!(language, policies.or_word));
    match sense {
        Sense::Yes => td_string!(language, policies.card_in, cards = cards).to_string(),
        Sense::No => td_string!(language, policies.card_not_in, cards = cards).to_string(),
    }
}

/// What people call a model: the name of its whole card.
pub fn model_text(model: &str) -> String {
    model.parse::<Card>().map_or_else(|_| model.to_owned(), |card| card.name().to_owned())
}

/// What becomes of an order.
pub fn outcome_text(language: Language, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Automatic => td_string!(language, policies.automatic).to_owned(),
        Outcome::Stages(roles) => stages_text(language, roles),
        Outcome::Refuse(reason) => td_string!(language, policies.then_refuse, reason = reason.get(language::tag(language))).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use domain::access::Role;

    use super::*;

    #[test]
    fn a_rule_reads_as_a_sentence_in_both_languages() {
        let not = |test: OrderTest| Condition::Not(Box::new(test.into()));
        let when = Condition::All(vec![
            OrderTest::CardsOver(CardShare::whole(2)).into(),
            not(OrderTest::MinutesOver(480)),
            Condition::Any(vec![
                OrderTest::ModelIn(["h100-80g".to_owned(), "a100-80g".to_owned()].into()).into(),
                not(OrderTest::RequesterHas(Role::Teacher)),
            ]),
        ]);
        let read = |language| {
            let (parts, word) = phrases(language, Currency::Cny, &when);
            parts.join(&format!(" {word} "))
        };
        assert_eq!(
            read(Language::en),
            "more than 2 cards and at most 8\u{a0}h and (the card is A100 80 GB or H100 80 GB or the requester is not: A teacher)"
        );
        assert_eq!(read(Language::zh_CN), "超过 2 张卡 且 不超过 8\u{a0}小时 且 (卡型是 A100 80 GB、H100 80 GB或下单人不是教师)");
        let stages = Outcome::Stages(vec![Role::Manager, Role::Administrator]);
        let (one, _) = phrases(Language::en, Currency::Cny, &OrderTest::CardsOver(CardShare::WHOLE).into());
        assert_eq!(one, ["more than 1 card"]);
        assert!(outcome_text(Language::zh_CN, &stages).contains("→"));
    }
}
