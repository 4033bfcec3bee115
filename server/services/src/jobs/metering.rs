//! Metering: usage lines of every lab that has been up since it was last metered, written once per (lab, meter, begin).
//! Lines are computed from the recorded state changes alone, so running it again, late or twice gives the same lines.

use std::collections::BTreeMap;

use domain::{
    Error, Result,
    ids::TenantId,
    labs::{EarlierSize, Lab, StateChange},
    metering::{self, UsageLine},
    pricing::{Meter, PriceBook},
    time::Timestamp,
};
use storage::{Write, labs, settings, usage};

use super::lease;
use crate::{Services, error::OrDomain};

/// Labs that are written in one transaction.
const BATCH: u32 = 50;
/// The setting that says until when all usage is counted: microseconds.
const COUNTED_TO: &str = "usage.counted_to";

/// Brings usage records up to now; returns how many labs were metered. Running it again changes nothing but open lines.
///
/// Errors: `PriceMissing` for a lab that cannot be rated, after all others are.
pub async fn run(services: &Services) -> Result<u32> {
    let now = services.clock.now();
    let books = Books::load(services).await?;
    let (mut after, mut metered, mut unrated) = (None, 0, None);
    loop {
        let (batch, mut lines, sizes) = {
            let mut read = services.db.read().await.or_domain()?;
            let batch = labs::unmetered(&mut read, after, BATCH).await.or_domain()?;
            let Some((last, _)) = batch.last() else { break };
            let lines = usage::of_unmetered(&mut read, after, last.id).await.or_domain()?;
            let sizes = labs::sizes_of_unmetered(&mut read, after, last.id).await.or_domain()?;
            (batch, lines, sizes)
        };
        after = batch.last().map(|(lab, _)| lab.id);
        let mut counts = Vec::with_capacity(batch.len());
        for (lab, changes) in batch {
            let stored = lines.remove(&lab.id).unwrap_or_default();
            let earlier = sizes.get(&lab.id).map_or(&[][..], Vec::as_slice);
            match books.of(lab.tenant).and_then(|book| Count::of(lab, earlier, &changes, stored, book, now)) {
                Ok(count) => counts.push(count),
                Err(error) => unrated = Some(error),
            }
        }
        metered += write(services, counts).await?;
    }
    match unrated {
        Some(error) => Err(error),
        None => counted(services, now).await.map(|()| metered),
    }
}

/// All usage before this instant is in the records; `None` before the first run.
pub(crate) async fn counted_to(services: &Services) -> Result<Option<Timestamp>> {
    let mut read = services.db.read().await.or_domain()?;
    let setting = settings::get::<i64>(&mut read, COUNTED_TO).await.or_domain()?;
    Ok(setting.map(|(micros, _)| Timestamp::from_micros(micros)))
}

async fn counted(services: &Services, now: Timestamp) -> Result<()> {
    let mut write = lease::begin_write(services).await?;
    settings::set(&mut write, COUNTED_TO, &now.micros()).await.or_domain()?;
    write.commit().await.or_domain()
}

async fn write(services: &Services, counts: Vec<Count>) -> Result<u32> {
    if counts.is_empty() {
        return Ok(0);
    }
    let mut write = lease::begin_write(services).await?;
    let mut written = 0;
    for count in counts {
        written += u32::from(count.write(&mut write).await?);
    }
    write.commit().await.or_domain()?;
    Ok(written)
}

/// What is to be written of one lab.
struct Count {
    lab: Lab,
    /// Lines that are new or differ from what is stored.
    put: Vec<UsageLine>,
    /// Stored lines that the recorded life no longer gives.
    gone: Vec<(Meter, Timestamp)>,
    cost_micros: i64,
    /// Set when nothing counts any more.
    metered_to: Option<Timestamp>,
}

impl Count {
    fn of(lab: Lab, earlier: &[EarlierSize], changes: &[StateChange], stored: Vec<UsageLine>, book: &PriceBook, now: Timestamp) -> Result<Self> {
        let lines = metering::usage_of_sizes(&lab.spec, earlier, changes, book, now)?;
        let cost_micros = lines.iter().map(|line| line.amount.micros).sum();
        let metered_to = lines.iter().all(|line| !line.open).then_some(now);
        let mut stored: BTreeMap<_, _> = stored.into_iter().map(|line| ((line.meter, line.from), line)).collect();
        let put = lines.into_iter().filter(|line| stored.remove(&(line.meter, line.from)).as_ref() != Some(line)).collect();
        Ok(Self { lab, put, gone: stored.into_keys().collect(), cost_micros, metered_to })
    }

    /// Whether it was written: not when the lab changed since it was read, which the next run sees.
    async fn write(self, write: &mut Write) -> Result<bool> {
        let Self { lab, put, gone, cost_micros, metered_to } = self;
        if !labs::save_cost(write, lab.id, lab.version, cost_micros, metered_to).await.or_domain()? {
            return Ok(false);
        }
        for line in &put {
            usage::put(write, &lab, line).await.or_domain()?;
        }
        for (meter, from) in gone {
            usage::remove(write, lab.id, meter, from).await.or_domain()?;
        }
        Ok(true)
    }
}

/// Every tenant's prices.
struct Books {
    own: BTreeMap<TenantId, PriceBook>,
    everybody: Option<PriceBook>,
}

impl Books {
    async fn load(services: &Services) -> Result<Self> {
        let mut read = services.db.read().await.or_domain()?;
        let mut books = Self { own: BTreeMap::new(), everybody: None };
        for (tenant, book) in storage::prices::books(&mut read).await.or_domain()? {
            match tenant {
                Some(tenant) => drop(books.own.insert(tenant, book)),
                None => books.everybody = Some(book),
            }
        }
        Ok(books)
    }

    fn of(&self, tenant: TenantId) -> Result<&PriceBook> {
        self.own.get(&tenant).or(self.everybody.as_ref()).ok_or_else(|| Error::PriceMissing { meter: "*".into() })
    }
}
