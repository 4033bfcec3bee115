//! Discounts of a tenant: a share off every unit price from one instant to another, with the reason for the bill's reader.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ids::DiscountId, time::Timestamp};

/// A share in hundredths of a percent: 2,000 is 20 %. Never above the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BasisPoints(u32);

impl BasisPoints {
    pub const NONE: Self = Self(0);
    pub const WHOLE: Self = Self(10_000);

    /// `None` above the whole.
    pub const fn new(points: u32) -> Option<Self> {
        if points <= 10_000 { Some(Self(points)) } else { None }
    }
    pub const fn get(self) -> u32 {
        self.0
    }
    /// What is left of the whole.
    pub const fn rest(self) -> u32 {
        10_000 - self.0
    }
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// `20`, `12.5`, `0.25`: percent without the sign.
impl fmt::Display for BasisPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match rest {
            0 => write!(f, "{whole}"),
            rest if rest.is_multiple_of(10) => write!(f, "{whole}.{}", rest / 10),
            rest => write!(f, "{whole}.{rest:02}"),
        }
    }
}

/// A tenant's discount. Two never hold at the same instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discount {
    pub id: DiscountId,
    pub off: BasisPoints,
    pub from: Timestamp,
    /// Until just before this instant; `None` while no end is set. One that ends where it begins never held.
    pub to: Option<Timestamp>,
    pub reason: String,
}

impl Discount {
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    /// Whether there is an instant at which both hold.
    pub fn overlaps(&self, other: &Self) -> bool {
        let empty = |one: &Self| one.to.is_some_and(|to| to <= one.from);
        let before = |one: &Self, two: &Self| one.to.is_some_and(|to| to <= two.from);
        !empty(self) && !empty(other) && !before(self, other) && !before(other, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discount(from: i64, to: Option<i64>) -> Discount {
        let id = DiscountId::from_uuid(uuid::Uuid::from_u128(1));
        let off = BasisPoints::new(2_000).expect("a share");
        Discount { id, off, from: Timestamp::from_seconds(from), to: to.map(Timestamp::from_seconds), reason: "pilot".into() }
    }

    #[test]
    fn a_discount_holds_from_its_first_instant_to_just_before_its_last() {
        let one = discount(10, Some(20));
        let held: Vec<_> = [9, 10, 19, 20].into_iter().map(|at| one.holds(Timestamp::from_seconds(at))).collect();
        assert_eq!(held, [false, true, true, false]);
        assert!(one.overlaps(&discount(19, None)) && !one.overlaps(&discount(20, None)) && !one.overlaps(&discount(15, Some(15))));
    }

    #[test]
    fn shares_are_written_in_percent() {
        let text = |points| BasisPoints::new(points).expect("a share").to_string();
        assert_eq!([text(2_000), text(1_250), text(25), text(10_000)], ["20", "12.5", "0.25", "100"]);
        assert_eq!(BasisPoints::new(10_001), None);
    }
}
