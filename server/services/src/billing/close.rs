//! Closing a month: from then on none of its bills changes.

use domain::{
    Error, Result,
    access::{Action, Resource},
    billing::{Closing, MonthBill},
    time::Month,
};
use serde_json::json;

use crate::{
    Caller, Services,
    audit::{self, Entry},
    error::{OrDomain, from_storage},
    jobs::metering,
};

/// Every month with anything on its bills, the latest first; the caller's courses only, where they do not see all. Two statements.
pub async fn months(services: &Services, caller: &Caller) -> Result<Vec<MonthBill>> {
    let entry = || Entry::new(audit::action(Action::BillRead), "bill", "*", "");
    let courses = audit::recording(services, caller, entry, async { caller.actor.extent(Action::BillRead) }).await?.courses();
    let tenant = caller.actor.tenant;
    let mut read = services.db.read().await.or_domain()?;
    let closings = storage::bills::closings(&mut read, tenant).await.or_domain()?;
    let months = storage::usage::months(&mut read, tenant, courses.as_ref()).await.or_domain()?;
    let closing = |month| closings.iter().find(|closing: &&Closing| closing.month == month).cloned();
    Ok(months.into_iter().map(|(month, usage, adjustments)| MonthBill { month, usage, adjustments, closing: closing(month) }).collect())
}

/// Errors: `Forbidden`, `ScopeMissing`.
pub fn may_close(caller: &Caller) -> Result<()> {
    caller.actor.can(Action::BillWrite, &Resource::tenant(caller.actor.tenant))
}

/// Closes a month that is over and counted to its end, and writes down what each course has to pay. Closing it again changes nothing.
///
/// Errors: `Forbidden`; `InvalidTransition` for a month that still runs or is not counted yet.
pub async fn close(services: &Services, caller: &Caller, month: Month) -> Result<()> {
    audit::recording(services, caller, || Entry::new("billing.close", "bill", month, month.to_string()), async {
        let tenant = caller.actor.tenant;
        may_close(caller)?;
        let mut write = services.db.begin_write().await.or_domain()?;
        storage::bills::lock(&mut write).await.or_domain()?;
        let counted = metering::counted_to_in(&mut write).await?;
        if counted.is_none_or(|counted| counted < month.end()) {
            return Err(Error::InvalidTransition { state: "running".into(), event: "close".into() });
        }
        match storage::bills::close(&mut write, tenant, month, caller.actor.user, services.clock.now()).await {
            Ok(()) => {}
            Err(error) if error.is_not_unique("bill_closings", "tenant_id") || error.is_not_unique("bill_closings", "month") => return Ok(()),
            Err(error) => return Err(from_storage(error)),
        }
        // Metering that read the month as open must not write into it any more.
        storage::offerings::raise_version(&mut write).await.or_domain()?;
        let bills = storage::usage::summaries(&mut write, tenant, None, month).await.or_domain()?;
        let total = domain::money::sum(bills.iter().map(|bill| bill.total.micros));
        let entry = Entry::new("billing.close", "bill", month, month.to_string()).before(json!({ "state": "open" })).after(
            json!({ "state": "closed", "courses": bills.len(), "total_micros": total, "currency": bills.first().map(|bill| bill.total.currency) }),
        );
        audit::success(services, &mut write, caller, entry).await?;
        write.commit().await.or_domain()
    })
    .await
}
