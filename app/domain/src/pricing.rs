//! Prices and estimates: dated unit prices, integer arithmetic, rounding once per amount (E4).

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::LabSpec,
    error::Error,
    gpu::Card,
    ids::PriceBookId,
    money::{Currency, Money},
    time::Timestamp,
};

/// What is metered and priced (E1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Meter {
    /// One card (or share) of this kind for an hour: `gpu-a100-80g-hour`.
    CardHour(Card),
    /// `cpu-core-hour`
    CpuCoreHour,
    /// `memory-gib-hour`
    MemoryGibHour,
    /// A GiB of volume for a month of 30 days: `storage-gib-month`.
    StorageGibMonth,
}

impl Meter {
    /// Seconds in the meter's unit of time; a storage month has 30 days whatever the calendar says.
    pub const fn unit_seconds(self) -> i64 {
        match self {
            Self::StorageGibMonth => 30 * 86_400,
            _ => 3_600,
        }
    }
}

impl std::fmt::Display for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CardHour(card) => write!(f, "gpu-{card}-hour"),
            Self::CpuCoreHour => f.write_str("cpu-core-hour"),
            Self::MemoryGibHour => f.write_str("memory-gib-hour"),
            Self::StorageGibMonth => f.write_str("storage-gib-month"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown meter {0:?}")]
pub struct UnknownMeter(pub String);

impl std::str::FromStr for Meter {
    type Err = UnknownMeter;
    fn from_str(text: &str) -> Result<Self, UnknownMeter> {
        match text {
            "cpu-core-hour" => Ok(Self::CpuCoreHour),
            "memory-gib-hour" => Ok(Self::MemoryGibHour),
            "storage-gib-month" => Ok(Self::StorageGibMonth),
            other => other
                .strip_prefix("gpu-")
                .and_then(|rest| rest.strip_suffix("-hour"))
                .and_then(|id| id.parse().ok())
                .map(Self::CardHour)
                .ok_or_else(|| UnknownMeter(other.chars().take(64).collect())),
        }
    }
}
impl From<Meter> for String {
    fn from(meter: Meter) -> Self {
        meter.to_string()
    }
}
impl TryFrom<String> for Meter {
    type Error = UnknownMeter;
    fn try_from(text: String) -> Result<Self, UnknownMeter> {
        text.parse()
    }
}

/// A unit price from `from` on, until the next row of the same meter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    pub meter: Meter,
    /// Micro-units of the book's currency per unit (card-hour, core-hour, GiB-hour, GiB-month).
    pub unit_micros: i64,
    pub from: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceBook {
    pub id: PriceBookId,
    pub currency: Currency,
    pub prices: Vec<Price>,
}

impl PriceBook {
    /// The unit price at an instant. Errors: [`Error::PriceMissing`].
    pub fn price(&self, meter: Meter, at: Timestamp) -> Result<Money, Error> {
        self.prices
            .iter()
            .filter(|price| price.meter == meter && price.from <= at)
            .max_by_key(|price| price.from)
            .map(|price| Money::new(price.unit_micros, self.currency))
            .ok_or_else(|| Error::PriceMissing { meter: meter.to_string() })
    }

    /// Instants strictly inside (`from`, `to`) where the price of `meter` changes; rating cuts there.
    pub fn changes(&self, meter: Meter, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let mut cuts: Vec<_> =
            self.prices.iter().filter(|price| price.meter == meter && price.from > from && price.from < to).map(|price| price.from).collect();
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }

    /// What a lab costs for `minutes`, all of it running. Source: B2, E4. Errors: [`Error::PriceMissing`].
    pub fn estimate(&self, spec: &LabSpec, minutes: u32, at: Timestamp) -> Result<Estimate, Error> {
        let seconds = i64::from(minutes) * 60;
        let mut lines = Vec::new();
        let mut per_hour = Money::zero(self.currency);
        let mut total = Money::zero(self.currency);
        for (meter, quantity) in running_meters(spec).into_iter().chain(kept_meters(spec)) {
            let unit_price = self.price(meter, at)?;
            let line = EstimateLine {
                meter,
                quantity,
                unit_price,
                per_hour: amount(unit_price, meter, quantity, 3_600),
                total: amount(unit_price, meter, quantity, seconds),
            };
            per_hour = per_hour.plus(line.per_hour);
            total = total.plus(line.total);
            lines.push(line);
        }
        Ok(Estimate { lines, per_hour, total, minutes })
    }
}

/// Meters that count while a lab runs, with their quantities (whole units).
pub fn running_meters(spec: &LabSpec) -> Vec<(Meter, i64)> {
    [
        (Meter::CardHour(spec.card), i64::from(spec.cards())),
        (Meter::CpuCoreHour, i64::from(spec.total_cpu_cores())),
        (Meter::MemoryGibHour, i64::from(spec.total_memory_gib())),
    ]
    .into_iter()
    .filter(|(_, quantity)| *quantity > 0)
    .collect()
}

/// Meters that count as long as the lab's volume exists.
pub fn kept_meters(spec: &LabSpec) -> Vec<(Meter, i64)> {
    if spec.storage_gib > 0 { vec![(Meter::StorageGibMonth, i64::from(spec.storage_gib))] } else { Vec::new() }
}

/// `quantity` units for `seconds` at `unit_price`: micro-units, rounded half up, once.
pub fn amount(unit_price: Money, meter: Meter, quantity: i64, seconds: i64) -> Money {
    let unit = i128::from(meter.unit_seconds());
    let product = i128::from(unit_price.micros) * i128::from(quantity) * i128::from(seconds);
    let micros = (product + unit / 2).div_euclid(unit);
    Money::new(i64::try_from(micros).unwrap_or(i64::MAX), unit_price.currency)
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EstimateLine {
    pub meter: Meter,
    /// Cards, cores, GiB.
    pub quantity: i64,
    pub unit_price: Money,
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_price_is_that_of_the_day() {
        let book = PriceBook {
            id: PriceBookId::from_uuid(uuid::Uuid::from_u128(1)),
            currency: Currency::Cny,
            prices: vec![
                Price { meter: Meter::CpuCoreHour, unit_micros: 100, from: Timestamp::from_seconds(0) },
                Price { meter: Meter::CpuCoreHour, unit_micros: 200, from: Timestamp::from_seconds(1_000) },
            ],
        };
        let price = |at| book.price(Meter::CpuCoreHour, Timestamp::from_seconds(at)).map(|money| money.micros);
        assert_eq!(price(999), Ok(100));
        assert_eq!(price(1_000), Ok(200));
        assert_eq!(price(-1), Err(Error::PriceMissing { meter: "cpu-core-hour".into() }));
        assert_eq!(book.changes(Meter::CpuCoreHour, Timestamp::from_seconds(0), Timestamp::from_seconds(2_000)), [Timestamp::from_seconds(1_000)]);
    }

    #[test]
    fn meter_names_read_back() {
        for card in Card::all() {
            let meter = Meter::CardHour(card);
            assert_eq!(meter.to_string().parse(), Ok(meter));
        }
        assert!("gpu-abacus-hour".parse::<Meter>().is_err());
    }
}
