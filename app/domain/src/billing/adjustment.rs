//! Adjustments: amounts on a bill that were entered by hand, each with its reason. They only ever enter an open month.

use serde::{Deserialize, Serialize};

use crate::{
    courses::CourseRef,
    error::{Error, FieldErrors, Problem},
    ids::{AdjustmentId, LabId},
    money::{self, Currency, Money},
    pricing,
    time::{Month, Timestamp},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentKind {
    /// Less to pay: the amount is negative.
    Credit,
    /// More to pay.
    Charge,
    /// Usage of a closed month that came to light later; made by metering, of either sign.
    Correction,
}

impl AdjustmentKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Charge => "charge",
            Self::Correction => "correction",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Credit, Self::Charge, Self::Correction].into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    pub id: AdjustmentId,
    pub course: CourseRef,
    /// The month on whose bill it stands.
    pub month: Month,
    pub kind: AdjustmentKind,
    /// Negative for what is given back.
    pub amount: Money,
    /// As typed; empty for a correction, whose kind, lab and month say it all.
    pub reason: String,
    /// Id and name.
    pub lab: Option<(LabId, String)>,
    /// The closed month that a correction belongs to.
    pub of_month: Option<Month>,
    pub at: Timestamp,
    /// Name of the person; `None` for metering.
    pub by: Option<String>,
}

/// An adjustment as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdjustmentForm {
    /// Code or id.
    pub course: String,
    /// `credit` or `charge`.
    pub kind: String,
    /// Decimal and above zero; the kind gives the sign.
    pub amount: String,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAdjustment {
    pub kind: AdjustmentKind,
    pub amount: Money,
    pub reason: String,
}

impl AdjustmentForm {
    /// All but the course. Errors: [`Error::Invalid`] with every problem.
    pub fn check(&self, currency: Currency) -> Result<NewAdjustment, Error> {
        let mut errors = FieldErrors::default();
        if self.course.trim().is_empty() {
            errors.push("course", Problem::Missing);
        }
        let kind = AdjustmentKind::parse(self.kind.trim()).filter(|kind| *kind != AdjustmentKind::Correction);
        if kind.is_none() {
            errors.push("kind", Problem::NotOneOf { choices: vec!["credit".into(), "charge".into()] });
        }
        let micros = match money::parse_amount(&self.amount) {
            Ok(0) | Err(Problem::OutOfRange { .. }) => Err(Problem::NotAboveZero { max: money::MAX_UNITS }),
            other => other,
        };
        let micros = micros.map_err(|problem| errors.push("amount", problem)).ok();
        let reason = pricing::reason(&self.reason).map_err(|problem| errors.push("reason", problem)).ok();
        errors.finish()?;
        let (Some(kind), Some(micros), Some(reason)) = (kind, micros, reason) else { return Err(Error::field("amount", Problem::Missing)) };
        let micros = if kind == AdjustmentKind::Credit { -micros } else { micros };
        Ok(NewAdjustment { kind, amount: Money::new(micros, currency), reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credit_is_negative_and_needs_a_reason() {
        let form = |kind: &str, amount: &str, reason: &str| AdjustmentForm {
            course: "CV2402".into(),
            kind: kind.into(),
            amount: amount.into(),
            reason: reason.into(),
        };
        let good = form("credit", "12.50", "The card was away").check(Currency::Cny).expect("a good credit");
        assert_eq!((good.amount.micros, good.kind), (-12_500_000, AdjustmentKind::Credit));
        assert_eq!(form("charge", "1", "x").check(Currency::Cny).expect("a charge").amount.micros, 1_000_000);
        for amount in ["0", "0.00", "9223372036854.775807"] {
            let refused = Error::field("amount", Problem::NotAboveZero { max: money::MAX_UNITS });
            assert_eq!(form("charge", amount, "x").check(Currency::Cny), Err(refused), "{amount}");
        }
        assert!(form("credit", "12,5", "x").check(Currency::Cny).is_err(), "a decimal comma is no group of thousands");
        let Err(Error::Invalid(problems)) = form("correction", "-1", "").check(Currency::Cny) else { panic!("it must be refused") };
        assert_eq!(problems.iter().map(|each| each.field.as_str()).collect::<Vec<_>>(), ["kind", "amount", "reason"]);
    }
}
