//! Rating: the price of an instant with its discount, and what a quantity costs for a while. Integers only, rounded once per amount.

use crate::{
    error::Error,
    money::{self, Money},
    pricing::{BasisPoints, Meter, PriceBook},
    time::Timestamp,
};

/// What a unit costs at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Before the discount.
    pub unit_price: Money,
    pub discount: BasisPoints,
}

impl Rate {
    /// `unit price × quantity × seconds ÷ seconds of the unit × (1 − discount)`: micro-units, rounded half up, once.
    pub fn amount(&self, meter: Meter, quantity: i64, seconds: i64) -> Money {
        let unit = i128::from(meter.unit_seconds()) * 10_000;
        let product = i128::from(self.unit_price.micros) * i128::from(quantity) * i128::from(seconds) * i128::from(self.discount.rest());
        let micros = (product + unit / 2).div_euclid(unit);
        // A line is at most as large as the largest amount that can be typed, so lines can be added without overflow.
        let micros = micros.clamp(i128::from(-money::MAX_MICROS), i128::from(money::MAX_MICROS));
        Money::new(i64::try_from(micros).unwrap_or(money::MAX_MICROS), self.unit_price.currency)
    }
}

/// The same without a discount.
pub fn amount(unit_price: Money, meter: Meter, quantity: i64, seconds: i64) -> Money {
    Rate { unit_price, discount: BasisPoints::NONE }.amount(meter, quantity, seconds)
}

/// A stretch of time at one rate, within one campus day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub from: Timestamp,
    pub to: Timestamp,
    pub seconds: i64,
    pub rate: Rate,
    pub amount: Money,
}

impl PriceBook {
    /// The unit price and the discount at an instant. Errors: [`Error::PriceMissing`].
    pub fn rate(&self, meter: Meter, at: Timestamp) -> Result<Rate, Error> {
        let unit_price = self.price(meter, at)?;
        let discount = self.discounts.iter().filter(|each| each.holds(at)).map(|each| each.off).max().unwrap_or_default();
        Ok(Rate { unit_price, discount })
    }

    /// What `quantity` costs from `from` to `to`, cut at every campus midnight (so at month ends too), price change and discount.
    /// Metering and estimates are both this function, so that an estimate is the bill of a lab that runs as ordered.
    /// At least one piece, of no length when there is none. Errors: [`Error::PriceMissing`].
    pub fn rated(&self, meter: Meter, quantity: i64, from: Timestamp, to: Timestamp) -> Result<Vec<Piece>, Error> {
        let mut pieces = Vec::new();
        let mut begin = from;
        for end in self.cuts(meter, from, to).into_iter().chain([to]) {
            let rate = self.rate(meter, begin)?;
            let seconds = end.seconds_since(begin);
            pieces.push(Piece { from: begin, to: end, seconds, rate, amount: rate.amount(meter, quantity, seconds) });
            begin = end;
        }
        Ok(pieces)
    }

    /// Instants strictly inside (`from`, `to`) at which a new piece begins, in order.
    fn cuts(&self, meter: Meter, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let mut cuts = self.changes(meter, from, to);
        let mut midnight = from.end_of_campus_day();
        while midnight < to {
            cuts.push(midnight);
            midnight = midnight.end_of_campus_day();
        }
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn amounts_are_exact_and_rounded_half_up_once() {
        let price = Money::new(750_000, Currency::Cny);
        assert_eq!(amount(price, Meter::CpuCoreHour, 1, 3_600).micros, 750_000);
        assert_eq!(amount(price, Meter::CpuCoreHour, 3, 1).micros, 625);
        assert_eq!(amount(Money::new(1, Currency::Cny), Meter::CpuCoreHour, 1, 1_800).micros, 1);
        assert_eq!(amount(Money::new(1, Currency::Cny), Meter::CpuCoreHour, 1, 1_799).micros, 0);
        assert_eq!(amount(price, Meter::StorageGibMonth, 1, 30 * 86_400).micros, 750_000);
    }

    #[test]
    fn no_line_is_larger_than_can_be_added() {
        let price = Money::units(1_000_000, Currency::Cny);
        assert_eq!(amount(price, Meter::MemoryGibHour, 100_000_000, 86_400).micros, money::MAX_MICROS);
    }

    #[test]
    fn a_discount_is_taken_off_before_the_one_rounding() {
        let rate = Rate { unit_price: Money::new(1, Currency::Cny), discount: BasisPoints::new(5_000).expect("a share") };
        // Half a micro-unit for the hour, which rounds up; rounding twice would give one for half an hour too.
        assert_eq!(rate.amount(Meter::CpuCoreHour, 1, 3_600).micros, 1);
        assert_eq!(rate.amount(Meter::CpuCoreHour, 1, 1_800).micros, 0);
        let all = Rate { discount: BasisPoints::WHOLE, ..rate };
        assert_eq!(all.amount(Meter::CpuCoreHour, 1_000, 3_600).micros, 0);
    }
}
