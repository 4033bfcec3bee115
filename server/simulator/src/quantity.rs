//! Resource quantities (`500m`, `16Gi`, `2`): exact arithmetic and the canonical text.

use std::cmp::Ordering;

use serde_json::Value;

/// How a quantity was written, which decides how sums of it are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Decimal,
    Binary,
    Exponent,
}

/// An amount, exact to a nano unit.
#[derive(Debug, Clone, Copy)]
pub struct Quantity {
    nano: i128,
    format: Format,
}

const NANO: i128 = 1_000_000_000;
const BINARY: [(&str, u32); 6] = [("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];
const DECIMAL: [(&str, i32); 10] = [("E", 18), ("P", 15), ("T", 12), ("G", 9), ("M", 6), ("k", 3), ("", 0), ("m", -3), ("u", -6), ("n", -9)];

impl Quantity {
    pub const ZERO: Self = Self { nano: 0, format: Format::Decimal };

    pub fn whole(count: i64) -> Self {
        Self { nano: i128::from(count) * NANO, format: Format::Decimal }
    }

    /// Reads a quantity; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        if number.is_empty() {
            return None;
        }
        if let Some((_, bits)) = BINARY.iter().find(|(name, _)| *name == suffix) {
            return Some(Self { nano: scaled(number, 0)?.checked_mul(1 << bits)?, format: Format::Binary });
        }
        if let Some((_, power)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
            return Some(Self { nano: scaled(number, *power)?, format: Format::Decimal });
        }
        let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
        Some(Self { nano: scaled(number, power)?, format: Format::Exponent })
    }

    /// Reads a quantity from a JSON string or number.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    pub fn is_zero(self) -> bool {
        self.nano == 0
    }

    pub fn is_negative(self) -> bool {
        self.nano < 0
    }

    /// Whether it is a whole number of units.
    pub fn is_whole(self) -> bool {
        self.nano % NANO == 0
    }

    pub fn max(self, other: Self) -> Self {
        if self.nano >= other.nano { self } else { other }
    }

    /// This amount as a share of a whole one, for scoring.
    #[expect(clippy::cast_precision_loss, reason = "a score needs no more than a few digits")]
    pub fn share_of(self, whole: Self) -> f64 {
        if whole.nano == 0 { 1.0 } else { self.nano as f64 / whole.nano as f64 }
    }
}

/// `number` times ten to `power`, in nano units, rounded up as the API does.
fn scaled(number: &str, power: i32) -> Option<i128> {
    let (negative, digits) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let all: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let exponent = power.checked_add(9)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let nano = if exponent >= 0 {
        all.checked_mul(10_i128.checked_pow(exponent.try_into().ok()?)?)?
    } else {
        let divisor = 10_i128.checked_pow(exponent.unsigned_abs())?;
        all / divisor + i128::from(all % divisor != 0)
    };
    Some(if negative { -nano } else { nano })
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.nano == 0 {
            return out.write_str("0");
        }
        if self.format == Format::Binary && self.is_whole() && (self.nano / NANO).abs() >= 1024 {
            let units = self.nano / NANO;
            let fits = BINARY.iter().find(|(_, bits)| units % (1 << bits) == 0);
            return match fits {
                Some((name, bits)) => write!(out, "{}{name}", units >> bits),
                None => write!(out, "{units}"),
            };
        }
        let fits = DECIMAL.iter().find(|(_, power)| self.nano % 10_i128.pow((power + 9).unsigned_abs()) == 0);
        let (name, power) = fits.copied().unwrap_or(("n", -9));
        let units = self.nano / 10_i128.pow((power + 9).unsigned_abs());
        match (self.format, power) {
            (Format::Exponent, power) if power != 0 => write!(out, "{units}e{power}"),
            _ => write!(out, "{units}{name}"),
        }
    }
}

impl std::ops::Add for Quantity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let format = if self.nano == 0 { other.format } else { self.format };
        Self { nano: self.nano.saturating_add(other.nano), format }
    }
}

impl std::ops::Sub for Quantity {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        let format = if self.nano == 0 { other.format } else { self.format };
        Self { nano: self.nano.saturating_sub(other.nano), format }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nano == other.nano
    }
}
impl Eq for Quantity {}
impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nano.cmp(&other.nano)
    }
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    fn canonical(text: &str) -> String {
        Quantity::parse(text).map_or_else(|| "none".to_owned(), |quantity| quantity.to_string())
    }

    #[test]
    fn quantities_are_written_in_their_canonical_form() {
        for (given, expected) in [
            ("0.5", "500m"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("16Gi", "16Gi"),
            ("1024Mi", "1Gi"),
            ("1536Mi", "1536Mi"),
            ("2000", "2k"),
            ("1e3", "1e3"),
            ("512Ki", "512Ki"),
            ("0", "0"),
            ("1.5Gi", "1536Mi"),
            ("100", "100"),
            ("abc", "none"),
            ("1X", "none"),
            ("", "none"),
        ] {
            assert_eq!(canonical(given), expected, "{given}");
        }
    }

    #[test]
    fn sums_keep_the_first_format_and_compare_exactly() {
        let sum = Quantity::parse("64Gi").unwrap() + Quantity::parse("512Mi").unwrap();
        assert_eq!(sum.to_string(), "66048Mi");
        assert!(Quantity::parse("1Gi").unwrap() > Quantity::parse("1G").unwrap());
        assert_eq!(Quantity::parse("100m").unwrap() + Quantity::parse("900m").unwrap(), Quantity::whole(1));
    }
}
