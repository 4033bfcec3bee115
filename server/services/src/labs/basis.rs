//! What changes of a lab that cost something are decided on: its order's offering, prices, policy and quota, and who may waive approval.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    Error, Result,
    access::{Action, Resource, Role},
    approvals::{Outcome, Ruling},
    catalogue::Offering,
    labs::{Lab, extend::ChangeBasis},
    orders::ChangeTo,
    quotas::QuotaStatus,
    time::Timestamp,
};
use storage::{AnyConnection, Write, labs::Listed};

use crate::{
    Caller, Services,
    catalogue::{Shelf, shelf},
    error::OrDomain,
};

/// Read before the transaction; prices and policies change seldom and only forward.
pub(super) async fn shelf_now(services: &Services) -> Result<Arc<Shelf>> {
    let mut read = services.db.read().await.or_domain()?;
    shelf(services, &mut read).await
}

/// The offering as it is on sale. Errors: `Invalid` on `offering` when it no longer is: nothing then says what is allowed.
pub(super) fn offering<'s>(shelf: &'s Shelf, listed: &Listed) -> Result<&'s Offering> {
    shelf.on_sale(listed.offering).ok_or_else(|| Error::field("offering", domain::Problem::NoSuch))
}

/// The course's quota, under its lock: nobody else takes of it until the transaction ends.
pub(super) async fn quota(write: &mut Write, lab: &Lab, now: Timestamp) -> Result<QuotaStatus> {
    storage::quotas::lock(write, lab.course).await.or_domain()?;
    Ok(storage::quotas::of_course(write, lab.course, now).await.or_domain()?.ok_or(Error::NotFound)?.status)
}

pub(super) fn of<'a>(shelf: &'a Shelf, caller: &'a Caller, quota: &'a QuotaStatus, now: Timestamp) -> ChangeBasis<'a> {
    let tenant = caller.actor.tenant;
    ChangeBasis { book: shelf.book(tenant), policy: shelf.policy(tenant), quota, requester: &caller.actor.roles, now }
}

/// The ruling that the change must wait for; `None` when it may be made at once: the policy lets it, or the caller may decide such orders
/// of this person.
///
/// Errors: `RefusedByPolicy`.
pub(super) fn to_wait_for(caller: &Caller, lab: &Lab, ruling: Ruling) -> Result<Option<Ruling>> {
    if let Outcome::Refuse(reason) = &ruling.outcome {
        return Err(Error::RefusedByPolicy { rule: ruling.rule.clone(), reason: reason.clone() });
    }
    Ok(ruling.waits_for_others(&decides(caller, lab)))
}

/// The stages that the caller may decide of orders like the one of this lab.
pub(super) fn decides(caller: &Caller, lab: &Lab) -> BTreeSet<Role> {
    let resource = Resource::owned(lab.tenant, lab.course, lab.owner);
    if caller.actor.can(Action::OrderDecide, &resource).is_ok() { caller.actor.roles_in(lab.course) } else { BTreeSet::new() }
}

/// Whether the same change waits already: a second click, a lost answer. Errors: `ChangeWaits` while another one waits, unless the change
/// `is_invalid`: then its own error is the one to tell.
pub(super) async fn waits_already(write: &mut Write, caller: &Caller, lab: &Lab, is_invalid: bool, same: impl Fn(&ChangeTo) -> bool) -> Result<bool> {
    let Some(order) = storage::orders::change_waiting(write, lab.id).await.or_domain()? else { return Ok(false) };
    if order.owner == caller.actor.user && order.change.as_ref().is_some_and(|change| same(&change.to)) {
        return Ok(true);
    }
    if is_invalid {
        return Ok(false);
    }
    Err(Error::ChangeWaits { order: order.id, number: order.number })
}

/// The lab with its order's figures, as they are in this transaction.
pub(super) async fn listed(connection: &mut AnyConnection, id: domain::ids::LabId) -> Result<Listed> {
    storage::labs::listed(connection, id).await.or_domain()?.ok_or(Error::NotFound)
}
