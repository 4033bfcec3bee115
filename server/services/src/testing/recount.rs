//! An independent recount: bills worked out anew from the recorded state changes, prices and discounts, by simple code that shares
//! nothing with metering, and held against what is stored.
//!
//! It splits time at every instant at which anything changes, whatever it is, and decides for each stretch by looking.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use storage::testing::ledger::{self, Ledger, Life, UsageRow};

use crate::Services;

const DAY: i64 = 86_400;
const SECOND: i64 = 1_000_000;
const CAMPUS: i64 = 8 * 3_600;

/// Something that is not as the recount has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `usage of <lab> gpu-a100-80g-hour from <micros>`, `bill of <course> 2026-11`.
    pub what: String,
    pub stored: String,
    pub recounted: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: stored {}, recounted {}", self.what, self.stored, self.recounted)
    }
}

/// Recounts all usage, corrections and closed bills up to the instant that metering says it has counted to. Empty when all agree.
///
/// # Panics
/// When the database does not answer.
pub async fn recount(services: &Services) -> Vec<Difference> {
    let now = crate::jobs::metering::counted_to(services).await.expect("the setting is read");
    let Some(now) = now else { return Vec::new() };
    let mut read = services.db.read().await.expect("a connection");
    let ledger = ledger::read(&mut read).await.expect("the ledger is read");
    drop(read);
    let expected: Vec<UsageRow> = ledger.lives.iter().flat_map(|life| usage_of(life, &ledger, now.micros())).collect();
    let mut differences = Vec::new();
    let closed: BTreeSet<(&str, &str)> = ledger.bills.iter().map(|bill| (bill.course.as_str(), bill.month.as_str())).collect();
    let is_closed = |row: &UsageRow| closed.contains(&(row.course.as_str(), row.month.as_str()));
    compare_rows(&ledger, &expected, is_closed, &mut differences);
    compare_closed(&ledger, &expected, is_closed, &mut differences);
    compare_bills(&ledger, &mut differences);
    differences
}

/// Every row of an open month, one by one.
fn compare_rows(ledger: &Ledger, expected: &[UsageRow], is_closed: impl Fn(&UsageRow) -> bool, differences: &mut Vec<Difference>) {
    let keyed = |rows: &[UsageRow]| -> BTreeMap<(String, String, i64), UsageRow> {
        // A lab that began to run this instant has rows without length, which say nothing.
        rows.iter()
            .filter(|row| !is_closed(row) && row.from < row.to)
            .map(|row| ((row.lab.clone(), row.meter.clone(), row.from), row.clone()))
            .collect()
    };
    let (stored, expected) = (keyed(&ledger.usage), keyed(expected));
    let keys: BTreeSet<_> = stored.keys().chain(expected.keys()).collect();
    for key in keys {
        let (is, should) = (stored.get(key), expected.get(key));
        if is != should {
            let (lab, meter, from) = key;
            let what = format!("usage of {lab} {meter} from {from}");
            differences.push(Difference { what, stored: format!("{is:?}"), recounted: format!("{should:?}") });
        }
    }
}

/// Closed months: what stands there and what corrected it later is, lab by lab, what was used.
fn compare_closed(ledger: &Ledger, expected: &[UsageRow], is_closed: impl Fn(&UsageRow) -> bool, differences: &mut Vec<Difference>) {
    let mut sums = BTreeMap::<(String, String), (i64, i64)>::new();
    for row in ledger.usage.iter().filter(|row| is_closed(row)) {
        sums.entry((row.lab.clone(), row.month.clone())).or_default().0 += row.micros;
    }
    for row in &ledger.adjustments {
        if let (Some(lab), Some(of_month)) = (&row.lab, &row.of_month) {
            sums.entry((lab.clone(), of_month.clone())).or_default().0 += row.micros;
        }
    }
    for row in expected.iter().filter(|row| is_closed(row)) {
        sums.entry((row.lab.clone(), row.month.clone())).or_default().1 += row.micros;
    }
    for ((lab, month), (stored, recounted)) in sums {
        if stored != recounted {
            let what = format!("closed month {month} of {lab} with corrections");
            differences.push(Difference { what, stored: stored.to_string(), recounted: recounted.to_string() });
        }
    }
}

/// A closed bill is still the sum of its rows and of the adjustments of its month.
fn compare_bills(ledger: &Ledger, differences: &mut Vec<Difference>) {
    for bill in &ledger.bills {
        let of = |course: &str, month: &str| course == bill.course && month == bill.month;
        let usage: i64 = ledger.usage.iter().filter(|row| of(&row.course, &row.month)).map(|row| row.micros).sum();
        let adjustments: i64 = ledger.adjustments.iter().filter(|row| of(&row.course, &row.month)).map(|row| row.micros).sum();
        if (usage, adjustments) != (bill.usage, bill.adjustments) {
            let what = format!("bill of {} {}", bill.course, bill.month);
            let (stored, recounted) = (format!("{} {}", bill.usage, bill.adjustments), format!("{usage} {adjustments}"));
            differences.push(Difference { what, stored, recounted });
        }
    }
}

