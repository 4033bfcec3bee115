//! Metering: usage computed from a lab's recorded state changes, exact to the second, each second once (E2).
//! The same changes always give the same lines, so the job may run twice or resume anywhere.

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::LabSpec,
    courses::CourseRef,
    error::Error,
    gpu::Card,
    ids::LabId,
    labs::{EarlierSize, Lab, LabState, StateChange},
    money::Money,
    pricing::{self, BasisPoints, Meter, PriceBook},
    time::{Month, Timestamp},
};

/// A stretch of time; `open` while it has no end yet and `to` is only "until now".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    pub from: Timestamp,
    pub to: Timestamp,
    pub open: bool,
}

/// A rated piece of usage: one meter, one price, one discount, one campus day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageLine {
    pub meter: Meter,
    /// The kind of card that the lab had at that time, also on lines of other meters.
    pub card: Card,
    /// Cards, cores, GiB.
    pub quantity: i64,
    pub from: Timestamp,
    pub to: Timestamp,
    pub seconds: i64,
    /// Before the discount.
    pub unit_price: Money,
    #[serde(default)]
    pub discount: BasisPoints,
    pub amount: Money,
    pub month: Month,
    /// Still counting.
    pub open: bool,
}

/// A usage line with where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRecord {
    pub lab: LabId,
    pub lab_name: String,
    pub course: CourseRef,
    pub line: UsageLine,
}

/// All inputs that usage is computed from.
#[derive(Debug, Clone, Copy)]
pub struct Life<'a> {
    /// The lab's current or last size.
    pub spec: &'a LabSpec,
    /// Its earlier sizes, oldest first.
    pub earlier: &'a [EarlierSize],
    /// In order of `seq`.
    pub changes: &'a [StateChange],
    /// When the lab stops automatically: pods that run longer are not charged.
    pub stops_at: Option<Timestamp>,
    /// Until when the volume of a lab that is down or was destroyed is charged.
    pub kept_to: Option<Timestamp>,
    /// Periods in which the volume was kept without charge, in order.
    pub free_storage: &'a [(Timestamp, Timestamp)],
    /// Periods that the clock skipped when it was moved ahead, in order.
    pub skipped: &'a [(Timestamp, Timestamp)],
}

impl<'a> Life<'a> {
    /// The life of `lab`, from its recorded sizes and changes.
    pub fn of(lab: &'a Lab, earlier: &'a [EarlierSize], changes: &'a [StateChange]) -> Self {
        Self { spec: &lab.spec, earlier, changes, stops_at: lab.stops_at(), kept_to: lab.kept_to(), free_storage: &[], skipped: &[] }
    }

    /// Intervals in which the lab ran.
    fn running(&self, now: Timestamp) -> Vec<Interval> {
        let to = self.stops_at.map_or(now, |end| end.min(now));
        without(intervals(self.changes, to, |state| state == LabState::Running), self.skipped)
    }

    /// Intervals in which the lab's volume could be used: from the first time that the lab ran until it was due to be destroyed. The volume of
    /// a lab that never ran is not charged, nor is the time that the cluster takes to delete it.
    fn kept(&self, now: Timestamp) -> Vec<Interval> {
        let Some(first) = self.changes.iter().position(|change| change.to == LabState::Running) else {
            return Vec::new();
        };
        let mut kept = intervals(&self.changes[first..], now, |state| !matches!(state, LabState::Destroying | LabState::Destroyed));
        if let (Some(last), Some(end)) = (kept.last_mut(), self.kept_to) {
            last.to = last.to.min(end).max(last.from);
        }
        without(without(kept, self.free_storage), self.skipped)
    }
}

fn intervals(changes: &[StateChange], now: Timestamp, counts: impl Fn(LabState) -> bool) -> Vec<Interval> {
    let mut out: Vec<Interval> = Vec::new();
    let mut since: Option<Timestamp> = None;
    for change in changes {
        match (since, counts(change.to)) {
            (None, true) => since = Some(change.at),
            (Some(from), false) => {
                // A clock set back must not make negative time.
                out.push(Interval { from, to: change.at.max(from), open: false });
                since = None;
            }
            _ => {}
        }
    }
    if let Some(from) = since {
        out.push(Interval { from, to: now.max(from), open: true });
    }
    out
}

