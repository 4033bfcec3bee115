//! An order with an approver's changes: its price, its quota, and the policy's ruling on it.

use domain::{
    Error, Result,
    access::Role,
    approvals::{Facts, Outcome, Ruling},
    decisions::{ChangeForm, Changes},
    orders::Order,
    quotas::{Item, QuotaStatus},
    time::Timestamp,
};
use storage::{Write, accounts::roles};

use crate::{Services, catalogue::shelf, error::OrDomain};

/// The order as changed and the ruling that then holds: stages that the policy asks for beyond those of the order are added, so that nobody
/// enlarges an order past somebody's stage. Comes after the course's lock.
///
/// Errors: `Invalid` per field, `PriceMissing`, `OverQuota`, `OverBudget`, `RefusedByPolicy`.
pub(super) async fn work_out(services: &Services, write: &mut Write, order: &Order, form: &ChangeForm) -> Result<(Changes, Ruling)> {
    if order.change.is_some() {
        // It is approved as it was asked for, or rejected: the requester can ask for something else.
        return Err(Error::InvalidTransition { state: order.state.as_str().into(), event: "change".into() });
    }
    let now = services.clock.now();
    let offering = storage::offerings::find(write, order.offering, order.offering_version).await.or_domain()?.ok_or(Error::NotFound)?;
    let shelf = shelf(services, write).await?;
    let changes = Changes::of(order, &offering, shelf.book(order.tenant), form, now)?;
    let quota = without(services, write, order).await?;
    check(&quota, order, &changes, services.clock.now())?;
    let requester = roles::of_user(write, order.owner).await.or_domain()?;
    let facts = Facts::of(&changes.spec, changes.minutes, changes.estimate.total, &quota, &requester);
    let asked = shelf.policy(order.tenant).decide(&facts);
    if let Outcome::Refuse(reason) = asked.outcome {
        return Err(Error::RefusedByPolicy { rule: asked.rule, reason });
    }
    let mut stages: Vec<Role> = order.ruling.outcome.stages().to_vec();
    stages.extend(asked.outcome.stages().iter().filter(|role| !order.ruling.outcome.stages().contains(role)));
    let ruling = Ruling { outcome: Outcome::Stages(stages), facts: Some(facts), ..order.ruling.clone() };
    Ok((changes, ruling))
}

/// The course's quota as if this order were not there, at the time when it runs.
pub(super) async fn without(services: &Services, write: &mut Write, order: &Order) -> Result<QuotaStatus> {
    let quota = storage::quotas::of_course_ahead(write, order.course, services.clock.now()).await.or_domain()?.ok_or(Error::NotFound)?;
    let (now, booked) = (services.clock.now(), order.booked());
    Ok(quota.status.without_hold(order.amounts(), order.estimate.total, booked, now).during(order.span(now), now))
}

/// Whether the changed order fits. What grows in nothing always does, even where the quota was lowered meanwhile.
pub(super) fn check(quota: &QuotaStatus, order: &Order, changes: &Changes, now: Timestamp) -> Result<()> {
    let (before, after) = (order.amounts(), changes.amounts());
    if Item::ALL.into_iter().any(|item| after.get(item) > before.get(item)) {
        quota.check_amounts(&after)?;
    }
    if changes.costs_more(order) { quota.check_budget(changes.estimate.total, now) } else { Ok(()) }
}
