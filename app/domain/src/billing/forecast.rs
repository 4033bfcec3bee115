//! Forecast of a month's cost: the amount spent, and for the rest of the month the daily average of the last seven full days,
//! which hold each day of the week once. Simple on purpose: the page says the method in one sentence.

use serde::{Deserialize, Serialize};

use crate::{
    money::{self, Money},
    time::{Month, Timestamp},
};

/// Full days that are averaged.
const WINDOW: i64 = 7;
const DAY_SECONDS: i64 = 86_400;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    pub total: Money,
    pub per_day: Money,
    /// How many full days the average is of: 7, or as many as there are since the first spending.
    pub days: u32,
}

/// `by_day`: campus day and micro-units, in any order, of at least the last seven days. `None` for a month that is over, or
/// before there is a full day to go by.
pub fn forecast(spent: Money, by_day: &[(i64, i64)], now: Timestamp, month: Month) -> Option<Forecast> {
    if now >= month.end() {
        return None;
    }
    let today = now.campus_day();
    let first = by_day.iter().map(|(day, _)| *day).min()?.max(today - WINDOW);
    let days = today - first;
    if days <= 0 {
        return None;
    }
    let sum = money::sum(by_day.iter().filter(|(day, _)| (first..today).contains(day)).map(|(_, micros)| *micros));
    let per_day = sum / days;
    let left = month.end().seconds_since(now.max(month.start()));
    let rest = i128::from(per_day) * i128::from(left) / i128::from(DAY_SECONDS);
    let total = Money::new(spent.micros.saturating_add(i64::try_from(rest).unwrap_or(i64::MAX)), spent.currency);
    Some(Forecast { total, per_day: Money::new(per_day, spent.currency), days: u32::try_from(days).unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn the_last_seven_days_go_on_to_the_end_of_the_month() {
        let month: Month = "2026-11".parse().expect("a month");
        let now = month.start().plus_seconds(20 * DAY_SECONDS);
        let today = now.campus_day();
        let mut days: Vec<_> = (1..=7).map(|back| (today - back, 10)).collect();
        days.push((today - 8, 1_000));
        let forecast = |days: &[(i64, i64)], now| forecast(Money::new(100, Currency::Cny), days, now, month);
        let full = forecast(&days, now).expect("a forecast");
        assert_eq!((full.total.micros, full.per_day.micros, full.days), (200, 10, 7));
        let young = forecast(&[(today - 2, 30), (today, 5)], now).expect("a forecast");
        assert_eq!((young.per_day.micros, young.days), (15, 2), "a day without spending since the first counts as nothing spent");
        assert_eq!(forecast(&[(today, 5)], now), None, "no full day yet");
        assert_eq!(forecast(&days, month.end()), None, "a month that is over is no forecast");
    }
}
