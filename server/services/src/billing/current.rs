//! What the running billing period has cost so far (I4). The period is the campus day: usage is cut at campus midnight.

use domain::{Result, access::Action, money::Money, time::Timestamp};

use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::OrDomain,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentCost {
    /// Since the last campus midnight, of all usage that the caller may read.
    pub cost: Money,
    /// The next campus midnight.
    pub next_billing: Timestamp,
}

/// Two statements. Errors: `Forbidden`.
pub async fn current_cost(services: &Services, caller: &Caller) -> Result<CurrentCost> {
    let entry = || Entry::new(audit::action(Action::UsageRead), "usage", "*", "");
    let courses = audit::recording(services, caller, entry, async { caller.actor.extent(Action::UsageRead) }).await?.courses();
    let now = services.clock.now();
    let tenant = caller.actor.tenant;
    let mut read = services.db.read().await.or_domain()?;
    let currency = crate::catalogue::shelf(services, &mut read).await?.book(tenant).currency;
    let visible_to = courses.map(|courses| (caller.actor.user, courses));
    let micros = storage::usage::cost_since(&mut read, tenant, visible_to.as_ref(), now.start_of_campus_day()).await.or_domain()?;
    Ok(CurrentCost { cost: Money::new(micros, currency), next_billing: now.end_of_campus_day() })
}
