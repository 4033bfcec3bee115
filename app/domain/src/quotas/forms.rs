//! Quotas and budgets as operators type them.

use serde::{Deserialize, Serialize};

use super::{Amounts, BudgetAction, BudgetTerms, QuotaSettings, Threshold};
use crate::{
    error::{Error, FieldErrors, Problem},
    gpu::CardShare,
    money::{self, Currency, Money},
    time::Timestamp,
};

/// Limits as typed: cards may have a fraction (`1/7`, `0.5`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuotaForm {
    pub cards: String,
    pub cpu_cores: String,
    pub memory_gib: String,
    pub storage_gib: String,
    pub running_labs: String,
    pub cards_per_order: String,
    pub starts_per_day: String,
}

impl QuotaForm {
    /// The settings with this budget. Errors: [`Error::Invalid`] with every problem.
    pub fn check(&self, budget: Money) -> Result<QuotaSettings, Error> {
        let mut errors = FieldErrors::default();
        let mut take = |field: &str, result: Result<i64, Problem>| {
            result.unwrap_or_else(|problem| {
                errors.push(field, problem);
                0
            })
        };
        let limits = Amounts {
            cards: CardShare::from_parts(take("cards", cards(&self.cards))),
            cpu_cores: take("cpu_cores", whole(&self.cpu_cores, 1_000_000)),
            memory_gib: take("memory_gib", whole(&self.memory_gib, 100_000_000)),
            storage_gib: take("storage_gib", whole(&self.storage_gib, 100_000_000)),
            running_labs: take("running_labs", whole(&self.running_labs, 100_000)),
        };
        let cards_per_order = CardShare::from_parts(take("cards_per_order", cards(&self.cards_per_order)));
        let starts_per_day = CardShare::from_parts(take("starts_per_day", cards(&self.starts_per_day)));
        errors.finish()?;
        Ok(QuotaSettings { limits, budget, cards_per_order, starts_per_day })
    }
}

/// A whole number from 0 to `max`.
pub fn whole(text: &str, max: i64) -> Result<i64, Problem> {
    match text.trim() {
        "" => Err(Problem::Missing),
        text => match text.parse::<i64>() {
            Ok(number) if (0..=max).contains(&number) => Ok(number),
            Ok(_) => Err(Problem::OutOfRange { min: 0, max }),
            Err(_) => Err(Problem::NotANumber),
        },
    }
}

/// An amount in whole units; `6,000.00` is accepted too. The text is read as every amount is: without a sign or an exponent.
pub fn whole_units(text: &str) -> Result<i64, Problem> {
    match money::parse_amount(text) {
        Ok(micros) if micros % money::MICROS_PER_UNIT == 0 => Ok(micros / money::MICROS_PER_UNIT),
        Err(problem @ (Problem::Missing | Problem::OutOfRange { .. })) => Err(problem),
        // A fraction, or a text that is no amount; a negative number is named as out of range.
        _ => Err(whole(text, money::MAX_UNITS).err().unwrap_or(Problem::NotANumber)),
    }
}

/// Cards in 1/840ths: `2`, `1/7`, `1 3/7`, `0.5`, or a share in the API's form, `0.42857142857142855`; at most 10,000 cards.
pub fn cards(text: &str) -> Result<i64, Problem> {
    const MAX: i64 = 10_000;
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::Missing);
    }
    let (units, fraction) = match text.rsplit_once(' ') {
        Some((units, fraction)) => (units.trim(), fraction),
        None if text.contains('/') => ("0", text),
        None => (text, "0/1"),
    };
    // A sign would be lost before a zero: `-0.5` is no half.
    let (negative, units) = units.strip_prefix('-').map_or((false, units), |units| (true, units));
    let parse = || -> Option<i64> {
        if !text.bytes().all(|byte| byte.is_ascii_digit() || b" ./-".contains(&byte)) {
            return None;
        }
        let (above, below) = fraction.split_once('/')?;
        let (above, below) = (above.parse::<i64>().ok()?, below.parse::<i64>().ok()?);
        if !(1..=840).contains(&below) || !(0..=MAX).contains(&above) || above * 840 % below != 0 {
            return None;
        }
        let parts = above * 840 / below;
        let (units, decimals) = units.split_once('.').unwrap_or((units, "0"));
        let units = units.parse::<i64>().ok().filter(|units| (0..=MAX * 10).contains(units))?;
        if decimals.len() > 3 {
            return shown(decimals).filter(|_| !negative && parts == 0).map(|decimals| units * 840 + decimals);
        }
        let places = u32::try_from(decimals.len()).ok().filter(|places| *places > 0)?;
        let scaled = decimals.parse::<u32>().ok().map(i64::from)? * 840;
        if scaled % 10_i64.pow(places) != 0 {
            return None;
        }
        let parts = units * 840 + scaled / 10_i64.pow(places) + parts;
        Some(if negative { -parts } else { parts })
    };
    match parse() {
        Some(parts) if (0..=MAX * 840).contains(&parts) => Ok(parts),
        Some(_) => Err(Problem::OutOfRange { min: 0, max: MAX }),
        None => Err(Problem::NotANumber),
    }
}