fn usage_of(life: &Life, ledger: &Ledger, now: i64) -> Vec<UsageRow> {
    type Quantity = fn(&ledger::Size) -> i64;
    let mut rows = Vec::new();
    let meters: [(String, Quantity, i64, bool); 4] = [
        (format!("gpu-{}-hour", life.card), |size| size.cards, 3_600, false),
        ("cpu-core-hour".to_owned(), |size| size.cpu_cores, 3_600, false),
        ("memory-gib-hour".to_owned(), |size| size.memory_gib, 3_600, false),
        ("storage-gib-month".to_owned(), |size| size.storage_gib, 30 * DAY, true),
    ];
    for (meter, quantity, unit_seconds, whole_life) in meters {
        for (from, to) in stretches(life, ledger, now, &meter, whole_life) {
            let quantity = quantity(life.earlier.iter().find(|(until, _)| from < *until).map_or(&life.size, |(_, size)| size));
            if quantity > 0 {
                let price = price_at(ledger, &life.tenant, &meter, from);
                let points = discount_at(ledger, &life.tenant, from);
                let seconds = to.div_euclid(SECOND) - from.div_euclid(SECOND);
                let (top, bottom) =
                    (i128::from(price) * i128::from(quantity * seconds) * i128::from(10_000 - points), i128::from(unit_seconds * 10_000));
                // Half up: twice the quotient and one more, halved.
                let micros = i64::try_from((2 * top / bottom + 1) / 2).expect("an amount");
                rows.push(UsageRow {
                    lab: life.lab.clone(),
                    meter: meter.clone(),
                    from,
                    to,
                    course: life.course.clone(),
                    quantity,
                    seconds,
                    unit_micros: price,
                    points,
                    micros,
                    month: month_of(from),
                });
            }
        }
    }
    rows
}

/// Stretches in which the meter counts and nothing about it changes.
fn stretches(life: &Life, ledger: &Ledger, now: i64, meter: &str, whole_life: bool) -> Vec<(i64, i64)> {
    let Some(begin) = life.changes.iter().find(|(state, _)| !whole_life || state == "running").map(|(_, at)| *at) else { return Vec::new() };
    let seen = |at: i64| life.changes.iter().filter(move |(_, when)| *when <= at);
    let counts = |at: i64| {
        let started = !whole_life || seen(at).any(|(state, _)| state == "running");
        let state = seen(at).next_back().map_or("", |(state, _)| state.as_str());
        // After its last change a lab may exist longer than it should; that time is not charged. The same is true for files that are
        // destroyed late.
        let is_last = life.changes.last().is_some_and(|(_, when)| *when <= at);
        let bound = if whole_life { life.kept_to } else { life.stops_at };
        let over = (is_last || whole_life) && bound.is_some_and(|bound| at >= bound);
        let within = |stretches: &[(i64, i64)]| stretches.iter().any(|(from, to)| *from <= at && at < *to);
        let free = (whole_life && within(&life.free_storage)) || within(&ledger.skipped);
        started && !over && !free && if whole_life { !["destroying", "destroyed"].contains(&state) } else { state == "running" }
    };
    let mut edges: BTreeSet<i64> = life.changes.iter().map(|(_, at)| *at).collect();
    // Where the meter begins or ends to count, be it for no time at all; other changes of the lab cut nothing.
    let paused = |at: i64| !whole_life && life.changes.iter().any(|(state, when)| *when == at && state != "running");
    edges.extend(if whole_life { life.kept_to } else { life.stops_at });
    edges.extend(ledger.skipped.iter().flat_map(|(from, to)| [*from, *to]));
    edges.extend(life.free_storage.iter().filter(|_| whole_life).flat_map(|(from, to)| [*from, *to]));
    edges.retain(|at| counts(*at) != counts(*at - 1) || paused(*at));
    edges.extend(life.earlier.iter().map(|(until, _)| *until));
    edges.extend(ledger.prices.iter().filter(|row| row.meter == meter && owns(ledger, row.tenant.as_deref(), &life.tenant)).map(|row| row.from));
    for row in ledger.discounts.iter().filter(|row| row.tenant == life.tenant) {
        edges.insert(row.from);
        edges.extend(row.to);
    }
    let mut midnight = ((begin.div_euclid(SECOND) + CAMPUS).div_euclid(DAY) * DAY - CAMPUS) * SECOND;
    while midnight < now {
        midnight += DAY * SECOND;
        edges.insert(midnight);
    }
    edges.insert(now);
    let edges: Vec<_> = edges.into_iter().filter(|at| *at <= now).collect();
    edges.windows(2).map(|pair| (pair[0], pair[1])).filter(|(from, _)| counts(*from)).collect()
}

/// Whether prices of this book's owner are the tenant's: its own, or everybody's while it has none.
fn owns(ledger: &Ledger, owner: Option<&str>, tenant: &str) -> bool {
    match owner {
        Some(owner) => owner == tenant,
        None => !ledger.prices.iter().any(|row| row.tenant.as_deref() == Some(tenant)),
    }
}

fn price_at(ledger: &Ledger, tenant: &str, meter: &str, at: i64) -> i64 {
    let mut found = (i64::MIN, 0);
    for row in &ledger.prices {
        if row.meter == meter && row.from <= at && row.from > found.0 && owns(ledger, row.tenant.as_deref(), tenant) {
            found = (row.from, row.micros);
        }
    }
    found.1
}

fn discount_at(ledger: &Ledger, tenant: &str, at: i64) -> i64 {
    let holds = |row: &&ledger::DiscountRow| row.tenant == tenant && row.from <= at && row.to.is_none_or(|to| at < to);
    ledger.discounts.iter().filter(holds).map(|row| row.points).max().unwrap_or(0)
}

/// `2026-11`, by going through the years and months one by one.
fn month_of(at: i64) -> String {
    let mut day = (at.div_euclid(SECOND) + CAMPUS).div_euclid(DAY);
    let mut year = 1970;
    loop {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (month, days) in (1..).zip([31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
            if day < days {
                return format!("{year:04}-{month:02}");
            }
            day -= days;
        }
        year += 1;
    }
}

#[cfg(test)]
mod tests;
