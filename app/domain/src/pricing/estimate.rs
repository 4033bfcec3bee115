//! What a lab will cost before anybody orders it: the same rating as metering, from now on.

use serde::{Deserialize, Serialize};

use super::{BasisPoints, Meter, PriceBook, kept_meters, running_meters};
use crate::{catalogue::LabSpec, error::Error, money::Money, time::Timestamp};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EstimateLine {
    pub meter: Meter,
    /// Cards, cores, GiB.
    pub quantity: i64,
    /// Before the discount.
    pub unit_price: Money,
    #[serde(default)]
    pub discount: BasisPoints,
    pub per_hour: Money,
    pub total: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    pub lines: Vec<EstimateLine>,
    pub per_hour: Money,
    /// For `minutes`.
    pub total: Money,
    pub minutes: u32,
}

impl PriceBook {
    /// What a lab costs for `minutes` from `at` on, all of it running; a price or discount that is planned to change within counts from
    /// its day on. Source: B2, E4. Errors: [`Error::PriceMissing`].
    pub fn estimate(&self, spec: &LabSpec, minutes: u32, at: Timestamp) -> Result<Estimate, Error> {
        let end = at.plus_minutes(minutes.into());
        let mut lines = Vec::new();
        let mut per_hour = Money::zero(self.currency);
        let mut total = Money::zero(self.currency);
        for (meter, quantity) in running_meters(spec).into_iter().chain(kept_meters(spec)) {
            let rate = self.rate(meter, at)?;
            let pieces = self.rated(meter, quantity, at, end)?;
            let line = EstimateLine {
                meter,
                quantity,
                unit_price: rate.unit_price,
                discount: rate.discount,
                per_hour: rate.amount(meter, quantity, 3_600),
                total: pieces.iter().fold(Money::zero(self.currency), |sum, piece| sum.plus(piece.amount)),
            };
            per_hour = per_hour.plus(line.per_hour);
            total = total.plus(line.total);
            lines.push(line);
        }
        Ok(Estimate { lines, per_hour, total, minutes })
    }
}
