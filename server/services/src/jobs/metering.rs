//! Metering: usage lines of every lab that has been up since it was last metered, written once per (lab, meter, begin).
//! Lines are computed from the recorded state changes alone, so running it again, late or twice gives the same lines.
//! A closed month takes nothing more: what comes to light later stands as a correction on the bill of the month that it is.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Error, Result,
    audit::Outcome,
    billing::AdjustmentKind,
    ids::{AdjustmentId, TenantId},
    labs::Lab,
    metering::{self, UsageLine},
    money::{self, Currency, Money},
    pricing::{Books, Meter, PriceBook},
    time::{Month, Timestamp},
};
use serde_json::json;
use storage::{AnyConnection, Write, bills, labs, settings, usage, usage::Stored};

use super::lease;
use crate::{
    Services,
    audit::{self, Entry},
    error::OrDomain,
};

/// Labs that are written in one transaction.
const BATCH: u32 = 50;
/// The setting that says until when all usage is counted: microseconds.
const COUNTED_TO: &str = "usage.counted_to";
const JOB: &str = "metering";

/// Brings usage records up to now; returns how many labs were metered. Running it again changes nothing but open lines.
///
/// Errors: `PriceMissing` for a lab that cannot be rated, after all others are.
pub async fn run(services: &Services) -> Result<u32> {
    let now = services.clock.now();
    // After reading the clock, so that a jump that it followed is stored before usage is computed.
    crate::clock::note_jump(services).await?;
    let basis = Basis::load(services).await?;
    let (mut after, mut metered, mut unrated, mut all) = (None, 0, None, true);
    loop {
        let (batch, mut lines, sizes, free) = {
            let mut read = services.db.read().await.or_domain()?;
            let batch = labs::unmetered(&mut read, after, BATCH).await.or_domain()?;
            let Some((last, _)) = batch.last() else { break };
            let lines = usage::of_unmetered(&mut read, after, last.id).await.or_domain()?;
            let sizes = labs::sizes_of_unmetered(&mut read, after, last.id).await.or_domain()?;
            let free = labs::free_storage_of_unmetered(&mut read, after, last.id).await.or_domain()?;
            (batch, lines, sizes, free)
        };
        after = batch.last().map(|(lab, _)| lab.id);
        let mut counts = Vec::with_capacity(batch.len());
        for (lab, changes) in batch {
            let stored = lines.remove(&lab.id).unwrap_or_default();
            let earlier = sizes.get(&lab.id).map_or(&[][..], Vec::as_slice);
            let free = free.get(&lab.id).map_or(&[][..], Vec::as_slice);
            let lines = basis.book(lab.tenant).and_then(|book| {
                let life = metering::Life { free_storage: free, skipped: &basis.skipped, ..metering::Life::of(&lab, earlier, &changes) };
                metering::usage(&life, book, now)
            });
            match lines.and_then(|lines| Count::of(lab, lines, stored, &basis, now)) {
                Ok(count) => counts.push(count),
                Err(error) => unrated = Some(error),
            }
        }
        let asked = counts.len();
        match write(services, counts, &basis).await? {
            Some(written) => {
                metered += written;
                all &= written as usize == asked;
            }
            // Prices changed or a month was closed since they were read: the next round reads them again.
            None => return Ok(metered),
        }
    }
    match unrated {
        Some(error) => Err(error),
        // A lab that changed while it was counted is counted in the next round, and so is everything then.
        None if !all => Ok(metered),
        None => counted(services, now).await.map(|()| metered),
    }
}

/// All usage before this instant is in the records; `None` before the first run.
pub(crate) async fn counted_to(services: &Services) -> Result<Option<Timestamp>> {
    let mut read = services.db.read().await.or_domain()?;
    counted_to_in(&mut read).await
}

pub(crate) async fn counted_to_in(connection: &mut AnyConnection) -> Result<Option<Timestamp>> {
    let setting = settings::get::<i64>(connection, COUNTED_TO).await.or_domain()?;
    Ok(setting.map(|(micros, _)| Timestamp::from_micros(micros)))
}

async fn counted(services: &Services, now: Timestamp) -> Result<()> {
    let mut write = lease::begin_write(services).await?;
    settings::set(&mut write, COUNTED_TO, &now.micros()).await.or_domain()?;
    write.commit().await.or_domain()
}

/// How many were written; `None` when the basis has changed, so that nothing was.
async fn write(services: &Services, counts: Vec<Count>, basis: &Basis) -> Result<Option<u32>> {
    if counts.is_empty() {
        return Ok(Some(0));
    }
    let mut write = lease::begin_write(services).await?;
    bills::lock(&mut write).await.or_domain()?;
    if storage::offerings::version(&mut write).await.or_domain()? != basis.version {
        return Ok(None);
    }
    let mut written = 0;
    for count in counts {
        written += u32::from(count.write(services, &mut write).await?);
    }
    write.commit().await.or_domain()?;
    Ok(Some(written))
}