/// All usage of a lab until `now`, rated and cut at campus midnights, price changes, discounts and changes of size.
///
/// Lines are keyed by (`meter`, `from`): a later call returns the same lines, with the open ones longer. Errors: [`Error::PriceMissing`].
pub fn usage(life: &Life<'_>, book: &PriceBook, now: Timestamp) -> Result<Vec<UsageLine>, Error> {
    let running = life.running(now);
    let kept = life.kept(now);
    let mut lines = Vec::new();
    let mut since = None;
    for (spec, until) in life.earlier.iter().map(|size| (&size.spec, Some(size.until))).chain([(life.spec, None)]) {
        let metered = pricing::running_meters(spec)
            .into_iter()
            .map(|meter| (meter, &running))
            .chain(pricing::kept_meters(spec).into_iter().map(|meter| (meter, &kept)));
        for ((meter, quantity), intervals) in metered {
            for interval in intervals.iter().filter_map(|interval| within(*interval, since, until)) {
                for piece in book.rated(meter, quantity, interval.from, interval.to)? {
                    lines.push(UsageLine {
                        meter,
                        card: spec.card,
                        quantity,
                        from: piece.from,
                        to: piece.to,
                        seconds: piece.seconds,
                        unit_price: piece.rate.unit_price,
                        discount: piece.rate.discount,
                        amount: piece.amount,
                        month: piece.from.campus_month(),
                        open: interval.open && piece.to == interval.to,
                    });
                }
            }
        }
        since = until;
    }
    Ok(lines)
}

/// The intervals minus these periods, which are in order.
fn without(intervals: Vec<Interval>, stretches: &[(Timestamp, Timestamp)]) -> Vec<Interval> {
    let mut out = Vec::with_capacity(intervals.len() + stretches.len());
    for mut interval in intervals {
        for (from, to) in stretches.iter().copied().filter(|(from, to)| from < to) {
            if to <= interval.from || from >= interval.to {
                continue;
            }
            if from > interval.from {
                out.push(Interval { from: interval.from, to: from, open: false });
            }
            interval.from = to.min(interval.to);
        }
        if interval.from < interval.to || interval.open {
            out.push(interval);
        }
    }
    out
}

