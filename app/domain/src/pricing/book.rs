//! Price books: dated unit prices in one currency, with the discounts of the tenant that reads them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Discount, Meter};
use crate::{
    error::Error,
    ids::{PriceBookId, TenantId},
    money::{Currency, Money},
    time::Timestamp,
};

/// How a price is quoted (E4). Whatever it is, usage is counted by the second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quoted {
    /// By the hour; by the month for storage.
    #[default]
    Unit,
    /// Elastic, by the minute: always shown with its price by the hour, which is sixty times as much.
    Minute,
}

impl Quoted {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Minute => "minute",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Unit, Self::Minute].into_iter().find(|quoted| quoted.as_str() == text)
    }
}

/// A unit price from `from` on, until the next row of the same meter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    pub meter: Meter,
    /// Micro-units of the book's currency per unit (card-hour, core-hour, GiB-hour, GiB-month), however it is quoted.
    pub unit_micros: i64,
    pub from: Timestamp,
    #[serde(default)]
    pub quoted: Quoted,
}

impl Price {
    /// Quoted by the unit.
    pub const fn new(meter: Meter, unit_micros: i64, from: Timestamp) -> Self {
        Self { meter, unit_micros, from, quoted: Quoted::Unit }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceBook {
    pub id: PriceBookId,
    pub currency: Currency,
    pub prices: Vec<Price>,
    /// Of the tenant that the book is read for.
    #[serde(default)]
    pub discounts: Vec<Discount>,
}

impl PriceBook {
    /// Without prices or discounts.
    pub const fn empty(id: PriceBookId, currency: Currency) -> Self {
        Self { id, currency, prices: Vec::new(), discounts: Vec::new() }
    }

    /// The row that holds at an instant.
    pub fn row(&self, meter: Meter, at: Timestamp) -> Option<&Price> {
        self.prices.iter().filter(|price| price.meter == meter && price.from <= at).max_by_key(|price| price.from)
    }

    /// The unit price at an instant, without discounts. Errors: [`Error::PriceMissing`].
    pub fn price(&self, meter: Meter, at: Timestamp) -> Result<Money, Error> {
        self.row(meter, at).map(|price| Money::new(price.unit_micros, self.currency)).ok_or_else(|| Error::PriceMissing { meter: meter.to_string() })
    }

    /// Instants strictly inside (`from`, `to`) where the rate of `meter` changes; rating cuts there.
    pub fn changes(&self, meter: Meter, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let prices = self.prices.iter().filter(|price| price.meter == meter).map(|price| price.from);
        let discounts = self.discounts.iter().flat_map(|each| [Some(each.from), each.to]).flatten();
        let mut cuts: Vec<_> = prices.chain(discounts).filter(|at| *at > from && *at < to).collect();
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }

    /// All rows of a meter, the latest first.
    pub fn history(&self, meter: Meter) -> Vec<&Price> {
        let mut rows: Vec<_> = self.prices.iter().filter(|price| price.meter == meter).collect();
        rows.sort_unstable_by_key(|price| std::cmp::Reverse(price.from));
        rows
    }
}

/// Every tenant's book: its own, or everybody's with its discounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    own: BTreeMap<TenantId, PriceBook>,
    everybody: Option<PriceBook>,
}

impl Books {
    /// `None` marks the book for tenants without one.
    pub fn new(books: Vec<(Option<TenantId>, PriceBook)>, discounts: Vec<(TenantId, Discount)>) -> Self {
        let mut all = Self::default();
        for (tenant, book) in books {
            match tenant {
                Some(tenant) => _ = all.own.insert(tenant, book),
                None => all.everybody = Some(book),
            }
        }
        for (tenant, discount) in discounts {
            let book = match (all.own.remove(&tenant), &all.everybody) {
                (Some(own), _) => own,
                (None, Some(everybody)) => everybody.clone(),
                (None, None) => continue,
            };
            all.own.entry(tenant).or_insert(book).discounts.push(discount);
        }
        all
    }

    pub fn of(&self, tenant: TenantId) -> Option<&PriceBook> {
        self.own.get(&tenant).or(self.everybody.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::DiscountId, pricing::BasisPoints};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn book() -> PriceBook {
        let mut book = PriceBook::empty(PriceBookId::from_uuid(uuid::Uuid::from_u128(1)), Currency::Cny);
        book.prices = vec![Price::new(Meter::CpuCoreHour, 100, at(0)), Price::new(Meter::CpuCoreHour, 200, at(1_000))];
        book
    }

    #[test]
    fn the_price_is_that_of_the_day() {
        let book = book();
        let price = |seconds| book.price(Meter::CpuCoreHour, at(seconds)).map(|money| money.micros);
        assert_eq!(price(999), Ok(100));
        assert_eq!(price(1_000), Ok(200));
        assert_eq!(price(-1), Err(Error::PriceMissing { meter: "cpu-core-hour".into() }));
        assert_eq!(book.changes(Meter::CpuCoreHour, at(0), at(2_000)), [at(1_000)]);
    }

    #[test]
    fn a_discount_belongs_to_its_tenant_and_cuts_what_spans_its_ends() {
        let tenant = |number| TenantId::from_uuid(uuid::Uuid::from_u128(number));
        let off = BasisPoints::new(2_500).expect("a share");
        let id = DiscountId::from_uuid(uuid::Uuid::from_u128(9));
        let discount = Discount { id, off, from: at(500), to: Some(at(1_500)), reason: "pilot".into() };
        let books = Books::new(vec![(None, book())], vec![(tenant(1), discount)]);
        let off_at = |number, seconds| {
            books.of(tenant(number)).and_then(|book| book.rate(Meter::CpuCoreHour, at(seconds)).ok()).map(|rate| rate.discount.get())
        };
        assert_eq!((off_at(1, 499), off_at(1, 500), off_at(1, 1_500), off_at(2, 500)), (Some(0), Some(2_500), Some(0), Some(0)));
        let pieces = books.of(tenant(1)).expect("a book").rated(Meter::CpuCoreHour, 1, at(0), at(2_000)).expect("prices");
        let shown: Vec<_> = pieces.iter().map(|piece| (piece.seconds, piece.rate.unit_price.micros, piece.rate.discount.get())).collect();
        assert_eq!(shown, [(500, 100, 0), (500, 100, 2_500), (500, 200, 2_500), (500, 200, 0)]);
    }
}