/// The usage lines to write for one lab.
struct Count {
    lab: Lab,
    /// Lines that are new or differ from what is stored.
    put: Vec<UsageLine>,
    /// Stored lines that the recorded life no longer gives.
    gone: Vec<(Meter, Timestamp)>,
    /// For each closed month that was compared: by how much what was used differs from what stands on its bill.
    late: BTreeMap<Month, i64>,
    currency: Currency,
    cost_micros: i64,
    /// What ends up to here does not change any more.
    frontier: Timestamp,
    now: Timestamp,
    /// Set when nothing counts any more.
    metered_to: Option<Timestamp>,
}

impl Count {
    /// `lines`: all usage lines of the lab's recorded life.
    fn of(lab: Lab, lines: Vec<UsageLine>, stored: Stored, basis: &Basis, now: Timestamp) -> Result<Self> {
        let book = basis.book(lab.tenant)?;
        let cost_micros = money::sum(lines.iter().map(|line| line.amount.micros));
        let metered_to = lines.iter().all(|line| !line.open).then_some(now);
        let mut late = BTreeMap::new();
        let mut count = Self {
            put: Vec::new(),
            gone: Vec::new(),
            late: BTreeMap::new(),
            currency: book.currency,
            cost_micros,
            frontier: now.start_of_campus_day(),
            now,
            metered_to,
            lab,
        };
        let closed = |month| basis.closed.contains(&(count.lab.tenant, month));
        let mut before: BTreeMap<_, _> = stored.lines.into_iter().map(|line| ((line.meter, line.from), line)).collect();
        for line in lines.into_iter().filter(|line| stored.frontier.is_none_or(|frontier| line.to > frontier)) {
            let known = before.remove(&(line.meter, line.from));
            if closed(line.month) {
                *late.entry(line.month).or_insert(0) += line.amount.micros - known.map_or(0, |known| known.amount.micros);
            } else if known.as_ref() != Some(&line) {
                count.put.push(line);
            }
        }
        for ((meter, from), line) in before {
            if closed(line.month) {
                *late.entry(line.month).or_insert(0) -= line.amount.micros;
            } else {
                count.gone.push((meter, from));
            }
        }
        count.late = late;
        Ok(count)
    }

    /// Whether it was written: not when the lab changed since it was read, which the next run sees.
    async fn write(self, services: &Services, write: &mut Write) -> Result<bool> {
        let Self { lab, put, gone, late, currency, cost_micros, frontier, now, metered_to } = self;
        if !labs::save_cost(write, lab.id, lab.version, cost_micros, frontier, metered_to).await.or_domain()? {
            return Ok(false);
        }
        for (meter, from) in gone {
            usage::remove(write, lab.id, meter, from).await.or_domain()?;
        }
        for line in &put {
            usage::put(write, &lab, line).await.or_domain()?;
        }
        if !late.is_empty() {
            correct(services, write, &lab, &late, currency, now).await?;
        }
        Ok(true)
    }
}

/// Writes a correction for each closed month whose bill differs from what is now known, less what was corrected before.
async fn correct(services: &Services, write: &mut Write, lab: &Lab, late: &BTreeMap<Month, i64>, currency: Currency, now: Timestamp) -> Result<()> {
    let corrected = bills::corrected(write, lab.id).await.or_domain()?;
    for (of_month, difference) in late {
        let rest = difference - corrected.get(of_month).copied().unwrap_or(0);
        if rest == 0 {
            continue;
        }
        let row = bills::NewRow {
            tenant: lab.tenant,
            course: lab.course,
            month: now.campus_month(),
            kind: AdjustmentKind::Correction,
            amount: Money::new(rest, currency),
            reason: String::new(),
            lab: Some(lab.id),
            of_month: Some(*of_month),
            by: None,
        };
        let id = AdjustmentId::from_uuid(services.entropy.uuid());
        bills::insert_adjustment(write, id, &row, now).await.or_domain()?;
        let entry = Entry::new("billing.correct", "lab", lab.id, lab.name.clone())
            .course(lab.course)
            .after(json!({ "adjustment": id, "amount": row.amount, "month": row.month, "of_month": of_month }));
        audit::by_job(services, write, JOB, lab.tenant, entry, Outcome::Success).await?;
    }
    Ok(())
}

/// Prices and closed months, as of one version.
struct Basis {
    version: i64,
    books: Books,
    closed: BTreeSet<(TenantId, Month)>,
    /// Periods that the clock skipped.
    skipped: Vec<(Timestamp, Timestamp)>,
}

impl Basis {
    async fn load(services: &Services) -> Result<Self> {
        let mut read = services.db.read().await.or_domain()?;
        // Read before the content: a change in between is seen when the first lab is written.
        let version = storage::offerings::version(&mut read).await.or_domain()?;
        let books = crate::prices::books(&mut read).await?;
        let closed = bills::all_closed(&mut read).await.or_domain()?;
        let skipped = storage::clock_jumps::all(&mut read).await.or_domain()?;
        Ok(Self { version, books, closed, skipped })
    }

    fn book(&self, tenant: TenantId) -> Result<&PriceBook> {
        self.books.of(tenant).ok_or_else(|| Error::PriceMissing { meter: "*".into() })
    }
}