/// The part of an interval during which the lab was of one size; `None` when nothing of it was. Without bounds it stays as it is.
fn within(interval: Interval, since: Option<Timestamp>, until: Option<Timestamp>) -> Option<Interval> {
    if since.is_none() && until.is_none() {
        return Some(interval);
    }
    let from = since.map_or(interval.from, |since| interval.from.max(since));
    let ends = until.is_some_and(|until| until < interval.to || (interval.open && until == interval.to));
    let to = until.map_or(interval.to, |until| interval.to.min(until));
    (from < to || (from == to && interval.open && !ends)).then_some(Interval { from, to, open: interval.open && !ends })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{catalogue::Workload, ids::PriceBookId, money::Currency, pricing::Price};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    fn change(seq: i64, to: LabState, when: &str) -> StateChange {
        StateChange { seq, from: None, to, at: at(when), noticed_at: None, ran_until: None, cause: String::new(), by: None }
    }

    fn spec() -> LabSpec {
        LabSpec {
            workload: Workload::Notebook,
            image: "x".into(),
            command: vec![],
            port: 8888,
            card: "a100-80g".parse().expect("a card"),
            cards_per_node: 2,
            nodes: 1,
            cpu_cores: 0,
            memory_gib: 0,
            storage_gib: 100,
            git_url: None,
            environment: BTreeMap::new(),
            secrets: BTreeMap::new(),
            retries: 0,
            health_path: None,
            app_access: None,
        }
    }

    fn of<'a>(spec: &'a LabSpec, changes: &'a [StateChange]) -> Life<'a> {
        Life { spec, earlier: &[], changes, stops_at: None, kept_to: None, free_storage: &[], skipped: &[] }
    }

    fn book() -> PriceBook {
        let price = |meter: &str, unit_micros, from: &str| Price::new(meter.parse().expect("a meter"), unit_micros, at(from));
        PriceBook {
            id: PriceBookId::from_uuid(uuid::Uuid::from_u128(1)),
            currency: Currency::Cny,
            prices: vec![
                price("gpu-a100-80g-hour", 3_600_000, "2026-01-01T00:00:00Z"),
                price("gpu-a100-80g-hour", 7_200_000, "2026-11-30T10:00:00Z"),
                price("storage-gib-month", 2_592_000, "2026-01-01T00:00:00Z"),
            ],
            discounts: Vec::new(),
        }
    }

    fn life() -> Vec<StateChange> {
        vec![
            change(1, LabState::Pending, "2026-11-30T08:59:00Z"),
            change(2, LabState::Starting, "2026-11-30T08:59:30Z"),
            change(3, LabState::Running, "2026-11-30T09:00:00Z"),
            change(4, LabState::Stopping, "2026-11-30T09:00:01Z"),
            change(5, LabState::Stopped, "2026-11-30T09:00:05Z"),
            change(6, LabState::Pending, "2026-11-30T09:58:00Z"),
            change(7, LabState::Starting, "2026-11-30T09:58:30Z"),
            change(8, LabState::Running, "2026-11-30T09:59:59Z"),
        ]
    }

    #[test]
    fn usage_is_exact_to_the_second_and_cut_at_month_and_price() {
        let lines = usage(&of(&spec(), &life()), &book(), at("2026-11-30T16:00:02Z")).expect("prices are there");
        let cards: Vec<_> = lines
            .iter()
            .filter(|line| line.meter != Meter::StorageGibMonth)
            .map(|line| (line.seconds, line.amount.micros, line.month.to_string(), line.open))
            .collect();
        assert_eq!(
            cards,
            [
                (1, 2_000, "2026-11".to_owned(), false),
                (1, 2_000, "2026-11".to_owned(), false),
                (6 * 3_600, 6 * 2 * 7_200_000, "2026-11".to_owned(), false),
                (2, 8_000, "2026-12".to_owned(), true),
            ]
        );
        let storage: i64 = lines.iter().filter(|line| line.meter == Meter::StorageGibMonth).map(|line| line.seconds).sum();
        assert_eq!(storage, at("2026-11-30T16:00:02Z").seconds_since(at("2026-11-30T09:00:00Z")));
    }

    #[test]
    fn running_twice_gives_the_same_lines_with_the_open_one_longer() {
        let first = usage(&of(&spec(), &life()), &book(), at("2026-11-30T15:00:00Z")).expect("prices are there");
        let second = usage(&of(&spec(), &life()), &book(), at("2026-11-30T15:00:09Z")).expect("prices are there");
        assert_eq!(first.len(), second.len());
        for (one, two) in first.iter().zip(&second) {
            assert_eq!((one.meter, one.from, one.open), (two.meter, two.from, two.open));
            assert_eq!(two.seconds - one.seconds, if one.open { 9 } else { 0 });
        }
    }

    /// Second by second, without intervals: what ran at that second, at the size of that second.
    fn recounted(sizes: &[EarlierSize], last: &LabSpec, changes: &[StateChange], until: Timestamp) -> BTreeMap<(Meter, i64), i64> {
        let mut seconds = BTreeMap::new();
        let begin = changes[0].at;
        for second in 0..until.seconds_since(begin) {
            let at = begin.plus_seconds(second);
            let spec = sizes.iter().find(|size| at < size.until).map_or(last, |size| &size.spec);
            let state = changes.iter().rfind(|change| change.at <= at).map(|change| change.to);
            let started = changes.iter().any(|change| change.at <= at && change.to == LabState::Running);
            let mut count = |(meter, quantity)| *seconds.entry((meter, quantity)).or_default() += 1;
            if state == Some(LabState::Running) {
                pricing::running_meters(spec).into_iter().for_each(&mut count);
            }
            if started && !matches!(state, Some(LabState::Destroying | LabState::Destroyed)) {
                pricing::kept_meters(spec).into_iter().for_each(&mut count);
            }
        }
        seconds
    }

    #[test]
    fn a_change_of_size_splits_the_interval_and_a_recount_second_by_second_agrees() {
        let changes = [
            change(1, LabState::Pending, "2026-11-30T08:59:00Z"),
            change(2, LabState::Starting, "2026-11-30T08:59:30Z"),
            change(3, LabState::Running, "2026-11-30T09:00:00Z"),
            change(4, LabState::Starting, "2026-11-30T09:10:00Z"),
            change(5, LabState::Running, "2026-11-30T09:10:40Z"),
            change(6, LabState::Stopping, "2026-11-30T09:20:00Z"),
            change(7, LabState::Stopped, "2026-11-30T09:20:05Z"),
            change(8, LabState::Pending, "2026-11-30T09:40:00Z"),
            change(9, LabState::Starting, "2026-11-30T09:40:10Z"),
            change(10, LabState::Running, "2026-11-30T09:40:30Z"),
        ];
        let now = at("2026-11-30T09:50:00Z");
        let sizes = [
            EarlierSize { until: at("2026-11-30T09:10:00Z"), spec: LabSpec { cards_per_node: 1, ..spec() } },
            EarlierSize { until: at("2026-11-30T09:30:00Z"), spec: LabSpec { cards_per_node: 4, ..spec() } },
        ];
        let last = LabSpec { storage_gib: 200, ..spec() };
        let lines = usage(&Life { earlier: &sizes, ..of(&last, &changes) }, &book(), now).expect("prices are there");
        let mut found = BTreeMap::new();
        let mut keys = std::collections::BTreeSet::new();
        for line in &lines {
            *found.entry((line.meter, line.quantity)).or_default() += line.seconds;
            assert!(keys.insert((line.meter, line.from)), "one line for each meter and begin: {line:?}");
        }
        assert_eq!(found, recounted(&sizes, &last, &changes, now));
        assert_eq!(lines.iter().filter(|line| line.open).count(), 2, "only the last size still counts: {lines:?}");
        // What was written before the change is still what it was.
        let before = usage(&of(&sizes[0].spec, &changes[..4]), &book(), at("2026-11-30T09:10:00Z")).expect("prices are there");
        let cards = |lines: &[UsageLine]| lines.iter().find(|line| line.meter != Meter::StorageGibMonth).cloned();
        assert_eq!(cards(&lines), cards(&before));
    }

    #[test]
    fn a_lab_that_never_ran_costs_nothing() {
        let changes = [change(1, LabState::Pending, "2026-11-30T08:59:00Z"), change(2, LabState::Failed, "2026-11-30T09:59:00Z")];
        assert_eq!(usage(&of(&spec(), &changes), &book(), at("2026-11-30T15:00:00Z")), Ok(vec![]));
        let tried = [changes[0].clone(), change(2, LabState::Starting, "2026-11-30T08:59:30Z"), changes[1].clone()];
        assert_eq!(usage(&of(&spec(), &tried), &book(), at("2026-12-09T15:00:00Z")), Ok(vec![]), "nobody used its volume");
    }

    #[test]
    fn what_runs_beyond_its_end_is_counted_no_further() {
        let (spec, changes, now) = (spec(), life(), at("2026-12-08T10:00:00Z"));
        let ends = at("2026-11-30T10:29:59Z");
        let seconds = |life: &Life<'_>, storage| -> i64 {
            let lines = usage(life, &book(), now).expect("prices are there");
            lines.iter().filter(|line| (line.meter == Meter::StorageGibMonth) == storage).map(|line| line.seconds).sum()
        };
        let bounded = Life { stops_at: Some(ends), ..of(&spec, &changes) };
        assert_eq!(seconds(&bounded, false), 1 + 30 * 60, "eight days are not charged");
        assert_eq!(seconds(&bounded, true), now.seconds_since(at("2026-11-30T09:00:00Z")), "its files are there");
        let kept = Life { kept_to: Some(ends), ..bounded };
        assert_eq!(seconds(&kept, true), ends.seconds_since(at("2026-11-30T09:00:00Z")));
        let free = [(at("2026-11-30T09:10:00Z"), at("2026-11-30T09:20:00Z")), (ends, at("2026-12-01T00:00:00Z"))];
        let lent = Life { free_storage: &free, ..of(&spec, &changes) };
        assert_eq!(seconds(&lent, true), now.seconds_since(at("2026-11-30T09:00:00Z")) - 600 - at("2026-12-01T00:00:00Z").seconds_since(ends));
        assert_eq!(seconds(&lent, false), seconds(&of(&spec, &changes), false), "cards are not kept");
        // A running lab; the clock is moved two hours ahead.
        let skipped = [(at("2026-11-30T11:00:00Z"), at("2026-11-30T13:00:00Z"))];
        let jumped = Life { skipped: &skipped, ..of(&spec, &changes) };
        for storage in [false, true] {
            assert_eq!(seconds(&jumped, storage), seconds(&of(&spec, &changes), storage) - 7_200);
        }
        let mut late = changes.clone();
        late.push(change(9, LabState::Destroying, "2026-12-05T10:00:00Z"));
        let late = Life { kept_to: Some(ends), ..of(&spec, &late) };
        assert_eq!(seconds(&late, true), seconds(&kept, true), "its destruction came late");
        let mut doomed = changes.clone();
        doomed.extend([change(9, LabState::Destroying, "2026-11-30T10:00:00Z"), change(10, LabState::Destroyed, "2026-12-07T10:00:00Z")]);
        assert_eq!(seconds(&of(&spec, &doomed), true), at("2026-11-30T10:00:00Z").seconds_since(at("2026-11-30T09:00:00Z")));
    }
}
