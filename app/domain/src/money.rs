//! Money: integer micro-units (a millionth of the currency unit) with the currency beside them; never a float.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::Problem;

/// ISO 4217 currencies that a price book may use (A4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    Cny,
    Usd,
    Eur,
}

impl Currency {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Cny => "CNY",
            Self::Usd => "USD",
            Self::Eur => "EUR",
        }
    }
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Cny => "¥",
            Self::Usd => "$",
            Self::Eur => "€",
        }
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;
    fn from_str(code: &str) -> Result<Self, UnknownCurrency> {
        match code {
            "CNY" => Ok(Self::Cny),
            "USD" => Ok(Self::Usd),
            "EUR" => Ok(Self::Eur),
            other => Err(UnknownCurrency(other.to_owned())),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown currency {0:?}")]
pub struct UnknownCurrency(pub String);

pub const MICROS_PER_UNIT: i64 = 1_000_000;

/// The largest amount that can be typed, in whole units: a thousand million. A thousand million such amounts can be added without overflow.
pub const MAX_UNITS: i64 = 1_000_000_000;
/// The same in micro-units.
pub const MAX_MICROS: i64 = MAX_UNITS * MICROS_PER_UNIT;

/// An amount. `micros` is signed: a credit is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Micro-units: `1_000_000` is one yuan.
    pub micros: i64,
    pub currency: Currency,
}

impl Money {
    pub const fn new(micros: i64, currency: Currency) -> Self {
        Self { micros, currency }
    }
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }
    /// Whole units: `Money::units(12, Currency::Cny)` is ¥12.00; saturates.
    pub const fn units(units: i64, currency: Currency) -> Self {
        Self::new(units.saturating_mul(MICROS_PER_UNIT), currency)
    }
    /// The sum; saturates at the ends of the range (nine million million units).
    ///
    /// # Panics
    /// When the currencies differ in a debug build: amounts of two currencies never meet in one bill.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        debug_assert_eq!(self.currency, other.currency);
        Self::new(self.micros.saturating_add(other.micros), self.currency)
    }
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        debug_assert_eq!(self.currency, other.currency);
        Self::new(self.micros.saturating_sub(other.micros), self.currency)
    }
    pub const fn is_negative(self) -> bool {
        self.micros < 0
    }
}

/// `¥1,044.12`: two decimals, rounded half away from zero, thousands grouped. The same in both languages.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.micros.unsigned_abs().saturating_add(5_000) / 10_000;
        let sign = if self.micros < 0 && cents > 0 { "-" } else { "" };
        write!(f, "{sign}{}{}.{:02}", self.currency.symbol(), grouped(cents / 100), cents % 100)
    }
}

/// `5.40`, `0.000001`, `1,000`: a decimal number as micro-units; `None` for a sign, more than six decimals or what is no number. Commas
/// stand between groups of three digits only: `12,5` is no number.
pub fn parse_micros(text: &str) -> Option<i64> {
    let (whole, fraction) = parts(text)?;
    let fraction = format!("{fraction:0<6}").parse::<i64>().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(MICROS_PER_UNIT)?.checked_add(fraction)
}

/// The digits before the point, without commas, and those after it.
fn parts(text: &str) -> Option<(String, &str)> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let is_grouped = !whole.contains(',') || (first.len() <= 3 && groups.all(|group| group.len() == 3));
    let whole = whole.replace(',', "");
    (!first.is_empty() && is_grouped && digits(&whole) && digits(fraction) && fraction.len() <= 6).then_some((whole, fraction))
}

/// An amount as people type it: a decimal from 0 to [`MAX_UNITS`]. All input of money is read by this function.
///
/// Errors: `Missing`; `BadFormat` for a text that is not a number; `OutOfRange`.
pub fn parse_amount(text: &str) -> Result<i64, Problem> {
    if text.trim().is_empty() {
        return Err(Problem::Missing);
    }
    let out_of_range = Problem::OutOfRange { min: 0, max: MAX_UNITS };
    match parse_micros(text) {
        Some(micros) if micros <= MAX_MICROS => Ok(micros),
        Some(_) => Err(out_of_range),
        // A number with more digits than fit is still a number, so it is out of range.
        None if parts(text).is_some() => Err(out_of_range),
        None => Err(Problem::BadFormat { example: "12.50".into() }),
    }
}

/// The sum of micro-units; saturates.
pub fn sum(micros: impl IntoIterator<Item = i64>) -> i64 {
    let sum: i128 = micros.into_iter().map(i128::from).sum();
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_amounts_are_read_exactly() {
        assert_eq!([parse_micros("5.40"), parse_micros(" 1,000 "), parse_micros("0.000001")], [Some(5_400_000), Some(1_000_000_000), Some(1)]);
        for bad in ["", "-1", "1.2.3", "0.0000001", "1e3", ".5", "99999999999999999999"] {
            assert_eq!(parse_micros(bad), None, "{bad}");
        }
    }

    #[test]
    fn commas_stand_between_groups_of_three_digits_only() {
        for (text, units) in [("1,000", 1_000), ("12,345", 12_345), ("1,234,567", 1_234_567), ("1000", 1_000)] {
            assert_eq!(parse_amount(text), Ok(units * MICROS_PER_UNIT), "{text}");
        }
        assert_eq!(parse_amount("1,000.50"), Ok(1_000_500_000));
        for text in ["12,5", "1,2,3", "1,0000", "1000,000", ",100", "100,", "1,,000", "1.000,5", "1.5,000", "，100", "1,00 0"] {
            let bad = Problem::BadFormat { example: "12.50".into() };
            assert_eq!((parse_micros(text), parse_amount(text)), (None, Err(bad)), "{text}");
        }
    }

    #[test]
    fn no_amount_is_larger_than_can_be_added() {
        assert_eq!(parse_amount("1,000,000,000"), Ok(MAX_MICROS));
        let too_much = Err(Problem::OutOfRange { min: 0, max: MAX_UNITS });
        for text in ["1000000000.000001", "9223372036854.775807", "99999999999999999999"] {
            assert_eq!(parse_amount(text), too_much, "{text}");
        }
        assert_eq!(parse_amount(" "), Err(Problem::Missing));
        for text in ["-1", "1e9", "x", "0.0000001"] {
            assert!(matches!(parse_amount(text), Err(Problem::BadFormat { .. })), "{text}");
        }
        assert_eq!(sum([i64::MAX, i64::MAX, -1]), i64::MAX);
        assert_eq!(sum([i64::MAX, 1, -2]), i64::MAX - 1);
        assert_eq!(Money::units(i64::MAX, Currency::Cny).plus(Money::units(1, Currency::Cny)).micros, i64::MAX);
        assert_eq!(Money::new(i64::MIN, Currency::Cny).to_string(), "-¥9,223,372,036,854.78");
    }

    #[test]
    fn amounts_are_grouped_and_rounded_to_cents() {
        let show = |micros| Money::new(micros, Currency::Cny).to_string();
        assert_eq!(show(1_044_120_000), "¥1,044.12");
        assert_eq!(show(5_000), "¥0.01");
        assert_eq!(show(4_999), "¥0.00");
        assert_eq!(show(-4_999), "¥0.00");
        assert_eq!(show(-1_234_567_890_000), "-¥1,234,567.89");
    }
}
