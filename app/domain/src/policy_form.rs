//! The editor's form of one rule: a flat list of tests, each of them asked or left open. Rules that nest deeper (the API can write them)
//! keep their condition while the form changes the rest.

use std::collections::BTreeMap;

use crate::{
    access::Role,
    approvals::{CARDS_MAX, Condition, MINUTES_MAX, OrderTest, Outcome, Rule, models_known},
    catalogue::Localized,
    error::{Error, FieldErrors, Problem},
    gpu::CardShare,
    money::{MAX_UNITS, MICROS_PER_UNIT},
    rules,
};

/// Field name to what was typed. Names: see [`parse`].
pub type RuleForm = BTreeMap<String, String>;

/// Fields that compare a number: name, the word for the test itself and the word for its opposite.
pub const COMPARED: [(&str, &str, &str); 4] =
    [("cards", "over", "within"), ("cost", "over", "within"), ("minutes", "over", "within"), ("budget", "under", "at_least")];

/// Reads the form. Fields: `name_zh`, `name_en`; `join` (`all`, `any`); `cards_is`, `cost_is`, `minutes_is`, `budget_is` (see [`COMPARED`],
/// empty for not asked) with `cards` (`2`, `1/7`), `cost` (whole units), `minutes`, `budget` (percent); `models_is` (`in`, `not_in`) with
/// `model_<id>`; `role_is` (`has`, `has_not`) with `role`; `per_order` and `per_day` (`over`, `within`); `then` (`automatic`, `stages`,
/// `refuse`) with `stage1` to `stage3`, or `reason_zh` and `reason_en`.
///
/// `kept`: the condition of a rule that the form cannot show; it stays as it is.
///
/// Errors: [`Error::Invalid`] with every problem, fields as above behind `rule.`.
pub fn parse(form: &RuleForm, kept: Option<Condition>) -> Result<Rule, Error> {
    let mut reader = Reader { form, errors: FieldErrors::default() };
    let when = kept.unwrap_or_else(|| reader.condition());
    let then = reader.outcome();
    let name = Localized { zh: reader.text("name_zh"), en: reader.text("name_en") };
    let rule = Rule::new(name, when, then);
    for (field, problem) in rule.problems() {
        reader.problem(if field == "stages" { "stage1" } else { field }, problem);
    }
    reader.errors.finish()?;
    Ok(rule)
}

struct Reader<'f> {
    form: &'f RuleForm,
    errors: FieldErrors,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> String {
        self.form.get(name).map(|text| text.trim().to_owned()).unwrap_or_default()
    }

    fn problem(&mut self, field: &str, problem: Problem) {
        self.errors.push(format!("rule.{field}"), problem);
    }

    fn number(&mut self, name: &str, max: i64) -> Option<i64> {
        let text = self.text(name);
        let problem = match text.parse::<i64>() {
            _ if text.is_empty() => Problem::Missing,
            Ok(number) if (0..=max).contains(&number) => return Some(number),
            Ok(_) => Problem::OutOfRange { min: 0, max },
            Err(_) => Problem::NotANumber,
        };
        self.problem(name, problem);
        None
    }

    fn compared(&mut self, name: &str) -> Option<OrderTest> {
        Some(match name {
            "cards" => {
                let text = self.text("cards");
                if let Some(share) = share(&text) {
                    OrderTest::CardsOver(share)
                } else {
                    self.problem("cards", if text.is_empty() { Problem::Missing } else { Problem::BadFormat { example: "2, 1/7".into() } });
                    return None;
                }
            }
            "cost" => OrderTest::CostOver(self.number("cost", MAX_UNITS)? * MICROS_PER_UNIT),
            "minutes" => OrderTest::MinutesOver(u32::try_from(self.number("minutes", MINUTES_MAX.into())?).ok()?),
            _ => OrderTest::BudgetLeftUnder(u32::try_from(self.number("budget", 100)?).ok()?),
        })
    }

    fn condition(&mut self) -> Condition {
        let mut parts = Vec::new();
        for (name, yes, no) in COMPARED {
            match self.text(&format!("{name}_is")) {
                word if word == yes => parts.extend(self.compared(name).map(Condition::Test)),
                word if word == no => parts.extend(self.compared(name).map(not)),
                _ => {}
            }
        }
        let models: std::collections::BTreeSet<String> =
            models_known().into_iter().filter(|model| self.form.contains_key(&format!("model_{model}"))).collect();
        match self.text("models_is").as_str() {
            "in" | "not_in" if models.is_empty() => self.problem("models_is", Problem::Missing),
            "in" => parts.push(Condition::Test(OrderTest::ModelIn(models))),
            "not_in" => parts.push(not(OrderTest::ModelIn(models))),
            _ => {}
        }
        let role_is = self.text("role_is");
        if !role_is.is_empty() {
            match Role::parse(&self.text("role")) {
                Some(role) if role_is == "has" => parts.push(Condition::Test(OrderTest::RequesterHas(role))),
                Some(role) => parts.push(not(OrderTest::RequesterHas(role))),
                None => self.problem("role", Problem::Missing),
            }
        }
        for (name, test) in [("per_order", OrderTest::OverCardsPerOrder), ("per_day", OrderTest::OverStartsPerDay)] {
            match self.text(name).as_str() {
                "over" => parts.push(Condition::Test(test)),
                "within" => parts.push(not(test)),
                _ => {}
            }
        }
        match (parts.len(), self.text("join").as_str()) {
            (0, _) => Condition::Always,
            (1, _) => parts.remove(0),
            (_, "any") => Condition::Any(parts),
            _ => Condition::All(parts),
        }
    }

    fn outcome(&mut self) -> Outcome {
        match self.text("then").as_str() {
            "automatic" => Outcome::Automatic,
            "refuse" => Outcome::Refuse(Localized { zh: self.text("reason_zh"), en: self.text("reason_en") }),
            "stages" => Outcome::Stages(["stage1", "stage2", "stage3"].iter().filter_map(|stage| Role::parse(&self.text(stage))).collect()),
            _ => {
                self.problem("then", Problem::Missing);
                Outcome::Automatic
            }
        }
    }
}

