//! A month at a glance: what was spent, on what, by whom, and where it leads.

use serde::{Deserialize, Serialize};

use super::{BurnDown, Closing, Forecast};
use crate::{
    catalogue::Localized,
    courses::CourseRef,
    ids::CourseId,
    money::Money,
    pricing::Meter,
    time::{Month, Timestamp},
};

/// A dimension by which a month's spending is broken down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    #[default]
    Course,
    Offering,
    /// Kind of card.
    Card,
    /// The lab's owner.
    Person,
}

impl Dimension {
    pub const ALL: [Self; 4] = [Self::Course, Self::Offering, Self::Card, Self::Person];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Course => "course",
            Self::Offering => "offering",
            Self::Card => "card",
            Self::Person => "person",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.as_str() == text)
    }
}

/// One part of a breakdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Code of the course, id of the offering, kind of card, id of the person.
    pub key: String,
    pub name: Localized,
    pub labs: u32,
    /// Cards times seconds, a share counting as one of its kind.
    pub card_seconds: i64,
    /// Usage; adjustments belong to courses only.
    pub amount: Money,
}

/// A course's month beside its budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseMonth {
    pub course: CourseRef,
    pub budget: Money,
    /// The budget's own term: usage counts from its start, and it grants nothing from its end on.
    pub budget_from: Option<Timestamp>,
    pub budget_to: Option<Timestamp>,
    /// Amount that counts in the budget: since the course or the budget's term began, with credits and charges.
    pub spent_ever: Money,
    pub usage: Money,
    pub adjustments: Money,
    /// The month before, with adjustments.
    pub previous: Money,
    pub labs: u32,
    pub card_seconds: i64,
}

impl CourseMonth {
    pub fn total(&self) -> Money {
        self.usage.plus(self.adjustments)
    }
}

/// What a course used on a campus day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySpend {
    pub day: i64,
    pub course: CourseId,
    pub micros: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    pub month: Month,
    /// The month that it is on campus now.
    pub this_month: Month,
    pub closing: Option<Closing>,
    /// Usage is counted up to here.
    pub counted_to: Timestamp,
    /// With adjustments.
    pub total: Money,
    pub adjustments: Money,
    pub previous: Money,
    pub forecast: Option<Forecast>,
    /// Every course that the reader sees, by code.
    pub courses: Vec<CourseMonth>,
    pub by: Dimension,
    /// The dearest first.
    pub groups: Vec<Group>,
    /// Of this month, in order.
    pub days: Vec<DaySpend>,
    /// Of the chosen course, or of the one that spent most.
    pub burn_down: Option<BurnDown>,
}

/// A month in the list of months.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthBill {
    pub month: Month,
    pub usage: Money,
    pub adjustments: Money,
    pub closing: Option<Closing>,
}

/// What last month would have cost at other prices: one line for each meter and course that it touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceEffect {
    pub course: CourseRef,
    pub meter: Meter,
    /// Quantity times seconds.
    pub unit_seconds: i64,
    pub was: Money,
    pub would_be: Money,
}