/// The decimals of a share as the nearest floating-point number prints them, in 1/840ths; `None` for any other number.
fn shown(decimals: &str) -> Option<i64> {
    let is_number = decimals.len() <= 20 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| format!("0.{decimals}").parse::<f64>().ok()).flatten()?;
    (0..=840_i32).find(|parts| (f64::from(*parts) / 840.0 - number).abs() < 1e-10).map(i64::from)
}

/// A budget as typed; days are campus days, `2026-09-01`, and the last one is included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BudgetForm {
    /// Whole units of the course's currency.
    pub amount: String,
    pub from: String,
    pub to: String,
    /// Percentages; empty for none.
    pub notify: String,
    pub approve: String,
    pub block: String,
}

impl BudgetForm {
    /// Errors: [`Error::Invalid`] with every problem.
    pub fn check(&self, currency: Currency) -> Result<(Money, BudgetTerms), Error> {
        let mut errors = FieldErrors::default();
        let amount = whole_units(&self.amount).unwrap_or_else(|problem| {
            errors.push("amount", problem);
            0
        });
        let mut day = |field: &str, text: &str, read: fn(&str) -> Option<Timestamp>| match read(text) {
            _ if text.trim().is_empty() => None,
            Some(at) => Some(at),
            None => {
                errors.push(field, Problem::NotADate { example: "2026-09-01".into() });
                None
            }
        };
        let from = day("from", &self.from, Timestamp::parse_begin);
        let to = day("to", &self.to, Timestamp::parse_end);
        if from.zip(to).is_some_and(|(from, to)| to <= from) {
            errors.push("to", Problem::EndsBeforeStart);
        }
        let mut thresholds = Vec::new();
        for (field, text, action) in [
            ("notify", &self.notify, BudgetAction::Notify),
            ("approve", &self.approve, BudgetAction::Approve),
            ("block", &self.block, BudgetAction::Block),
        ] {
            // Several percentages may be told about: `50, 80`.
            for text in text.split([',', '，', '、', ' ']).map(str::trim).filter(|text| !text.is_empty()) {
                match text.trim_end_matches('%').parse::<u32>() {
                    Ok(percent) if (1..=200).contains(&percent) => thresholds.push(Threshold { percent, action }),
                    Ok(_) => errors.push(field, Problem::OutOfRange { min: 1, max: 200 }),
                    Err(_) => errors.push(field, Problem::NotANumber),
                }
            }
        }
        errors.finish()?;
        thresholds.sort_unstable();
        thresholds.dedup();
        Ok((Money::units(amount, currency), BudgetTerms { from, to, thresholds }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_whole_campus_days() {
        let form = |from: &str, to: &str| BudgetForm { amount: "1".into(), from: from.into(), to: to.into(), ..BudgetForm::default() };
        let (_, terms) = form("2026-09-01", "2026-09-01").check(Currency::Cny).expect("a day");
        assert_eq!(terms.from.map(Timestamp::to_rfc3339).as_deref(), Some("2026-08-31T16:00:00Z"));
        assert_eq!(terms.to.map(Timestamp::to_rfc3339).as_deref(), Some("2026-09-01T16:00:00Z"));
        let shown = form("2026-08-31T16:00:00Z", "2026-09-01T16:00:00Z").check(Currency::Cny).expect("as the API shows it");
        assert_eq!(shown.1, terms);
        assert_eq!(form("2026-09-02", "2026-09-01").check(Currency::Cny), Err(Error::field("to", Problem::EndsBeforeStart)));
    }

    #[test]
    fn a_budget_is_read_as_other_amounts_are() {
        for text in ["6000", "6,000", " 6,000.00 "] {
            assert_eq!(whole_units(text), Ok(6_000), "{text}");
        }
        for text in ["6,0", "60,00", "6000.50", "1e3", "1E3", "1e+3", "+5", "1_000", "0x10", "٣", "６０００"] {
            assert_eq!(whole_units(text), Err(Problem::NotANumber), "{text}");
            assert_eq!(money::parse_micros(text).filter(|micros| micros % money::MICROS_PER_UNIT == 0), None, "{text}");
        }
        assert_eq!(whole_units("99999999999999999999"), Err(Problem::OutOfRange { min: 0, max: money::MAX_UNITS }));
        assert_eq!(whole_units(" "), Err(Problem::Missing));
        assert_eq!(whole_units("-1"), Err(Problem::OutOfRange { min: 0, max: money::MAX_UNITS }));
    }

    #[test]
    fn cards_are_read_as_people_write_them() {
        for (text, parts) in [("2", 1_680), ("1/7", 120), ("1 3/7", 1_200), ("0.5", 420), ("0", 0)] {
            assert_eq!(cards(text), Ok(parts), "{text}");
        }
        // Every share can be read back from the API's form, also together with many whole cards.
        for parts in (0..840 * 40).step_by(7).chain([1, 119, 840 * 9_999 + 120]) {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let text = (parts as f64 / 840.0).to_string();
            assert_eq!(cards(&text), Ok(parts), "{text}");
        }
        for text in ["x", "1/0", "1/11", "1.23456", "/", "1 /7", "0.4285", "1.0000001"] {
            assert_eq!(cards(text), Err(Problem::NotANumber), "{text}");
        }
        for text in ["-1", "-0.5", "-0 1/7"] {
            assert_eq!(cards(text), Err(Problem::OutOfRange { min: 0, max: 10_000 }), "{text}");
        }
    }
}