fn not(test: OrderTest) -> Condition {
    Condition::Not(Box::new(Condition::Test(test)))
}

/// `2`, `1/7`, `1 3/7` as whole-card equivalents.
fn share(text: &str) -> Option<CardShare> {
    let fraction = |text: &str| {
        let (above, below) = text.split_once('/')?;
        let (above, below): (i64, i64) = (above.trim().parse().ok()?, below.trim().parse().ok()?);
        ((1..=840).contains(&below) && (0..=CARDS_MAX).contains(&above) && above * 840 % below == 0).then(|| above * 840 / below)
    };
    let parts = match text.split_once(' ') {
        _ if !text.contains('/') => text.parse::<i64>().ok()?.checked_mul(840)?,
        Some((whole, rest)) if !whole.contains('/') => whole.parse::<i64>().ok()?.checked_mul(840)?.checked_add(fraction(rest)?)?,
        _ => fraction(text)?,
    };
    (0..=CARDS_MAX * 840).contains(&parts).then(|| CardShare::from_parts(parts))
}

/// The form filled with a rule, and whether it can show the rule's condition.
pub fn filled(rule: &Rule) -> (RuleForm, bool) {
    let mut form = RuleForm::new();
    let mut set = |name: &str, value: String| _ = form.insert(name.to_owned(), value);
    set("name_zh", rule.name.zh.clone());
    set("name_en", rule.name.en.clone());
    match &rule.then {
        Outcome::Automatic => set("then", "automatic".into()),
        Outcome::Stages(roles) => {
            set("then", "stages".into());
            for (number, role) in (1..).zip(roles) {
                set(&format!("stage{number}"), role.as_str().into());
            }
        }
        Outcome::Refuse(reason) => {
            set("then", "refuse".into());
            set("reason_zh", reason.zh.clone());
            set("reason_en", reason.en.clone());
        }
    }
    let shown = fill_condition(&rule.when, &mut set).is_some();
    (form, shown)
}

