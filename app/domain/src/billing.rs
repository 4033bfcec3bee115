//! Bills: a month of a course, summed from usage lines that lead to the labs (E5), with adjustments that say why.

mod adjustment;
mod burn_down;
mod forecast;
mod overview;

pub use adjustment::{Adjustment, AdjustmentForm, AdjustmentKind, NewAdjustment};
pub use burn_down::{BudgetTerm, BurnDown, THRESHOLDS, budget_term};
pub use forecast::{Forecast, forecast};
pub use overview::{CourseMonth, DaySpend, Dimension, Group, MonthBill, Overview, PriceEffect};

use serde::{Deserialize, Serialize};

use crate::{
    courses::CourseRef,
    ids::LabId,
    metering::UsageRecord,
    money::{Currency, Money},
    pricing::Meter,
    time::{Month, Timestamp},
};

/// One line: a lab's use of one meter in the month, all its intervals together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillLine {
    pub lab: LabId,
    pub lab_name: String,
    pub owner_name: String,
    pub meter: Meter,
    /// Quantity times seconds, added up over the intervals.
    pub unit_seconds: i64,
    pub amount: Money,
    /// An interval is still counting.
    pub open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    pub course: CourseRef,
    pub month: Month,
    pub currency: Currency,
    pub lines: Vec<BillLine>,
    pub adjustments: Vec<Adjustment>,
    /// Lines and adjustments.
    pub total: Money,
    /// `None` while the month is open.
    pub closing: Option<Closing>,
    /// Usage is counted up to here.
    pub counted_to: Timestamp,
}

/// A course's month in a list of bills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillSummary {
    pub course: CourseRef,
    pub month: Month,
    /// With adjustments.
    pub total: Money,
    pub adjustments: Money,
    pub labs: u32,
    pub closed: bool,
}

/// When a tenant's month was closed: from then on none of its bills changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    pub month: Month,
    pub at: Timestamp,
    /// Name of the person.
    pub by: Option<String>,
}

/// A bill's name: `2026-11_CV2402`, or with the course's id in place of its code.
pub fn bill_id(month: Month, course: impl std::fmt::Display) -> String {
    format!("{month}_{course}")
}

/// Month and course of a bill's name.
pub fn parse_bill_id(text: &str) -> Option<(Month, &str)> {
    let (month, course) = text.split_once('_')?;
    Some((month.parse().ok()?, course)).filter(|(_, course)| !course.is_empty())
}

/// Sums usage into lines, ordered by lab and meter. `owner` gives a lab's owner.
pub fn lines(records: &[UsageRecord], owner: impl Fn(LabId) -> String) -> Vec<BillLine> {
    let mut sums = std::collections::BTreeMap::<(&str, Meter), BillLine>::new();
    for record in records {
        let line = &record.line;
        let sum = sums.entry((record.lab_name.as_str(), line.meter)).or_insert_with(|| BillLine {
            lab: record.lab,
            lab_name: record.lab_name.clone(),
            owner_name: owner(record.lab),
            meter: line.meter,
            unit_seconds: 0,
            amount: Money::zero(line.amount.currency),
            open: false,
        });
        sum.unit_seconds += line.quantity * line.seconds;
        sum.amount = sum.amount.plus(line.amount);
        sum.open |= line.open;
    }
    sums.into_values().collect()
}
