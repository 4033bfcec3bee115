//! Prices and discounts as typed. Nothing may begin before `floor`, up to which usage is counted: what was billed stays as it was.

use serde::{Deserialize, Serialize};

use super::{BasisPoints, Meter, Price, Quoted};
use crate::{
    error::{Error, FieldErrors, Problem},
    money, texts,
    time::Timestamp,
};

/// No unit costs a million and more.
const MAX_UNIT_MICROS: i64 = 1_000_000 * money::MICROS_PER_UNIT;
const MAX_REASON: u32 = 200;
const DATE: &str = "2026-12-01";

/// A new price as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceForm {
    /// `gpu-a100-80g-hour`
    pub meter: String,
    /// Decimal, in the book's currency.
    pub price: String,
    /// `unit` (also when empty) or `minute`.
    pub quoted: String,
    /// A campus date, from its midnight on; empty: from now on.
    pub from: String,
}

impl PriceForm {
    /// Errors: [`Error::Invalid`] with every problem.
    pub fn check(&self, now: Timestamp, floor: Timestamp) -> Result<Price, Error> {
        let mut errors = FieldErrors::default();
        let meter = self.meter.trim().parse::<Meter>().ok();
        if meter.is_none() {
            errors.push("meter", if self.meter.trim().is_empty() { Problem::Missing } else { Problem::NoSuch });
        }
        let quoted = match self.quoted.trim() {
            "" => Some(Quoted::Unit),
            text => Quoted::parse(text).filter(|quoted| *quoted == Quoted::Unit || !meter.is_some_and(Meter::is_monthly)),
        };
        if quoted.is_none() {
            errors.push("quoted", Problem::NotOneOf { choices: vec!["unit".into(), "minute".into()] });
        }
        let price = match money::parse_micros(&self.price) {
            _ if self.price.trim().is_empty() => Err(Problem::Missing),
            Some(micros) => {
                let unit = if quoted == Some(Quoted::Minute) { micros.saturating_mul(60) } else { micros };
                if (0..=MAX_UNIT_MICROS).contains(&unit) {
                    Ok(unit)
                } else {
                    Err(Problem::OutOfRange { min: 0, max: MAX_UNIT_MICROS / money::MICROS_PER_UNIT })
                }
            }
            None => Err(Problem::BadFormat { example: "5.40".into() }),
        };
        let from = begin(&self.from, now, floor);
        match (meter, quoted, price, from) {
            (Some(meter), Some(quoted), Ok(unit_micros), Ok(from)) => Ok(Price { meter, unit_micros, from, quoted }),
            (_, _, price, from) => {
                price.err().into_iter().for_each(|problem| errors.push("price", problem));
                from.err().into_iter().for_each(|problem| errors.push("from", problem));
                Err(errors.finish().err().unwrap_or(Error::NotFound))
            }
        }
    }
}

/// When something typed begins: a date's midnight, or now. Errors: not before `floor`.
fn begin(text: &str, now: Timestamp, floor: Timestamp) -> Result<Timestamp, Problem> {
    let at = match text.trim() {
        "" => return Ok(now.max(floor)),
        text => Timestamp::parse_begin(text).ok_or_else(|| Problem::NotADate { example: DATE.into() })?,
    };
    if at < floor { Err(Problem::AlreadyMetered { to: floor }) } else { Ok(at) }
}

/// A new discount as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscountForm {
    /// `20`, `12.5`
    pub percent: String,
    /// A campus date; empty: from now on.
    pub from: String,
    /// The last campus day; empty: until it is ended.
    pub until: String,
    pub reason: String,
}

/// A discount that was checked and has no id yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDiscount {
    pub off: BasisPoints,
    pub from: Timestamp,
    pub to: Option<Timestamp>,
    pub reason: String,
}

impl DiscountForm {
    /// Errors: [`Error::Invalid`] with every problem.
    pub fn check(&self, now: Timestamp, floor: Timestamp) -> Result<NewDiscount, Error> {
        let mut errors = FieldErrors::default();
        let off = percent(&self.percent).map_err(|problem| errors.push("percent", problem)).ok();
        let from = begin(&self.from, now, floor).map_err(|problem| errors.push("from", problem)).ok();
        let to = match self.until.trim() {
            "" => None,
            text => match Timestamp::parse_end(text) {
                Some(end) if from.is_none_or(|from| end > from) => Some(end),
                Some(end) => {
                    errors.push("until", if end <= now { Problem::InThePast { now } } else { Problem::EndsBeforeStart });
                    None
                }
                None => {
                    errors.push("until", Problem::NotADate { example: DATE.into() });
                    None
                }
            },
        };
        let reason = reason(&self.reason).map_err(|problem| errors.push("reason", problem)).ok();
        errors.finish()?;
        match (off, from, reason) {
            (Some(off), Some(from), Some(reason)) => Ok(NewDiscount { off, from, to, reason }),
            _ => Err(Error::field("percent", Problem::Missing)),
        }
    }
}

