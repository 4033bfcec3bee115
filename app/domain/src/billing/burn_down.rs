//! A course's budget over the term: what is left day by day, the even pace, and where the present pace leads.

use serde::{Deserialize, Serialize};

use crate::{
    courses::CourseRef,
    money::Money,
    time::{Month, Timestamp},
};

/// Percent of the budget at which the chart has a mark.
pub const THRESHOLDS: [i64; 2] = [80, 100];

/// First and last month of the term that holds this one: September to January, February to August.
fn term(month: Month) -> (Month, Month) {
    let year = month.year();
    let of = |year, number| Month::new(year, number).unwrap_or(month);
    match month.month() {
        1 => (of(year - 1, 9), of(year, 1)),
        2..=8 => (of(year, 2), of(year, 8)),
        _ => (of(year, 9), of(year + 1, 1)),
    }
}

/// First and last campus day of a budget's term, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetTerm {
    pub first: i64,
    pub last: i64,
}

/// The budget's own term, if it has one. If one side is open, the academic term that holds the month fills it in.
pub fn budget_term(month: Month, from: Option<Timestamp>, to: Option<Timestamp>) -> BudgetTerm {
    let (first, last) = term(month);
    let first = from.unwrap_or(first.start()).campus_day();
    // `to` is exclusive: the budget grants nothing from then on.
    let last = to.unwrap_or(last.end()).plus_seconds(-1).campus_day();
    BudgetTerm { first, last: last.max(first) }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BurnDown {
    pub course: CourseRef,
    pub budget: Money,
    /// The term, as campus days; `last` belongs to it.
    pub first: i64,
    pub last: i64,
    /// The day up to which there are figures.
    pub today: i64,
    /// Spent before the term.
    pub before: Money,
    /// Campus day and what was spent on it, in order; days without spending are left out.
    pub days: Vec<(i64, Money)>,
    /// What a day costs at the present pace; `None` without a full day to go by.
    pub per_day: Option<Money>,
}

impl BurnDown {
    /// What is left at the end of each day from the first of the term to today.
    pub fn left(&self) -> Vec<(i64, Money)> {
        let mut left = self.budget.minus(self.before);
        let mut days = self.days.iter().peekable();
        (self.first..=self.today.min(self.last))
            .map(|day| {
                while let Some((_, spent)) = days.next_if(|(spent_on, _)| *spent_on <= day) {
                    left = left.minus(*spent);
                }
                (day, left)
            })
            .collect()
    }

    /// The day on which the budget is used up at the present pace, if that is within the term. Today when it is used up already.
    pub fn runs_out(&self) -> Option<i64> {
        let left = self.left().last().map_or(self.budget.minus(self.before), |(_, left)| *left);
        if left.micros <= 0 {
            return Some(self.today);
        }
        let per_day = self.per_day.filter(|per_day| per_day.micros > 0)?;
        let day = self.today + left.micros / per_day.micros + 1;
        (day <= self.last).then_some(day)
    }

    /// The rest of the budget at the end of the term at the present pace; negative if the budget does not last.
    pub fn at_end(&self) -> Option<Money> {
        let left = self.left().last().map(|(_, left)| *left)?;
        let per_day = self.per_day?;
        let days = (self.last - self.today).max(0);
        Some(Money::new(left.micros.saturating_sub(per_day.micros.saturating_mul(days)), left.currency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::CourseId, money::Currency};

    #[test]
    fn the_budget_lasts_or_runs_out_at_the_present_pace() {
        let yuan = |units| Money::units(units, Currency::Cny);
        let mut burn = BurnDown {
            course: CourseRef { id: CourseId::from_uuid(uuid::Uuid::from_u128(1)), code: "CV2402".into(), name: "Vision".into() },
            budget: yuan(100),
            first: 10,
            last: 40,
            today: 13,
            before: yuan(10),
            days: vec![(11, yuan(20)), (13, yuan(10))],
            per_day: Some(yuan(4)),
        };
        assert_eq!(burn.left().iter().map(|(_, left)| left.micros / 1_000_000).collect::<Vec<_>>(), [90, 70, 70, 60]);
        assert_eq!((burn.runs_out(), burn.at_end()), (Some(29), Some(yuan(-48))));
        burn.per_day = Some(yuan(1));
        assert_eq!((burn.runs_out(), burn.at_end()), (None, Some(yuan(33))));
        burn.budget = yuan(30);
        assert_eq!(burn.runs_out(), Some(13));
    }

    #[test]
    fn terms_begin_in_september_and_february() {
        let term_of = |text: &str| {
            let (first, last) = term(text.parse().expect("a month"));
            format!("{first} {last}")
        };
        assert_eq!(
            ["2026-11", "2027-01", "2027-02", "2026-08"].map(term_of),
            ["2026-09 2027-01", "2026-09 2027-01", "2027-02 2027-08", "2026-02 2026-08"]
        );
    }

    #[test]
    fn a_budget_with_a_term_of_its_own_burns_down_over_that() {
        let month = "2026-11".parse().expect("a month");
        let day = |text: &str| Timestamp::parse_campus_day(text).expect("a day");
        let shown = |from: Option<&str>, to: Option<&str>| {
            let term = budget_term(month, from.map(day), to.map(day));
            format!("{} {}", Timestamp::of_campus_day(term.first).on_campus().date(), Timestamp::of_campus_day(term.last).on_campus().date())
        };
        assert_eq!(shown(Some("2026-11-01"), Some("2026-12-01")), "2026-11-01 2026-11-30");
        assert_eq!(shown(Some("2026-10-15"), None), "2026-10-15 2027-01-31");
        assert_eq!(shown(None, Some("2026-12-24")), "2026-09-01 2026-12-23");
        assert_eq!(shown(None, None), "2026-09-01 2027-01-31");
    }
}
