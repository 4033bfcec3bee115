//! Handing out cards: whether an approved order gets them now, and the lab that it then becomes.

use domain::{
    Error, Result,
    ids::{LabId, UserId},
    labs::{Lab, LabState, Lifecycle},
    orders::Order,
    time::Timestamp,
};
use storage::{Write, script::Script};

use crate::{
    Services,
    capacity::{self, Counter, Places},
    error::OrDomain,
    labs::transition,
};

/// Where the order's cards are, if they are free, each pod's on one node, and nobody waits for them before it. From here to the end of the
/// transaction nobody else hands out cards of this kind. Must come after the course's lock.
pub(super) async fn places(write: &mut Write, order: &Order, now: Timestamp) -> Result<Option<Places>> {
    Ok(Counter::open(write, order.spec.card, now).await?.take(&order.spec))
}

/// Makes the order's lab, sets its cards aside in the [`places`] that were found, and asks for it to be brought up. `namespace`: its course's.
/// A script that has not written all found fewer cards than were planned with: the cluster has lost a node in between.
pub(super) fn new_lab(services: &Services, script: &mut Script, order: &Order, namespace: String, places: &Places, by: Option<UserId>) -> LabId {
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
    script.add(storage::labs::new(&lab, order.estimate.total.currency));
    script.add(storage::labs::change(id, None, LabState::Pending, now, "order", by));
    script.extend(capacity::reservation(id, &order.spec, places, now));
    script.add(transition::wish(services, id));
    id
}

/// Somebody was quicker, or the cluster has lost the node that was planned with. Nothing may be committed; the next try finds what is so now.
pub(super) const fn gone() -> Error {
    Error::Unavailable { retry_after_seconds: 1 }
}

/// Writes all of it. Errors: [`gone`] when a row was not written.
pub(super) async fn write_all(write: &mut Write, script: Script) -> Result<()> {
    if script.run(write).await.or_domain()? { Ok(()) } else { Err(gone()) }
}

/// The namespace of the order's course.
pub(super) async fn namespace(write: &mut Write, order: &Order) -> Result<String> {
    Ok(storage::courses::by_id(write, order.course).await.or_domain()?.ok_or(Error::NotFound)?.namespace)
}
