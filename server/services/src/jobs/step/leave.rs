//! A lab that goes: stopped, failed or destroyed. Its cards are free when its pods are gone, not before.
//!
//! A failed lab holds no cards: it is taken down as a stop would do it, keeps its volume and what the cluster said of the failure,
//! and its owner may start it again, which asks for cards as every start does.

use domain::labs::{Lab, LabEvent, Observation, ObservedPhase};

use super::{JOB, Next, Trouble, keep_observation, promote, volume, without_pods};
use crate::{
    Services,
    error::OrDomain,
    hub::News,
    jobs::lease,
    labs::{
        kept_logs,
        transition::{self, By},
    },
    ports::LabOrder,
};

/// Keeps a job's logs, takes the pods away, and waits until none is left.
pub(super) async fn stop(services: &Services, order: &LabOrder) -> Result<Next, Trouble> {
    kept_logs::keep(services, order).await?;
    services.cluster.stop(order).await?;
    let seen = services.cluster.observe(order).await?;
    if !without_pods(&seen) {
        keep_observation(services, &order.lab, &volume::remembered(services, order, seen).await?).await?;
        return Ok(Next::Soon(1));
    }
    let seen = volume::remembered(services, order, seen).await?;
    let kept = if order.lab.failure.is_some() { with_evidence(services, &order.lab, seen).await? } else { seen };
    gone(services, &order.lab, LabEvent::PodsGone, &kept).await
}

/// Deletes all objects and waits until none is left, the namespace included when no other lab of the course needs it.
pub(super) async fn destroy(services: &Services, order: &LabOrder) -> Result<Next, Trouble> {
    let last_of_course = is_last(services, &order.lab).await?;
    if services.cluster.destroy(order, last_of_course).await? > 0 {
        let seen = services.cluster.observe(order).await?;
        keep_observation(services, &order.lab, &seen).await?;
        return Ok(Next::Soon(1));
    }
    gone(services, &order.lab, LabEvent::ObjectsGone, &Observation::default()).await
}

/// The state for which nothing is left, with the cards given back.
async fn gone(services: &Services, lab: &Lab, event: LabEvent, seen: &Observation) -> Result<Next, Trouble> {
    let mut lab = lab.clone();
    let mut write = lease::begin_write(services).await?;
    transition::take(services, &mut write, &mut lab, event, By::Job(JOB)).await?;
    storage::reservations::release(&mut write, lab.id).await.or_domain()?;
    storage::observations::put(&mut write, lab.id, seen, services.clock.now()).await.or_domain()?;
    if event == LabEvent::ObjectsGone {
        storage::lab_logs::delete_of(&mut write, lab.id).await.or_domain()?;
    }
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(&lab));
    promote(services).await;
    Ok(Next::Done)
}

/// Takes the pods of a failed lab away and gives its cards back.
pub(super) async fn clear(services: &Services, order: &LabOrder) -> Result<Next, Trouble> {
    kept_logs::keep(services, order).await?;
    services.cluster.stop(order).await?;
    let seen = volume::remembered(services, order, services.cluster.observe(order).await?).await?;
    let kept = with_evidence(services, &order.lab, seen).await?;
    keep_observation(services, &order.lab, &kept).await?;
    if !without_pods(&kept) {
        return Ok(Next::Soon(1));
    }
    let mut lab = order.lab.clone();
    let mut write = lease::begin_write(services).await?;
    transition::release(services, &mut write, &mut lab, JOB).await?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::lab(&lab));
    promote(services).await;
    Ok(Next::Done)
}

/// What is there now, with the conditions and events that told of the failure: they go from the cluster with the pods.
async fn with_evidence(services: &Services, lab: &Lab, seen: Observation) -> Result<Observation, Trouble> {
    let mut read = services.db.read().await.or_domain()?;
    let before = storage::observations::get(&mut read, lab.id).await.or_domain()?;
    Ok(match before {
        Some((before, _)) => Observation { failure: before.failure, conditions: before.conditions, events: before.events, ..seen },
        None => seen,
    })
}

/// A lab that is down stays down: pods that a late start made are taken away.
pub(super) async fn keep_down(services: &Services, order: &LabOrder) -> Result<Next, Trouble> {
    let seen = services.cluster.observe(order).await?;
    if !without_pods(&seen) {
        services.cluster.stop(order).await?;
        return Ok(Next::Soon(1));
    }
    let is_opened = !seen.drift.is_empty();
    let seen = volume::remembered(services, order, seen).await?;
    let kept = if order.lab.failure.is_some() { with_evidence(services, &order.lab, seen).await? } else { seen };
    keep_observation(services, &order.lab, &kept).await?;
    // Its policy stays in the namespace of other labs.
    if is_opened {
        services.cluster.repair(order).await?;
    }
    if volume::grow(services, order, &kept).await? {
        return Ok(Next::Soon(2));
    }
    volume::follow_size(services, &order.lab, &kept).await?;
    Ok(Next::Done)
}

/// A lab that was destroyed stays so: objects that a late start made are deleted.
pub(super) async fn keep_away(services: &Services, order: &LabOrder) -> Result<Next, Trouble> {
    if services.cluster.observe(order).await?.phase == ObservedPhase::Absent {
        return Ok(Next::Done);
    }
    let last_of_course = is_last(services, &order.lab).await?;
    let left = services.cluster.destroy(order, last_of_course).await?;
    Ok(if left > 0 { Next::Soon(1) } else { Next::Done })
}

async fn is_last(services: &Services, lab: &Lab) -> Result<bool, Trouble> {
    let mut read = services.db.read().await.or_domain()?;
    Ok(storage::labs::others_of_course(&mut read, lab.course, lab.id).await.or_domain()? == 0)
}
