//! Handing out cards: whether an approved order gets them now, and the lab that it then becomes.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Error, Result,
    gpu::Card,
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

/// Cards as one transaction hands them out: each kind is locked and read once, and counted on from there. From the first look at a kind to
/// the end of the transaction nobody else hands out cards of it. Must come after the course's lock.
#[derive(Debug, Default)]
pub(super) struct Cards(BTreeMap<Card, Counter>);

impl Cards {
    /// Locks several kinds in their order, so that two transactions that want the same ones do not wait for each other crosswise.
    pub(super) async fn open(write: &mut Write, kinds: BTreeSet<Card>, now: Timestamp) -> Result<Self> {
        let mut cards = Self::default();
        for card in kinds {
            cards.0.insert(card, Counter::open(write, card, now).await?);
        }
        Ok(cards)
    }

    /// Where the order's cards are, if they are free, each pod's on one node, and nobody waits for them before it.
    pub(super) async fn places(&mut self, write: &mut Write, order: &Order, now: Timestamp) -> Result<Option<Places>> {
        let card = order.spec.card;
        let mut counter = match self.0.remove(&card) {
            Some(known) => known,
            None => Counter::open(write, card, now).await?,
        };
        let places = counter.take(&order.spec);
        self.0.insert(card, counter);
        Ok(places)
    }
}

/// Makes the order's lab, sets its cards aside in the places that were found, and asks for it to be brought up. `namespace`: its course's.
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
