//! More time or another size that somebody had to approve: what it is worth while it waits, and what the last approval gives the lab in
//! its transaction. Both look at the lab as it is now, since others may have changed it after the request was filed.

use domain::{
    Result,
    approvals::Ruling,
    catalogue::LabSpec,
    labs::{Lab, extend::ChangeBasis},
    money::Money,
    orders::{ChangeTo, LabChange, Order},
    pricing::Estimate,
    time::Timestamp,
};
use storage::{Write, accounts::roles};

use super::{basis, extend, resize};
use crate::{Services, catalogue::shelf, error::OrDomain};

/// What an approval would give now.
#[derive(Debug)]
pub(crate) struct Worth {
    /// The lab as it would be.
    pub spec: LabSpec,
    /// Its total is the additional cost, never below zero.
    pub estimate: Estimate,
    /// What the policy says of the whole lab after the change; `None` where others have given all of it already.
    pub ruling: Option<Ruling>,
    /// Whether the course's budget bears the additional cost, without what the order itself holds. Errors: `OverBudget`.
    pub borne: Result<()>,
}

/// Comes after the course's lock. `order`: as it is stored.
///
/// Errors: `InvalidTransition` when the lab is gone or the time that was asked for is over; `Invalid`, `PriceMissing`.
pub(crate) async fn worth(services: &Services, write: &mut Write, order: &Order, change: &LabChange) -> Result<Worth> {
    let now = services.clock.now();
    let listed = basis::listed(write, change.lab).await?;
    let shelf = shelf(services, write).await?;
    let (lab, book) = (&listed.lab, shelf.book(listed.lab.tenant));
    let left = match &change.to {
        ChangeTo::Extend { minutes, until, seen } => match extend::rest(lab, asked(lab, *minutes, *until, *seen), now)? {
            Some(rest) => Some((lab.spec.clone(), lab.minutes.saturating_add(rest.added), book.estimate(&lab.spec, rest.added, now)?)),
            None => None,
        },
        ChangeTo::Resize { parameters, seen } => match resize::rest(write, &shelf, &listed, (parameters, seen), now).await? {
            Some(wanted) => {
                let estimate = book.estimate(&wanted.spec, lab.minutes_left(now).max(1), now)?;
                let total = Money { micros: wanted.difference.micros.max(0), ..wanted.difference };
                Some((wanted.spec, lab.minutes, Estimate { total, ..estimate }))
            }
            None => None,
        },
    };
    let Some((mut spec, minutes, estimate)) = left else {
        let estimate = Estimate { total: Money::zero(order.estimate.total.currency), ..order.estimate.clone() };
        return Ok(Worth { spec: order.spec.clone(), estimate, ruling: None, borne: Ok(()) });
    };
    let requester = roles::of_user(write, order.owner).await.or_domain()?;
    let quota = basis::quota(write, lab, now).await?.without_hold(order.amounts(), order.estimate.total, None, now);
    let on = ChangeBasis { book, policy: shelf.policy(lab.tenant), quota: &quota, requester: &requester, now };
    let ruling = on.ruling(lab, &spec, minutes)?;
    let borne = quota.check_budget(estimate.total, now);
    // They stay with the lab and its own order.
    spec.secrets.clear();
    Ok(Worth { spec, estimate, ruling: Some(ruling), borne })
}

/// Comes after the course's lock. `most`: what the approver saw and the order holds. What is given costs no more, and from here on the
/// lab's own order holds it.
///
/// Errors: `Stale` where it would cost more; `InvalidTransition` when the lab is gone or on its way; for a size those of
/// [`super::resize()`].
pub(crate) async fn apply(services: &Services, write: &mut Write, change: &LabChange, most: Money) -> Result<()> {
    let listed = basis::listed(write, change.lab).await?;
    match &change.to {
        ChangeTo::Extend { minutes, until, seen } => {
            let asked = asked(&listed.lab, *minutes, *until, *seen);
            extend::apply(services, write, listed, asked, most).await
        }
        ChangeTo::Resize { parameters, seen } => resize::apply(services, write, listed, (parameters, seen), most).await,
    }
}

/// `seen`: the lab's minutes when it was filed.
fn asked(lab: &Lab, minutes: u32, until: Option<Timestamp>, seen: Option<u32>) -> extend::Asked {
    extend::Asked { minutes, until, given: seen.map_or(0, |seen| lab.minutes.saturating_sub(seen)) }
}
