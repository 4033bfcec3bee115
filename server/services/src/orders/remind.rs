//! A day before an undecided order expires its approvers are told once.

use domain::{Result, audit::Outcome, orders::Order};
use serde_json::json;

use super::{audited, tell};
use crate::{Services, audit, error::OrDomain, jobs::lease};

/// How long before the end.
const BEFORE_SECONDS: i64 = 24 * 3_600;
/// How many one call looks at; the job comes again.
const BATCH: u32 = 100;

/// Returns for how many orders it told somebody.
pub async fn remind(services: &Services) -> Result<u32> {
    let now = services.clock.now();
    let orders = {
        let mut connection = services.db.read().await.or_domain()?;
        storage::orders::expiring(&mut connection, now, now.plus_seconds(BEFORE_SECONDS), BATCH).await.or_domain()?
    };
    let mut done = 0;
    for order in orders {
        done += u32::from(remind_one(services, order).await?);
    }
    Ok(done)
}

async fn remind_one(services: &Services, order: Order) -> Result<bool> {
    let mut write = lease::begin_write(services).await?;
    if !storage::orders::remind(&mut write, order.id, services.clock.now()).await.or_domain()? {
        return Ok(false);
    }
    let told = tell::expires_soon(services, &mut write, &order).await?;
    let entry = audited::entry("order.remind", &order).after(json!({ "awaits": order.awaits(), "expires_at": order.expires_at.to_rfc3339() }));
    audit::by_job(services, &mut write, "remind-approvers", order.tenant, entry, Outcome::Success).await?;
    write.commit().await.or_domain()?;
    told.tell(services);
    Ok(true)
}
