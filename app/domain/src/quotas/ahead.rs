//! Quota at known times: an order for a lesson counts only while the lesson runs, a lab until it ends (B3, D2).

use serde::{Deserialize, Serialize};

use super::{Amounts, QuotaStatus};
use crate::{gpu::CardShare, money::Money, orders::class::Span, time::Timestamp};

/// Orders for one lesson that wait for a decision or for their time, together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    pub span: Span,
    pub amounts: Amounts,
    /// Cards of those that are approved and start by themselves.
    pub starting: CardShare,
}

/// Labs that hold cards until a planned end, together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    pub at: Timestamp,
    pub amounts: Amounts,
}

impl Amounts {
    /// So many of the same.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        let count = i64::from(count);
        Self {
            cards: self.cards.times(count),
            cpu_cores: self.cpu_cores.saturating_mul(count),
            memory_gib: self.memory_gib.saturating_mul(count),
            storage_gib: self.storage_gib.saturating_mul(count),
            running_labs: self.running_labs.saturating_mul(count),
        }
    }
}

impl QuotaStatus {
    /// Takes up what is booked: what is due `now` is held like any other order that waits, and what starts today counts as started.
    #[must_use]
    pub fn with_bookings(mut self, booked: Vec<Booking>, now: Timestamp) -> Self {
        let today = Span { from: now.start_of_campus_day(), to: now.end_of_campus_day() };
        for booking in &booked {
            if booking.span.holds(now) {
                self.held = self.held.plus(booking.amounts);
            }
            if today.holds(booking.span.from) {
                self.started_today = self.started_today.plus(booking.starting);
            }
        }
        self.booked = booked;
        self
    }

    /// As it is for something that runs in `span`: what is booked counts where it overlaps, and for a time to come labs that end before it
    /// do not count but for their volumes. What waits without a time counts always.
    #[must_use]
    pub fn during(&self, span: Span, now: Timestamp) -> Self {
        let mut status = self.clone();
        for booking in &self.booked {
            if booking.span.holds(now) {
                status.held = status.held.minus(booking.amounts);
            }
            if booking.span.overlaps(&span) {
                status.held = status.held.plus(booking.amounts);
            }
        }
        if span.from > now {
            for ending in self.ends.iter().filter(|ending| ending.at <= span.from) {
                status.used = status.used.minus(Amounts { storage_gib: 0, ..ending.amounts });
            }
            status.started_today = self.started_on(span.from, now);
        }
        status
    }

    /// Whole-card equivalents that start on the campus day of `at`, as far as it is known `now`.
    fn started_on(&self, at: Timestamp, now: Timestamp) -> CardShare {
        if at.campus_day() == now.campus_day() {
            return self.started_today;
        }
        let day = self.booked.iter().filter(|booking| booking.span.from.campus_day() == at.campus_day());
        day.fold(CardShare::ZERO, |sum, booking| sum.plus(booking.starting))
    }

    /// As it would be without the hold of one waiting order: `span` as it was booked, `None` for one without a time.
    #[must_use]
    pub fn without_hold(&self, amounts: Amounts, money: Money, span: Option<Span>, now: Timestamp) -> Self {
        let mut status = self.clone();
        status.budget.held = status.budget.held.minus(money);
        let Some(span) = span else {
            status.held = status.held.minus(amounts);
            return status;
        };
        if let Some(booking) = status.booked.iter_mut().find(|booking| booking.span == span) {
            booking.amounts = booking.amounts.minus(amounts);
            if span.holds(now) {
                status.held = status.held.minus(amounts);
            }
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quotas::tests::status;

    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn cards(cards: i64) -> Amounts {
        Amounts { cards: CardShare::whole(cards), running_labs: cards, storage_gib: 10 * cards, ..Amounts::default() }
    }

    /// Two cards from 1000 to 2000, and one from 5000 to 6000 that is approved.
    fn booked(now: i64) -> QuotaStatus {
        let booking = |from, to, count, starting| Booking {
            span: Span { from: at(from), to: at(to) },
            amounts: cards(count),
            starting: CardShare::whole(starting),
        };
        status().with_bookings(vec![booking(1_000, 2_000, 2, 0), booking(5_000, 6_000, 1, 1)], at(now))
    }

    fn in_use(status: &QuotaStatus) -> i64 {
        status.in_use().cards.parts() / 840
    }

    #[test]
    fn lessons_count_where_they_run_and_nowhere_else() {
        let of = |now, from, to| in_use(&booked(now).during(Span { from: at(from), to: at(to) }, at(now)));
        assert_eq!(in_use(&booked(0)), 3, "as without them");
        assert_eq!(in_use(&booked(1_500)), 5, "what is due is held");
        assert_eq!(in_use(&booked(2_000)), 3, "what is over is not");
        assert_eq!((of(0, 0, 1_000), of(0, 0, 1_001), of(0, 1_500, 5_500), of(0, 2_000, 5_000)), (3, 5, 6, 3));
        assert_eq!(of(1_500, 2_000, 3_000), 3, "what is due now is over then");
        assert_eq!(booked(0).budget.held, status().budget.held, "money is held whenever it runs");
    }

    #[test]
    fn labs_that_end_before_do_not_count_for_a_time_to_come() {
        let status = QuotaStatus { ends: vec![Ending { at: at(500), amounts: cards(2) }], ..booked(0) };
        let of = |from, to| status.during(Span { from: at(from), to: at(to) }, at(0)).in_use();
        assert_eq!(of(0, 900).cards, CardShare::whole(3), "for what starts at once they are there");
        assert_eq!(of(400, 900).cards, CardShare::whole(3));
        assert_eq!(of(500, 900).cards, CardShare::whole(1));
        assert_eq!(of(500, 900).storage_gib, of(0, 900).storage_gib, "their volumes stay");
    }

    #[test]
    fn what_starts_on_a_day_counts_on_that_day() {
        assert_eq!(booked(0).started_today, CardShare::whole(1), "approved for later today");
        let next_week = Span { from: at(7 * DAY), to: at(7 * DAY + 10) };
        assert_eq!(booked(0).during(next_week, at(0)).started_today, CardShare::ZERO);
        let then = booked(-DAY).during(Span { from: at(100), to: at(200) }, at(-DAY));
        assert_eq!(then.started_today, CardShare::whole(1));
    }

    #[test]
    fn an_order_looks_at_the_course_without_its_own_hold() {
        let span = Span { from: at(1_000), to: at(2_000) };
        let money = Money::units(5, status().budget.limit.currency);
        for now in [0, 1_500] {
            let without = booked(now).without_hold(cards(1), money, Some(span), at(now));
            assert_eq!(in_use(&without.during(span, at(now))), 4, "one of the two is its own");
            assert_eq!(without.budget.held, status().budget.held.minus(money));
        }
        assert_eq!(in_use(&booked(0).without_hold(cards(1), money, None, at(0))), 2);
    }
}