fn fill_condition(when: &Condition, set: &mut impl FnMut(&str, String)) -> Option<()> {
    let one = std::slice::from_ref(when);
    let (join, parts) = match when {
        rules::Condition::Always => ("all", &[][..]),
        rules::Condition::All(parts) => ("all", parts.as_slice()),
        rules::Condition::Any(parts) => ("any", parts.as_slice()),
        rules::Condition::Not(_) | rules::Condition::Test(_) => ("all", one),
    };
    set("join", join.into());
    let mut seen = std::collections::HashSet::new();
    for part in parts {
        let (test, yes) = match part {
            rules::Condition::Test(test) => (test, true),
            rules::Condition::Not(inner) => match inner.as_ref() {
                rules::Condition::Test(test) => (test, false),
                _ => return None,
            },
            _ => return None,
        };
        // One field each: a second test of a kind has no place.
        if !seen.insert(std::mem::discriminant(test)) {
            return None;
        }
        let word = |for_yes: &str, for_no: &str| if yes { for_yes.to_owned() } else { for_no.to_owned() };
        match test {
            OrderTest::CardsOver(cards) => {
                set("cards_is", word("over", "within"));
                set("cards", cards.to_string());
            }
            OrderTest::CostOver(micros) if micros % MICROS_PER_UNIT == 0 => {
                set("cost_is", word("over", "within"));
                set("cost", (micros / MICROS_PER_UNIT).to_string());
            }
            OrderTest::MinutesOver(minutes) => {
                set("minutes_is", word("over", "within"));
                set("minutes", minutes.to_string());
            }
            OrderTest::BudgetLeftUnder(percent) => {
                set("budget_is", word("under", "at_least"));
                set("budget", percent.to_string());
            }
            OrderTest::ModelIn(models) => {
                set("models_is", word("in", "not_in"));
                for model in models {
                    set(&format!("model_{model}"), "on".into());
                }
            }
            OrderTest::RequesterHas(role) => {
                set("role_is", word("has", "has_not"));
                set("role", role.as_str().into());
            }
            OrderTest::OverCardsPerOrder => set("per_order", word("over", "within")),
            OrderTest::OverStartsPerDay => set("per_day", word("over", "within")),
            OrderTest::CardIn(_) | OrderTest::CostOver(_) => return None,
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> RuleForm {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_the_form_shows_is_what_it_reads() {
        let typed = form(&[
            ("name_zh", "上课用的分片"),
            ("name_en", "Slices for lessons"),
            ("join", "all"),
            ("cards_is", "within"),
            ("cards", "1 3/7"),
            ("cost_is", "over"),
            ("cost", "20"),
            ("minutes_is", "within"),
            ("minutes", "480"),
            ("budget_is", "at_least"),
            ("budget", "10"),
            ("models_is", "in"),
            ("model_a100-80g", "on"),
            ("role_is", "has"),
            ("role", "teacher"),
            ("per_order", "within"),
            ("per_day", "over"),
            ("then", "stages"),
            ("stage1", "manager"),
            ("stage2", "administrator"),
        ]);
        let rule = parse(&typed, None).expect("a rule");
        assert_eq!(filled(&rule), (typed, true));
        assert_eq!(rule.when.tests().len(), 8);
        let always = parse(&form(&[("name_zh", "其余"), ("name_en", "Rest"), ("then", "automatic")]), None).expect("a rule");
        assert_eq!(always.when, Condition::Always);
    }

    #[test]
    fn every_mistake_is_named_at_its_field() {
        let typed = form(&[
            ("cards_is", "over"),
            ("cards", "1/1000"),
            ("cost_is", "within"),
            ("cost", "-1"),
            ("models_is", "in"),
            ("role_is", "has"),
            ("then", "stages"),
        ]);
        let Err(Error::Invalid(problems)) = parse(&typed, None) else { panic!("it must be refused") };
        let fields: Vec<_> = problems.iter().map(|each| each.field.as_str()).collect();
        assert_eq!(fields, ["rule.cards", "rule.cost", "rule.models_is", "rule.role", "rule.name_zh", "rule.name_en", "rule.stage1"]);
    }

    #[test]
    fn a_condition_that_the_form_cannot_show_is_kept() {
        let nested = Condition::All(vec![Condition::Any(vec![OrderTest::OverCardsPerOrder.into()]), OrderTest::OverStartsPerDay.into()]);
        let rule = Rule::new(Localized { zh: "深".into(), en: "Deep".into() }, nested.clone(), Outcome::Automatic);
        let (typed, shown) = filled(&rule);
        assert!(!shown);
        assert_eq!(parse(&typed, Some(nested)).expect("a rule"), rule);
    }
}
