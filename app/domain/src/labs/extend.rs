//! More time for a lab: what it costs and whether the offering and the policy allow it. Page, API and use case decide by the same function.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Extension, Lab};
use crate::{
    access::Role,
    approvals::{Facts, Policy, Ruling},
    catalogue::{DurationLimits, LabSpec},
    error::{Error, Problem},
    gpu::CardShare,
    money::Money,
    pricing::PriceBook,
    quotas::QuotaStatus,
    time::Timestamp,
};

/// The effect of an extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extended {
    /// Minutes that are added.
    pub added: u32,
    /// All minutes of the lab then.
    pub minutes: u32,
    /// When it ends then; `None` for one that has not run yet.
    pub ends_at: Option<Timestamp>,
    /// What the added minutes cost.
    pub cost: Money,
}

/// The facts by which a change of a lab is decided.
#[derive(Debug, Clone, Copy)]
pub struct ChangeBasis<'a> {
    pub book: &'a PriceBook,
    pub policy: &'a Policy,
    pub quota: &'a QuotaStatus,
    pub requester: &'a BTreeSet<Role>,
    pub now: Timestamp,
}

impl ChangeBasis<'_> {
    /// What the policy says of an order like this lab after the change. A change is no start: of what the course started today only
    /// this lab's own growth counts.
    pub fn ruling(&self, lab: &Lab, spec: &LabSpec, minutes: u32) -> Result<Ruling, Error> {
        let today = lab.created_at >= self.now.start_of_campus_day();
        let others = if today { self.quota.started_today.minus(lab.spec.card_share()) } else { CardShare::ZERO };
        let cost = self.book.estimate(spec, minutes, self.now)?.total;
        // The lab itself is held already.
        let more = cost.minus(self.book.estimate(&lab.spec, lab.minutes, self.now)?.total);
        Ok(self.policy.decide(&Facts {
            started_today: if spec.card_share() > lab.spec.card_share() { others } else { CardShare::ZERO },
            budget_asks: self.quota.budget_asks(more),
            ..Facts::of(spec, minutes, cost, self.quota, self.requester)
        }))
    }
}

impl Lab {
    /// From when further time counts: the end that was ordered, or now when that is over; `None` for a lab that has not run.
    pub fn counts_from(&self, now: Timestamp) -> Option<Timestamp> {
        self.ends_at.map(|end| end.max(now))
    }

    /// Whether its ordered time is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }

    /// Whether it was due to stop automatically before now, at the end of its time or at its daily stop.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.stops_at().is_some_and(|end| end <= now)
    }

    /// Minutes that it may still run: all that were ordered before it first runs, rounded up after.
    pub fn minutes_left(&self, now: Timestamp) -> u32 {
        match self.ends_at {
            Some(end) => u32::try_from((end.seconds_since(now).max(0) + 59) / 60).unwrap_or(u32::MAX),
            None => self.minutes,
        }
    }

    /// When it stops by itself: at the end of its time, or at the daily stop when that comes first.
    pub fn stops_at(&self) -> Option<Timestamp> {
        self.ends_at.into_iter().chain(self.lifecycle.daily_stop_at).min()
    }
}

/// The effect of the extension. Errors: `Invalid` on `minutes` or `until` (nothing added, or above the offering's longest); `PriceMissing`.
pub fn extended(lab: &Lab, limits: DurationLimits, by: Extension, book: &PriceBook, now: Timestamp) -> Result<Extended, Error> {
    let most = limits.max.saturating_sub(lab.minutes);
    let (field, added) = match by {
        Extension::Minutes(minutes) => ("minutes", minutes),
        Extension::Until(until) => {
            let Some(from) = lab.counts_from(now) else { return Err(Error::field("until", Problem::NoSuch)) };
            if until <= from {
                let problem = if until <= now { Problem::InThePast { now } } else { Problem::NotAfter { at: from } };
                return Err(Error::field("until", problem));
            }
            ("until", u32::try_from((until.seconds_since(from) + 59) / 60).unwrap_or(u32::MAX))
        }
    };
    if let Extension::Until(_) = by
        && let Some(from) = lab.counts_from(now)
        && added > most
    {
        return Err(Error::field(field, Problem::EndsTooLate { at: from.plus_minutes(most.into()) }));
    }
    if added == 0 || added > most {
        return Err(Error::field(field, Problem::OutOfRange { min: 1.min(most.into()), max: most.into() }));
    }
    let ends_at = match by {
        Extension::Until(until) => Some(until),
        Extension::Minutes(minutes) => lab.counts_from(now).map(|from| from.plus_minutes(minutes.into())),
    };
    let cost = book.estimate(&lab.spec, added, now)?.total;
    Ok(Extended { added, minutes: lab.minutes + added, ends_at, cost })
}