/// Above 0 and up to 100, with at most two decimals.
fn percent(text: &str) -> Result<BasisPoints, Problem> {
    let micros = match money::parse_micros(text.trim().trim_end_matches(['%', ' '])) {
        _ if text.trim().is_empty() => return Err(Problem::Missing),
        Some(micros) => micros,
        None => return Err(Problem::NotANumber),
    };
    if micros % 10_000 != 0 {
        return Err(Problem::BadFormat { example: "12.50".into() });
    }
    let points = u32::try_from(micros / 10_000).ok().filter(|points| *points > 0);
    points.and_then(BasisPoints::new).ok_or(Problem::NotAboveZero { max: 100 })
}

/// What stands on the bill beside an amount that nobody metered: 1 to 200 characters.
pub(crate) fn reason(text: &str) -> Result<String, Problem> {
    texts::check_some(text, MAX_REASON).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_226_400);

    fn price(quoted: &str, price: &str, from: &str) -> Result<Price, Error> {
        PriceForm { meter: "cpu-core-hour".into(), price: price.into(), quoted: quoted.into(), from: from.into() }.check(NOW, NOW)
    }

    #[test]
    fn a_price_by_the_minute_is_sixty_times_as_much_by_the_hour() {
        let price = price("minute", "0.12", "2026-12-01").expect("a good price");
        assert_eq!((price.unit_micros, price.quoted), (7_200_000, Quoted::Minute));
        assert_eq!(price.from.to_rfc3339(), "2026-11-30T16:00:00Z");
    }

    #[test]
    fn what_was_counted_keeps_its_price() {
        let problem = |from: &str| match price("", "1", from) {
            Err(Error::Invalid(problems)) => problems[0].problem.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(problem("2026-11-20"), Problem::AlreadyMetered { to: NOW });
        assert!(matches!(problem("2026-11-31"), Problem::NotADate { .. }));
        assert_eq!(price("", "1", "").expect("from now on").from, NOW);
    }

    #[test]
    fn every_problem_of_a_form_is_named_at_once() {
        let form = PriceForm { meter: "gpu-abacus-hour".into(), price: "-1".into(), quoted: "day".into(), from: "soon".into() };
        let Err(Error::Invalid(problems)) = form.check(NOW, NOW) else { panic!("it must be refused") };
        let mut fields: Vec<_> = problems.iter().map(|each| each.field.as_str()).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["from", "meter", "price", "quoted"]);
    }

    #[test]
    fn a_discount_has_a_share_a_time_and_a_reason() {
        let form = |percent: &str, until: &str, reason: &str| DiscountForm {
            percent: percent.into(),
            from: String::new(),
            until: until.into(),
            reason: reason.into(),
        };
        let good = form("12.5", "2026-11-30", "pilot").check(NOW, NOW).expect("a good discount");
        assert_eq!((good.off.get(), good.from, good.to.map(Timestamp::to_rfc3339)), (1_250, NOW, Some("2026-11-30T16:00:00Z".into())));
        for percent in ["0", "0.00", "100.01", "101"] {
            let refused = Error::field("percent", Problem::NotAboveZero { max: 100 });
            assert_eq!(form(percent, "", "x").check(NOW, NOW), Err(refused), "{percent}");
        }
        let hidden = Error::field("reason", Problem::Invisible { character: "U+200B".into() });
        assert_eq!(form("10", "", "pi\u{200b}lot").check(NOW, NOW), Err(hidden), "it stands on bills");
        let decimals = Error::field("percent", Problem::BadFormat { example: "12.50".into() });
        assert_eq!(form("12.345", "", "x").check(NOW, NOW), Err(decimals));
        assert!(form("10", "2026-11-20", "x").check(NOW, NOW).is_err() && form("10", "", " ").check(NOW, NOW).is_err());
        // The end is before the start but in the future, so the error is not "in the past".
        let later = DiscountForm { from: "2026-12-10".into(), ..form("10", "2026-12-01", "x") };
        assert_eq!(later.check(NOW, NOW), Err(Error::field("until", Problem::EndsBeforeStart)));
    }
}
