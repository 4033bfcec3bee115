//! Handing out cards: whether an approved order gets them now, and the lab that it then becomes.

use domain::{
    Error, Result,
    ids::{LabId, UserId},
    labs::{Lab, LabState, Lifecycle},
    orders::Order,
    time::Timestamp,
};
use storage::Write;

use crate::{
    Services,
    capacity::{self, Places},
    error::OrDomain,
    labs::transition,
};

/// Where the order's cards are, if they are free, each pod's on one node, and nobody waits for them before it. From here to the end of the
/// transaction nobody else hands out cards of this kind. Must come after the course's lock.
pub(super) async fn places(write: &mut Write, order: &Order, now: Timestamp) -> Result<Option<Places>> {
    storage::pools::lock(write, order.spec.card).await.or_domain()?;
    capacity::find(write, &order.spec, now).await
}

/// Makes the order's lab, sets its cards aside in the [`places`] that were found, and asks for it to be brought up. `namespace`: its course's.
pub(super) async fn make_lab(
    services: &Services,
    write: &mut Write,
    order: &Order,
    namespace: String,
    places: Places,
    by: Option<UserId>,
) -> Result<LabId> {
    let now = services.clock.now();
    let id = LabId::from_uuid(services.entropy.uuid());
    let lab = Lab {
        id,
        order: order.id,
        tenant: order.tenant,
        course: order.course,
        owner: order.owner,
        name: format!("lab-{}", order.number),
        namespace,
        offering_name: order.offering_name.clone(),
        spec: order.spec.clone(),
        minutes: order.minutes,
        state: LabState::Pending,
        reserved: true,
        failure: None,
        created_at: now,
        first_running_at: None,
        // A lesson is over when it is over, however late its lab comes up.
        ends_at: order.ends_at(),
        lifecycle: Lifecycle::default(),
        version: 1,
    };
    storage::labs::insert(write, &lab, order.estimate.total.currency).await.or_domain()?;
    storage::labs::add_change(write, id, None, LabState::Pending, now, "order", by).await.or_domain()?;
    if !capacity::reserve(write, id, &order.spec, places, now).await? {
        // The cluster lost a node between the two statements. Nothing is written; the next try finds the smaller pool.
        return Err(Error::Unavailable { retry_after_seconds: 1 });
    }
    transition::want(services, write, id).await?;
    Ok(id)
}

/// The namespace of the order's course.
pub(super) async fn namespace(write: &mut Write, order: &Order) -> Result<String> {
    Ok(storage::courses::by_id(write, order.course).await.or_domain()?.ok_or(Error::NotFound)?.namespace)
}
