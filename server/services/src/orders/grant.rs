//! Handing out cards: whether an approved order gets them now, and the lab that it then becomes.

use domain::{
    Error, Result,
    capacity::{Placement, place},
    ids::{LabId, UserId},
    labs::{Lab, LabState, Lifecycle},
    orders::Order,
};
use storage::Write;

use crate::{Services, capacity, error::OrDomain, labs::transition};

/// Whether the order's cards are free, each pod's on one node, and nobody waits for them before it. From here to the end of the transaction nobody else
/// hands out cards of this kind. Must come after the course's lock.
pub(super) async fn placement(write: &mut Write, order: &Order) -> Result<Placement> {
    let (card, cards) = (order.spec.card, order.spec.cards());
    storage::pools::lock(write, card).await.or_domain()?;
    let pool = storage::pools::find(write, card).await.or_domain()?;
    if place(pool.as_ref(), cards) == Placement::Queue {
        return Ok(Placement::Queue);
    }
    if !capacity::has_room(write, &order.spec).await? {
        return Ok(Placement::Queue);
    }
    // Cards may be free while somebody waits for more of them: who comes later waits behind.
    Ok(if cards == 0 || capacity::waiting(write, card, 1).await?.is_empty() { Placement::Fits } else { Placement::Queue })
}

/// Makes the order's lab, sets its cards aside and asks for it to be brought up. Only after [`placement`] said that they fit.
pub(super) async fn make_lab(services: &Services, write: &mut Write, order: &Order, by: Option<UserId>) -> Result<LabId> {
    let now = services.clock.now();
    let course = storage::courses::by_id(write, order.course).await.or_domain()?.ok_or(Error::NotFound)?;
    let id = LabId::from_uuid(services.entropy.uuid());
    let lab = Lab {
        id,
        order: order.id,
        tenant: order.tenant,
        course: order.course,
        owner: order.owner,
        name: format!("lab-{}", order.number),
        namespace: course.namespace,
        offering_name: order.offering_name.clone(),
        spec: order.spec.clone(),
        minutes: order.minutes,
        state: LabState::Pending,
        reserved: true,
        failure: None,
        created_at: now,
        first_running_at: None,
        ends_at: None,
        lifecycle: Lifecycle::default(),
        version: 1,
    };
    storage::labs::insert(write, &lab, order.estimate.total.currency).await.or_domain()?;
    storage::labs::add_change(write, id, None, LabState::Pending, now, "order", by).await.or_domain()?;
    if !capacity::reserve(write, id, &order.spec, now).await? {
        // The cluster lost a node between the two statements. Nothing is written; the next try finds the smaller pool.
        return Err(Error::Unavailable { retry_after_seconds: 1 });
    }
    transition::want(services, write, id).await?;
    Ok(id)
}
